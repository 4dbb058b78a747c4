"""`history`: what was played last, with a button for each track to queue it again."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from bot.kit import track_text
from bot.kit.answer_place import ClickedPlace
from bot.kit.clicks.click import Click
from bot.kit.clicks.components import Style, button, rows_of
from bot.kit.clicks.custom_id import custom_id, values_of
from bot.kit.clicks.stream import ClickStream, StreamClosed
from bot.kit.dual_command import CommandSpec, command
from bot.kit.error_boundary import report
from bot.kit.invocation import Invocation
from bot.kit.outbox import Undelivered
from bot.kit.paging import StreamSource
from bot.kit.posted import Posted
from bot.kit.replies import Reply, empty, info, refused
from bot.kit.voice_places import VoicePlaces, clicker_in_voice
from services.audio.player_service import PlayerService
from services.audio.track import Track
from services.background import BackgroundTasks
from services.errors import Refusal, UserError

_log = logging.getLogger(__name__)

type AddTrack = Callable[[Invocation, Track], Awaitable[None]]
"""Joins the author, adds the track to the end of the queue and says so."""

_SHOWN = 10
_SECONDS = 120
_LINE = 280
_PREFIX = "history:again"
_SPEC = CommandSpec(
    name="history",
    summary="Show what was played last, to queue it again",
    aliases=("recent",),
)


class History:
    """Shows the history and queues from it."""

    def __init__(
        self,
        player: PlayerService,
        clicks: StreamSource,
        *,
        places: VoicePlaces,
        add: AddTrack,
    ) -> None:
        self._player = player
        self._clicks = clicks
        self._places = places
        self._add = add
        self._tasks = BackgroundTasks("history")

    @command(_SPEC)
    async def history(self, call: Invocation) -> Reply | None:
        """Show the last ten tracks; a click queues one again, for two minutes."""
        tracks = await self._player.history(call.guild_id, limit=_SHOWN)
        if not tracks:
            return empty("🕳️ No history yet", "Nothing was played here so far.")
        posted = await call.reply(listing(tracks))
        if posted.message_id is not None:
            stream = self._clicks.open(posted.message_id, owner_id=call.author.id)
            self._tasks.start(self._serve(call, stream, posted, tracks), name="serve")
        return None

    async def close(self) -> None:
        """Stop serving; the messages stay as they are."""
        await self._tasks.close()

    async def _serve(
        self, call: Invocation, stream: ClickStream, posted: Posted, tracks: Sequence[Track]
    ) -> None:
        async with stream:
            while not posted.gone:
                try:
                    click = await stream.next_within(_SECONDS)
                except StreamClosed:
                    break
                if click is None:
                    break
                posted.through(partial(ClickedPlace, click.answer))
                await self._queue_again(call, click, tracks)
        await posted.remove()

    async def _queue_again(self, call: Invocation, click: Click, tracks: Sequence[Track]) -> None:
        try:
            clicker_in_voice(self._places, click)
        except Refusal as error:
            await _tell(click, error.sentence)
            return
        (index,) = values_of(click.custom_id, _PREFIX)
        track = replace(tracks[int(index)], requested_by=click.user_id)
        own = self._as_now(call, click)
        try:
            await self._add(own, track)
        except UserError as error:
            report(error, own, _SPEC)

    def _as_now(self, call: Invocation, click: Click) -> Invocation:
        """Return the command as if it were given now, with an answer of its own."""
        channel_id = self._places.channel_of(call.guild_id, click.user_id)
        return replace(
            call,
            author=replace(call.author, voice_channel_id=channel_id),
            bot_voice_channel_id=self._places.own_channel(call.guild_id),
            received_at=click.received_at,
            answer=call.another(),
        )


async def _tell(click: Click, sentence: str) -> None:
    reply = refused("⛔ That cannot be done", sentence)
    try:
        await click.answer.follow_up(reply.body(), private=True)
    except Undelivered as error:
        _log.info("a member was not told what came of a click: %s", error)


def listing(tracks: Sequence[Track]) -> Reply:
    """Show the tracks, the newest first, each with its button."""
    lines = [
        f"`{number}.` {track_text.line(track, _LINE)}"
        for number, track in enumerate(tracks, start=1)
    ]
    buttons = [
        button(custom_id(_PREFIX, index), str(index + 1), style=Style.PRIMARY)
        for index in range(len(tracks))
    ]
    footer = "Press a number to queue that track again"
    return info(
        "🕘 Played last", "\n".join(lines), footer=footer, rows=rows_of(buttons), stays=True
    )
