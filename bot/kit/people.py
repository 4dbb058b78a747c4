"""Members and their files as plain values: what commands get instead of Discord objects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import nextcord


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildMember:
    """A member of a guild at one instant."""

    id: int
    name: str
    """The name shown in the guild; members type it, so make it harmless before showing it."""
    is_bot: bool = False
    is_owner: bool = False
    voice_channel_id: int | None = None
    role_ids: frozenset[int] = frozenset()
    permissions: int = 0
    """Discord's permission bits in this guild, without channel overwrites."""
    top_role_position: int = 0

    @property
    def mention(self) -> str:
        """Markdown that shows the name; pings only where the message allows it."""
        return f"<@{self.id}>"

    def may(self, permission: nextcord.Permissions) -> bool:
        """Tell whether the member has all of these permissions; owners and admins do."""
        if self.is_owner or nextcord.Permissions(self.permissions).administrator:
            return True
        return self.permissions & permission.value == permission.value


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedFile:
    """A file on a message or in a slash command's option."""

    url: str
    filename: str
    content_type: str | None
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetMessage:
    """The message that a context menu was opened on."""

    id: int
    author_id: int
    text: str
    links: tuple[str, ...] = ()
    """Where its embeds' titles lead."""
    embedded: str = ""
    """The texts of its embeds, as Markdown."""
    files: tuple[AttachedFile, ...] = ()


class Members(Protocol):
    """Finds members of the guild in which a command was given."""

    def by_id(self, user_id: int) -> GuildMember | None:
        """Return the member, None where there is none."""
        ...

    def by_name(self, name: str) -> GuildMember | None:
        """Return the one whose shown name or user name is `name`, in any case."""
        ...


def member_of(member: nextcord.Member) -> GuildMember:
    """Return the value for nextcord's member."""
    voice = member.voice
    return GuildMember(
        id=member.id,
        name=member.display_name,
        is_bot=member.bot,
        is_owner=member.guild.owner_id == member.id,
        voice_channel_id=voice.channel.id if voice is not None and voice.channel else None,
        role_ids=frozenset(role.id for role in member.roles),
        permissions=member.guild_permissions.value,
        top_role_position=member.top_role.position,
    )


def file_of(attachment: Mapping[str, Any]) -> AttachedFile:
    """Return the value for Discord's attachment object."""
    return AttachedFile(
        url=attachment["url"],
        filename=attachment["filename"],
        content_type=attachment.get("content_type"),
        size_bytes=attachment["size"],
    )


class CachedMembers:
    """Members of one guild: those in nextcord's cache, and those that the message named.

    The cache is not complete (members are not asked for at start), but whoever is mentioned comes
    with the message.
    """

    def __init__(self, guild: nextcord.Guild, named: Iterable[nextcord.Member] = ()) -> None:
        self._guild = guild
        self._named = {member.id: member for member in named}

    def by_id(self, user_id: int) -> GuildMember | None:
        """Return the member, None where there is none."""
        member = self._named.get(user_id) or self._guild.get_member(user_id)
        return None if member is None else member_of(member)

    def by_name(self, name: str) -> GuildMember | None:
        """Return the one whose shown name or user name is `name`, in any case."""
        wanted = name.removeprefix("@").casefold()
        for member in self._guild.members:
            if wanted in (member.display_name.casefold(), member.name.casefold()):
                return member_of(member)
        return None
