"""Channels: where messages stand and where people talk."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tests.simulator.errors import Json
from tests.simulator.feed import Feed
from tests.simulator.message import SimMessage
from tests.simulator.people import Role, User
from tests.simulator.permissions import Overwrite, Permission

if TYPE_CHECKING:
    from tests.simulator.guild import Guild
    from tests.simulator.member import Member
    from tests.simulator.world import World

TEXT, DIRECT, VOICE, CATEGORY, ANNOUNCEMENT, STAGE = 0, 1, 2, 4, 5, 13
WITH_TEXT = frozenset({TEXT, DIRECT, VOICE, ANNOUNCEMENT, STAGE})
"""Kinds of channels that hold messages."""


class Channel:
    """A place with messages."""

    def __init__(self, world: "World", channel_id: int, name: str, kind: int) -> None:
        self.world = world
        self.id = channel_id
        self.name = name
        self.kind = kind
        self.feed = Feed(f"#{name}", world.clock)
        self.last_message_id: int | None = None

    @property
    def mention(self) -> str:
        """The text that links here."""
        return f"<#{self.id}>"

    @property
    def messages(self) -> list[SimMessage]:
        """What stands here now, oldest first."""
        return self.feed.messages

    @property
    def guild_or_none(self) -> "Guild | None":
        """The guild, None in direct messages."""
        return None

    def __repr__(self) -> str:
        return f"#{self.name}"

    def json(self) -> Json:
        """Return the channel object."""
        last = self.last_message_id
        return {
            "id": str(self.id),
            "type": self.kind,
            "last_message_id": None if last is None else str(last),
            "flags": 0,
        }

    async def expect(
        self,
        *,
        title: str | None = None,
        text: str | None = None,
        author: User | None = None,
        after: SimMessage | float | None = None,
        where: Callable[[SimMessage], bool] | None = None,
        within: float = 5.0,
    ) -> SimMessage:
        """Wait for a message (see `Feed.expect`)."""
        return await self.feed.expect(
            title=title, text=text, author=author, after=after, where=where, within=within
        )


class DirectChannel(Channel):
    """The private conversation of a user with the bot."""

    def __init__(self, world: "World", channel_id: int, recipient: User) -> None:
        super().__init__(world, channel_id, f"@{recipient.username}", DIRECT)
        self.recipient = recipient

    def json(self) -> Json:
        """Return the channel object."""
        return {**super().json(), "recipients": [self.recipient.json()]}


class GuildChannel(Channel):
    """A channel of a guild."""

    def __init__(
        self, world: "World", channel_id: int, name: str, *, kind: int, guild: "Guild"
    ) -> None:
        super().__init__(world, channel_id, name, kind)
        self.guild = guild
        self.position = 0
        self.parent_id: int | None = None
        self.topic: str | None = None
        self.nsfw = False
        self.slowmode = 0
        self.overwrites: list[Overwrite] = []

    @property
    def guild_or_none(self) -> "Guild | None":
        """The guild."""
        return self.guild

    def allow(self, who: "Role | Member", *permissions: Permission) -> None:
        """Grant permissions here to a role or a member; the bot is told."""
        self._overwrite(who, allow=permissions, deny=())

    def deny(self, who: "Role | Member", *permissions: Permission) -> None:
        """Take permissions away here from a role or a member; the bot is told."""
        self._overwrite(who, allow=(), deny=permissions)

    def _overwrite(
        self, who: "Role | Member", *, allow: Iterable[Permission], deny: Iterable[Permission]
    ) -> None:
        kind, target = (0, who.id) if isinstance(who, Role) else (1, who.user.id)
        entry = next((entry for entry in self.overwrites if entry.target_id == target), None)
        if entry is None:
            entry = Overwrite(target, kind, Permission(0), Permission(0))
            self.overwrites.append(entry)
        for permission in allow:
            entry.allow |= permission
            entry.deny &= ~permission
        for permission in deny:
            entry.deny |= permission
            entry.allow &= ~permission
        self.announce("CHANNEL_UPDATE")

    def announce(self, event: str) -> None:
        """Tell the bot what happened to the channel."""
        self.world.events.dispatch(event, self.json(), guild_id=self.guild.id)

    def delete(self) -> None:
        """Delete the channel; whoever talks here is disconnected."""
        self.world.delete_channel(self)

    def json(self) -> Json:
        """Return the channel object."""
        return {
            **super().json(),
            "guild_id": str(self.guild.id),
            "name": self.name,
            "position": self.position,
            "parent_id": None if self.parent_id is None else str(self.parent_id),
            "topic": self.topic,
            "nsfw": self.nsfw,
            "rate_limit_per_user": self.slowmode,
            "permission_overwrites": [
                {
                    "id": str(entry.target_id),
                    "type": entry.kind,
                    "allow": str(int(entry.allow)),
                    "deny": str(int(entry.deny)),
                }
                for entry in self.overwrites
            ],
        }

    def partial_json(self, permissions: Permission) -> Json:
        """Return what an interaction tells of a channel, with the member's permissions in it."""
        wanted = ("id", "type", "name", "guild_id", "position", "topic", "nsfw", "parent_id")
        whole = self.json()
        return {
            **{key: whole[key] for key in (*wanted, "last_message_id", "flags")},
            "rate_limit_per_user": self.slowmode,
            "permissions": str(int(permissions)),
        }


class TextChannel(GuildChannel):
    """A channel for writing."""


class VoiceChannel(GuildChannel):
    """A channel for talking (stages too), in which one can write as well."""

    def __init__(
        self, world: "World", channel_id: int, name: str, *, kind: int, guild: "Guild"
    ) -> None:
        super().__init__(world, channel_id, name, kind=kind, guild=guild)
        self.user_limit = 0
        self.bitrate = 64_000
        self.status: str | None = None

    @property
    def members(self) -> "list[Member]":
        """Who is in the channel, the bot too."""
        return [
            self.guild.members[user_id]
            for user_id, state in self.guild.voice_states.items()
            if state.channel is self
        ]

    def json(self) -> Json:
        """Return the channel object."""
        return {
            **super().json(),
            "user_limit": self.user_limit,
            "bitrate": self.bitrate,
            "rtc_region": None,
            "video_quality_mode": 1,
        }


class Category(GuildChannel):
    """A heading over channels."""
