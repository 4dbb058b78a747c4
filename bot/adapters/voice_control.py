"""The bot's own place in voice channels.

Discord does not answer at all when the bot may not join or the channel is full, so whatever can be
known is looked at first; only then silence means that Discord has a reason that we cannot see.
"""

import asyncio
import contextlib
import logging
from typing import Any, Protocol, runtime_checkable

import nextcord

from services.audio.errors import NodeUnavailable, VoiceJoinRefused

_log = logging.getLogger(__name__)

_JOIN_SECONDS = 8.0


@runtime_checkable
class VoicePlace(Protocol):
    """The voice client that audio nodes speak through."""

    async def move_to(self, channel: Any) -> None:
        """Go to another channel of the guild."""

    async def ensure_node(self) -> None:
        """See to it that a node that works has the connection."""

    async def disconnect(self, *, force: bool) -> None:
        """Leave."""


class Nodes(Protocol):
    """The audio nodes that speak in voice channels."""

    @property
    def available(self) -> bool:
        """Whether any can be used."""

    async def wait_until_available(self) -> None:
        """Wait a moment for one; raises `NodeUnavailable`."""

    def make_voice(self, client: nextcord.Client, channel: Any) -> Any:
        """Make nextcord's voice client."""


class NextcordVoice:
    """Joins, moves and leaves through nextcord."""

    def __init__(self, client: nextcord.Client, nodes: Nodes) -> None:
        self._client = client
        self._nodes = nodes

    async def connect(self, guild_id: int, channel_id: int) -> None:
        """Join, or move to, the channel; return once sound can be sent."""
        guild = self._client.get_guild(guild_id)
        channel = None if guild is None else guild.get_channel(channel_id)
        if guild is None or channel is None:
            raise VoiceJoinRefused("That voice channel does not exist any more.")
        if not isinstance(channel, nextcord.VoiceChannel):
            raise VoiceJoinRefused(f"I can only play in voice channels, not in {channel.mention}.")
        _check_may_join(channel)
        await self._nodes.wait_until_available()
        try:
            await self._arrive(guild, channel)
        except NodeUnavailable:
            if self._nodes.available:
                raise
            await self._nodes.wait_until_available()  # it died just now
            await self._arrive(guild, channel)
        if guild.me.voice is not None and guild.me.voice.suppress:
            await self.disconnect(guild_id)
            raise VoiceJoinRefused(f"I am not allowed to speak in {channel.mention}.")

    async def _arrive(self, guild: nextcord.Guild, channel: nextcord.VoiceChannel) -> None:
        place: Any = guild.voice_client
        try:
            if not isinstance(place, VoicePlace):
                await self._join(guild, channel)
            elif _is_in(channel):
                await place.ensure_node()
            else:
                await place.move_to(channel)
        except TimeoutError:
            raise VoiceJoinRefused(
                f"Discord did not let me into {channel.mention}. Try again in a moment."
            ) from None

    async def _join(self, guild: nextcord.Guild, channel: nextcord.VoiceChannel) -> None:
        if guild.voice_client is not None:
            await guild.voice_client.disconnect(force=True)
        try:
            await channel.connect(cls=self._nodes.make_voice, timeout=_JOIN_SECONDS)
        except BaseException:
            # half-made, it would make every later join say "already connected"
            await self.disconnect(guild.id)
            raise

    async def disconnect(self, guild_id: int) -> None:
        """Leave; nothing happens where the bot is in no channel."""
        guild = self._client.get_guild(guild_id)
        if guild is None or guild.voice_client is None:
            return
        with contextlib.suppress(asyncio.TimeoutError):
            await guild.voice_client.disconnect(force=True)

    def channel_of(self, guild_id: int) -> int | None:
        """Return the voice channel that the bot is in."""
        channel = self._channel(guild_id)
        return None if channel is None else channel.id

    def listeners_in(self, guild_id: int) -> int:
        """Count the people (no bots) who share the bot's channel."""
        channel = self._channel(guild_id)
        if channel is None:
            return 0
        people = (channel.guild.get_member(user_id) for user_id in channel.voice_states)
        # somebody who is not known (yet) may be a person: rather stay than leave them alone
        return sum(1 for person in people if person is None or not person.bot)

    def _channel(self, guild_id: int) -> nextcord.VoiceChannel | None:
        guild = self._client.get_guild(guild_id)
        # Discord still shows the place of an earlier process; it is ours when we have a client
        if guild is None or guild.voice_client is None or guild.me.voice is None:
            return None
        channel = guild.me.voice.channel
        return channel if isinstance(channel, nextcord.VoiceChannel) else None


def _is_in(channel: nextcord.VoiceChannel) -> bool:
    return channel.guild.me.id in channel.voice_states


def _check_may_join(channel: nextcord.VoiceChannel) -> None:
    permissions = channel.permissions_for(channel.guild.me)
    if not permissions.view_channel:
        raise VoiceJoinRefused("I cannot see your voice channel: I need *View Channel* there.")
    if not permissions.connect:
        raise VoiceJoinRefused(f"I may not join {channel.mention}: I need *Connect* there.")
    if not permissions.speak:
        raise VoiceJoinRefused(f"I may not speak in {channel.mention}: I need *Speak* there.")
    inside = len(channel.voice_states)
    is_full = 0 < channel.user_limit <= inside
    if is_full and not permissions.move_members and not _is_in(channel):
        raise VoiceJoinRefused(f"{channel.mention} is full.")
