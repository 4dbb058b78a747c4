"""Where gatherings are seen and act: their messages on Discord, their voice channels."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from itertools import batched
from zoneinfo import ZoneInfo

from bot.kit.outbox import Enclosure, Outbox, Undelivered
from bot.kit.replies import Reply
from cogs.gather.board import MENTIONS_IN_MESSAGE, Board, nonce_of, ping
from cogs.gather.presenter import (
    attendance_file,
    cannot_disconnect,
    closing_card,
    mentions,
    quorum_reached,
    substitute_wanted,
)
from cogs.gather.rooms import Rooms
from services.background import BackgroundTasks
from services.gather.gathering import Gathering, Notice
from services.gather.session import Ending

_log = logging.getLogger(__name__)

_LAST_EDIT_SECONDS = 60.0
"""How long the closing card waits for the last state of the message to land."""


class DiscordStage:
    """The stage of all gatherings (`services.gather.ports.GatherStage`)."""

    def __init__(
        self,
        *,
        board: Board,
        rooms: Rooms,
        outbox: Outbox,
        zone_of: Callable[[int], ZoneInfo],
    ) -> None:
        self._board = board
        self._rooms = rooms
        self._outbox = outbox
        self._zone_of = zone_of
        self._tasks = BackgroundTasks("gather stage")

    def name_of(self, guild_id: int, user_id: int) -> str | None:
        """Return what the member is called in the guild (see `GatherStage`)."""
        return self._rooms.name_of(guild_id, user_id)

    def show(self, gathering: Gathering, *, on_post: Callable[[int], None]) -> None:
        """Make this the state that members will see (see `GatherStage`)."""
        self._board.show(gathering, on_post=on_post)

    async def post(self, gathering: Gathering, notice: Notice) -> None:
        """Send an owed message (see `GatherStage`)."""
        match notice:
            case Notice.QUORUM:
                await self._say(gathering, notice, quorum_reached(gathering))
            case Notice.CANNOT_DISCONNECT:
                await self._say(gathering, notice, cannot_disconnect(gathering))
            case Notice.SUBSTITUTE:
                await self._say(gathering, notice, substitute_wanted(gathering))
            case Notice.FAREWELL:
                await self._say_farewell(gathering)

    async def ghost_ping(self, gathering: Gathering, user_ids: Sequence[int]) -> tuple[int, ...]:
        """Mention members (see `GatherStage`); in a busy channel not at all."""
        due = int(gathering.ping.due.timestamp()) if gathering.ping else 0
        posted: list[int] = []
        for number, some in enumerate(batched(user_ids, MENTIONS_IN_MESSAGE) if user_ids else [()]):
            nonce = nonce_of(gathering, f"ping {due}", number)
            body = ping(mentions(some) or "👋", some)
            try:
                posted.append(
                    await self._outbox.post(
                        gathering.text_channel_id, body, passing=True, nonce=nonce
                    )
                )
            except Undelivered as error:
                _log.info("a ghost ping was not sent: %s", error)
        return tuple(posted)

    async def delete_pings(
        self, gathering: Gathering, message_ids: Sequence[int]
    ) -> tuple[int, ...]:
        """Delete ghost pings (see `GatherStage`)."""
        channel_id = gathering.text_channel_id
        gone = await asyncio.gather(*(self._deleted(channel_id, each) for each in message_ids))
        return tuple(each for each, deleted in zip(message_ids, gone, strict=True) if not deleted)

    async def disconnect(self, gathering: Gathering, user_id: int) -> None:
        """Take a member out of the voice channel (see `GatherStage`)."""
        await self._rooms.disconnect(gathering.guild_id, gathering.voice_channel_id, user_id)

    def forget(self, gathering: Gathering) -> None:
        """Drop what is remembered of a gathering that is done (see `GatherStage`)."""
        self._tasks.start(self._board.forget(gathering), name="forget")

    async def close(self) -> None:
        """Stop editing messages."""
        await self._tasks.close()
        await self._board.close()

    async def _say_farewell(self, gathering: Gathering) -> None:
        try:
            async with asyncio.timeout(_LAST_EDIT_SECONDS):
                await self._board.settled(gathering)
        except TimeoutError:
            _log.warning("the end of a gathering in guild %d is not shown", gathering.guild_id)
        session = gathering.session
        if session.attendees and session.ending is not Ending.CANCELLED:
            reply = closing_card(gathering, zone=self._zone_of(gathering.guild_id))
            await self._say(gathering, Notice.FAREWELL, reply, files=(attendance_file(gathering),))

    async def _say(
        self,
        gathering: Gathering,
        notice: Notice,
        reply: Reply,
        *,
        files: Sequence[Enclosure] = (),
    ) -> None:
        body = reply.body()
        if notice is Notice.SUBSTITUTE:
            roles = [str(role_id) for role_id in sorted(gathering.session.role_ids)]
            body["allowed_mentions"]["roles"] = roles
        nonce = nonce_of(gathering, notice.value)
        try:
            await self._outbox.post(gathering.text_channel_id, body, nonce=nonce, files=files)
        except Undelivered as error:
            _log.warning("%r was not shown: %s", reply.title, error)

    async def _deleted(self, channel_id: int, message_id: int) -> bool:
        try:
            await self._outbox.delete(channel_id, message_id)
        except Undelivered as error:
            _log.warning("a ghost ping was left standing: %s", error)
            return False
        return True
