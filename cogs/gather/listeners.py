"""What happens in guilds around gatherings: channels changed, members and messages gone.

Each listener does its part before it first waits, so that what happens is in the gathering's inbox
in the order in which the gateway told it.
"""

import logging
from collections.abc import Callable, Coroutine
from itertools import batched
from typing import Any

import nextcord

from cogs.gather.board import Board
from cogs.gather.rooms import Rooms
from services.gather.events import ChannelGone, MemberGone
from services.gather.gather_service import GatherService
from services.gather.gathering import Gathering

_log = logging.getLogger(__name__)

_ASKED_AT_ONCE = 100  # Discord, "Request Guild Members"

type Listener = Callable[..., Coroutine[Any, Any, None]]


class GatherListeners:
    """Tells gatherings what the gateway says; methods are called like nextcord's events."""

    def __init__(self, service: GatherService, *, rooms: Rooms, board: Board) -> None:
        self._service = service
        self._rooms = rooms
        self._board = board

    def all(self) -> tuple[Listener, ...]:
        """Return the listeners, to be added to the client."""
        return (
            self.on_voice_state_update,
            self.on_guild_available,
            self.on_guild_remove,
            self.on_guild_channel_delete,
            self.on_raw_member_remove,
            self.on_raw_message_delete,
            self.on_raw_bulk_message_delete,
        )

    async def on_voice_state_update(
        self, member: nextcord.Member, before: nextcord.VoiceState, after: nextcord.VoiceState
    ) -> None:
        """Note a change of channel; a mute, a deafen or a stream is none."""
        left, joined = (state.channel.id if state.channel else None for state in (before, after))
        if left != joined and not member.bot:
            self._service.changed_channel(member.guild.id, member.id, left=left, joined=joined)

    async def on_guild_available(self, guild: nextcord.Guild) -> None:
        """Go on after a restart, a new gateway session, or an outage."""
        self._service.came_back(guild.id, self._present)
        gathering = self._service.find(guild.id)
        missing = gathering.session.missing if gathering is not None else ()
        for some in batched(missing, _ASKED_AT_ONCE):
            try:
                gone = await self._rooms.gone_among(guild.id, some)
            except TimeoutError:
                _log.warning("guild %d did not say who left it", guild.id)
                return
            for user_id in gone:
                self._service.happened(guild.id, MemberGone(user_id))

    async def on_guild_remove(self, guild: nextcord.Guild) -> None:
        """End what the bot cannot see any more."""
        self._service.happened(guild.id, ChannelGone())

    async def on_guild_channel_delete(self, channel: nextcord.abc.GuildChannel) -> None:
        """End a gathering that lost its voice channel or the place of its messages."""
        self._service.happened(
            channel.guild.id,
            ChannelGone(),
            where=lambda g: channel.id in (g.voice_channel_id, g.text_channel_id),
        )

    async def on_raw_member_remove(self, event: nextcord.RawMemberRemoveEvent) -> None:
        """Stop waiting for a member who left the server."""
        self._service.happened(event.guild_id, MemberGone(event.user.id))

    async def on_raw_message_delete(self, event: nextcord.RawMessageDeleteEvent) -> None:
        """Post a gathering's message anew."""
        self._board.deleted((event.message_id,))

    async def on_raw_bulk_message_delete(self, event: nextcord.RawBulkMessageDeleteEvent) -> None:
        """Post a gathering's message anew."""
        self._board.deleted(event.message_ids)

    def _present(self, gathering: Gathering) -> frozenset[int] | None:
        return self._rooms.people_in(gathering.guild_id, gathering.voice_channel_id)
