"""A member of a guild, and everything that one can do with a mouse and a keyboard."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tests.simulator.attachments import Upload
from tests.simulator.channel import Channel, DirectChannel, GuildChannel, VoiceChannel
from tests.simulator.clock import iso
from tests.simulator.errors import Json
from tests.simulator.feed import Feed
from tests.simulator.interactions.outcome import Modal, Outcome
from tests.simulator.message import SimMessage
from tests.simulator.people import Role, User
from tests.simulator.permissions import EVERYTHING, TIMED_OUT, Permission, in_channel

if TYPE_CHECKING:
    from tests.simulator.guild import Guild, VoiceState
    from tests.simulator.world import World


_LONGEST_TEXT = 2000


class NotPossible(AssertionError):
    """A member tried what Discord's own client would not let them do."""


class Member:
    """Somebody in a guild; made by `Guild.add_member`."""

    def __init__(self, guild: "Guild", user: User, roles: list[Role], *, joined_at: str) -> None:
        self.guild = guild
        self.user = user
        self.roles = roles
        self.nick: str | None = None
        self.joined_at = joined_at
        self.server_muted = False
        """Muted by somebody else, in the whole guild."""
        self.server_deafened = False
        self.timed_out_until: float | None = None

    def __repr__(self) -> str:
        return self.nick or self.user.username

    @property
    def id(self) -> int:
        """The user's id."""
        return self.user.id

    @property
    def mention(self) -> str:
        """The text that mentions this member."""
        return self.user.mention

    # ── rights ──────────────────────────────────────────────────────────────

    @property
    def permissions(self) -> Permission:
        """What the member may do in the guild."""
        if self.guild.owner is self:
            return EVERYTHING
        granted = self.guild.everyone.permissions
        for role in self.roles:
            granted |= role.permissions
        return EVERYTHING if granted & Permission.ADMINISTRATOR else granted

    def permissions_in(self, channel: Channel) -> Permission:
        """What the member may do in a channel."""
        if not isinstance(channel, GuildChannel):
            return EVERYTHING
        allowed = in_channel(
            self.permissions,
            channel.overwrites,
            everyone_id=self.guild.id,
            role_ids=[role.id for role in self.roles],
            user_id=self.user.id,
        )
        if self.timed_out and not allowed & Permission.ADMINISTRATOR:
            allowed &= TIMED_OUT
        return allowed

    @property
    def timed_out(self) -> bool:
        """Whether the member is timed out now."""
        until = self.timed_out_until
        return until is not None and until > self._world.clock.wall()

    @property
    def top_role(self) -> Role:
        """The role that decides about hierarchy."""
        return max((self.guild.everyone, *self.roles), key=lambda role: role.rank)

    # ── writing ─────────────────────────────────────────────────────────────

    async def say(
        self,
        channel: Channel,
        text: str = "",
        *,
        attachments: Sequence[Upload] = (),
        reply_to: SimMessage | None = None,
    ) -> SimMessage:
        """Write a message."""
        self._must(channel, Permission.VIEW_CHANNEL, Permission.SEND_MESSAGES)
        if len(text) > _LONGEST_TEXT or not (text.strip() or attachments):
            raise NotPossible(f"a message has 1 to {_LONGEST_TEXT} characters")
        return self._world.board.say(self, channel, text, uploads=attachments, reply_to=reply_to)

    async def tell_bot(self, text: str) -> SimMessage:
        """Write a direct message to the bot."""
        return self._world.board.say(self, self.direct_channel, text, uploads=(), reply_to=None)

    async def edit(self, message: SimMessage, text: str) -> None:
        """Change an own message."""
        if message.author is not self.user:
            raise NotPossible(f"{self} did not write {message!r}")
        self._world.board.rewrite(message, content=text)

    async def delete(self, message: SimMessage) -> None:
        """Delete an own message, or anybody's with the right to."""
        if message.author is not self.user and not message.ephemeral:
            self._must(message.channel, Permission.MANAGE_MESSAGES)
        self._world.board.delete([message])

    async def react(self, message: SimMessage, emoji: str) -> None:
        """Add a reaction."""
        self._world.board.react(message, emoji, self.user)

    async def unreact(self, message: SimMessage, emoji: str) -> None:
        """Take an own reaction back."""
        self._world.board.unreact(message, emoji, self.user)

    @property
    def private_messages(self) -> Feed:
        """What only this person sees: ephemeral messages of any guild, and direct messages."""
        return self._world.inbox(self.user)

    @property
    def notifications(self) -> list[SimMessage]:
        """The messages that pinged this person, oldest first."""
        return self._world.board.pings_of(self.user)

    @property
    def direct_channel(self) -> DirectChannel:
        """The member's own conversation with the bot."""
        return self._world.direct_channel(self.user)

    # ── clicking and commands ───────────────────────────────────────────────

    async def click(self, message: SimMessage, button: str) -> Outcome:
        """Click a button (label, emoji or custom id); return when it is answered, or failed."""
        return await self._world.invoking.click(self, message, button).settled()

    def click_soon(self, message: SimMessage, button: str) -> "asyncio.Future[Outcome]":
        """Click a button now, and wait for the answer when you like."""
        return self._world.invoking.click(self, message, button).settling()

    async def select(
        self, message: SimMessage, values: Sequence[Any], *, menu: str | None = None
    ) -> Outcome:
        """Choose from a drop-down list (values, labels, or users, roles, channels)."""
        return await self._world.invoking.select(self, message, values, menu=menu).settled()

    async def slash(
        self,
        channel: Channel,
        command: str,
        arguments: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Outcome:
        """Use a slash command ("rep add" with a space) and wait until it is answered, or failed."""
        given = {**(arguments or {}), **options}
        return await self._world.invoking.slash(self, channel, command, given).settled()

    def slash_soon(
        self, channel: Channel, command: str, **options: Any
    ) -> "asyncio.Future[Outcome]":
        """Use a slash command now, and wait for the answer when you like."""
        return self._world.invoking.slash(self, channel, command, options).settling()

    async def autocomplete(
        self, channel: Channel, command: str, *, typing: str, text: str = "", **options: Any
    ) -> list[Json]:
        """Type `text` into the option `typing` and return the suggested choices."""
        return await self._world.invoking.autocomplete(
            self, channel, command, typing=typing, text=text, options=options
        )

    async def user_menu(self, name: str, target: "Member", *, channel: Channel) -> Outcome:
        """Use an entry of another member's context menu."""
        return await self._world.invoking.user_menu(self, channel, name, target).settled()

    async def message_menu(self, name: str, target: SimMessage) -> Outcome:
        """Use an entry of a message's context menu."""
        return await self._world.invoking.message_menu(self, name, target).settled()

    async def submit(self, modal: Modal, values: Mapping[str, Any]) -> Outcome:
        """Fill in a form (by labels or custom ids) and send it off."""
        return await self._world.invoking.submit(self, modal, values).settled()

    # ── talking ─────────────────────────────────────────────────────────────

    @property
    def voice(self) -> "VoiceState | None":
        """In which call the member is, and how."""
        return self.guild.voice_states.get(self.user.id)

    async def join(self, channel: VoiceChannel) -> None:
        """Go into a voice channel."""
        refused = self._world.calls.why_not(self, channel)
        if refused:
            raise NotPossible(f"{self} cannot join {channel}: {refused}")
        self._world.calls.place(self, channel)

    async def move_to(self, channel: VoiceChannel) -> None:
        """Change to another voice channel."""
        await self.join(channel)

    async def leave(self) -> None:
        """Leave the call."""
        self._world.calls.leave(self)

    async def mute_self(self, *, muted: bool = True) -> None:
        """Turn the own microphone off or on."""
        self._world.calls.set_own(self, self_mute=muted)

    async def deafen_self(self, *, deafened: bool = True) -> None:
        """Turn the own speakers off or on."""
        self._world.calls.set_own(self, self_deaf=deafened)

    async def mute(self, target: "Member | None" = None, *, muted: bool = True) -> None:
        """Mute another member in the whole guild, or oneself."""
        if target is None:
            await self.mute_self(muted=muted)
        else:
            self._must_in_guild(Permission.MUTE_MEMBERS)
            self._world.calls.set_by_others(target, mute=muted)

    async def move(self, target: "Member", channel: VoiceChannel | None) -> None:
        """Drag somebody into another voice channel; None throws them out."""
        self._must_in_guild(Permission.MOVE_MEMBERS)
        self._world.calls.move(target, channel)

    # ── what the server needs ───────────────────────────────────────────────

    def json(self, *, with_user: bool = True) -> Json:
        """Return the member object; a message's has no user in it."""
        until = self.timed_out_until
        member: Json = {
            "nick": self.nick,
            "avatar": None,
            "banner": None,
            "roles": [str(role.id) for role in self.roles],
            "joined_at": self.joined_at,
            "premium_since": None,
            "deaf": self.server_deafened,
            "mute": self.server_muted,
            "flags": 0,
            "pending": False,
            "communication_disabled_until": None if until is None else iso(until),
        }
        if with_user:
            member["user"] = self.user.json()
        return member

    def announce_update(self) -> None:
        """Tell the bot that the member changed."""
        update = {**self.json(), "guild_id": str(self.guild.id)}
        own = self is self.guild.me
        self._world.events.dispatch(
            "GUILD_MEMBER_UPDATE", update, guild_id=self.guild.id, always=own
        )

    def _must(self, channel: Channel, *permissions: Permission) -> None:
        allowed = self.permissions_in(channel)
        for permission in permissions:
            if not allowed & permission:
                raise NotPossible(f"{self} has no {permission.name} in {channel}")

    def _must_in_guild(self, permission: Permission) -> None:
        if not self.permissions & permission:
            raise NotPossible(f"{self} has no {permission.name} in {self.guild}")

    @property
    def _world(self) -> "World":
        return self.guild.world
