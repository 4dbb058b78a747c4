"""One guild's player: what the protocol says of it, and in which order its events come.

Lives on the event loop. Sound is made by a `FrameMaker` on decode workers and drawn from a
`PlayQueue` by the sender thread; both tell the loop what happened, and only here it becomes an
event. A playback gets exactly one TrackStart and one TrackEnd, whatever happens at the same time:
the reports are compared with what is current by identity, and late ones are ignored.

A new track is opened and its first frame is made before the old one is let go. So a track that
cannot be played changes nothing, and its request is answered 400.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.node.encoded_track import SOURCE_NAME
from bot.node.filters import NEUTRAL
from bot.node.frames import FrameMaker
from bot.node.http_media import HttpMedia, MediaUnreadable
from bot.node.line import Sound
from bot.node.opening import Loading, open_media
from bot.node.play_queue import PlayQueue
from bot.node.playback import Playback
from bot.node.protocol import (
    EndReason,
    FilterWish,
    PlayerPatch,
    RequestRefused,
    StopWish,
    TrackWish,
    describe,
    exception_payload,
    now_ms,
    track_payload,
)
from bot.node.sender import Sender
from bot.node.voice_seat import VoiceSeat
from bot.node.workers import DecodeWorkers

_log = logging.getLogger(__name__)

_PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Engine:
    """The threads that all players share."""

    readers: Executor
    workers: DecodeWorkers
    sender: Sender
    stuck_seconds: float = 10.0


class Player:
    """A guild's player.

    Args:
        guild_id: whose it is.
        user_id: the bot's own id, for voice.
        engine: the threads to use.
        emit: takes each event, in order.
        report: called when the player's state has changed by a jump.
    """

    def __init__(
        self,
        guild_id: int,
        user_id: int,
        *,
        engine: Engine,
        emit: Callable[[dict[str, Any]], None],
        report: Callable[[], None],
    ) -> None:
        self.guild_id = guild_id
        self._engine = engine
        self._emit = emit
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._queue = PlayQueue()
        self._maker = FrameMaker(self._queue, engine.workers, self)
        self._queue.listen(self)
        self._voice = VoiceSeat(
            guild_id, user_id, frames=self._queue, sender=engine.sender, on_closed=self._voice_lost
        )
        self._volume = _PERCENT
        self._filters = FilterWish({}, NEUTRAL)
        self._current: Playback | None = None
        self._next: Playback | None = None
        self._next_wish: TrackWish | None = None
        self._loading: Loading | None = None
        self._sought: float | None = None
        self._told_stuck = False

    # ── what is shown ───────────────────────────────────────────────────────
    @property
    def playing(self) -> bool:
        """Whether a track is there and not paused."""
        return self._current is not None and not self._queue.paused

    @property
    def has_track(self) -> bool:
        """Whether a track is there."""
        return self._current is not None

    def state(self) -> dict[str, Any]:
        """Return the protocol's Player State."""
        return {
            "time": now_ms(),
            "position": self._position_ms(),
            "connected": self._voice.connected,
            "ping": self._voice.ping_ms,
        }

    def payload(self) -> dict[str, Any]:
        """Return the protocol's Player."""
        return {
            "guildId": str(self.guild_id),
            "track": None if self._current is None else self._track(self._current, live=True),
            "volume": self._volume,
            "paused": self._queue.paused,
            "state": self.state(),
            "voice": self._voice.payload(),
            "filters": self._filters.payload,
        }

    def _position_ms(self) -> int:
        current = self._current
        if current is None:
            return 0
        position = self._queue.position if self._sought is None else self._sought
        return max(0, min(round(position * 1000), current.info.length))

    def _track(self, playback: Playback, *, live: bool = False) -> dict[str, Any]:
        position = self._position_ms() if live else None
        return track_payload(playback.info, playback.user_data, position=position)

    # ── requests ────────────────────────────────────────────────────────────
    async def update(self, patch: PlayerPatch, *, no_replace: bool) -> None:
        """Carry an Update Player request out.

        Raises:
            RequestRefused: the track cannot be played, or voice cannot be had.
        """
        voice = self._voice.update(patch.voice) if patch.voice is not None else None
        keeps_track = no_replace and self._current is not None
        if isinstance(patch.track, TrackWish) and not keeps_track:
            work = self._play(patch.track, patch)
            await (work if voice is None else _both(voice, work))
            return
        if isinstance(patch.track, StopWish) and not keeps_track:
            self._stop()
            patch = replace(patch, paused=bool(patch.paused))
        if isinstance(patch.track, TrackWish):  # the rest of the request was meant for that track
            patch = PlayerPatch(volume=patch.volume, filters=patch.filters)
        self._apply(patch)
        if voice is not None:
            await voice
            self._report()

    async def set_next(self, wish: TrackWish | None) -> None:
        """Open what is to follow the current track without a gap; None: nothing.

        Raises:
            RequestRefused: it cannot be played, or nothing plays.
        """
        if wish is None:
            self._next_wish = None
            self._forget_next()
            self._maker.set_next(None)
            return
        current = self._current
        if current is None:
            raise RequestRefused("nothing is playing that could be followed")
        self._next_wish = wish
        playback = await self._open(wish, start=0.0)
        if self._current is not current or self._next_wish is not wish:
            playback.source.close()
            raise RequestRefused("the track that was to be followed has ended")
        self._forget_next()
        self._next = playback
        self._maker.set_next(playback)

    async def destroy(self, reason: EndReason) -> None:
        """End everything, with a last event for the current track."""
        self._stop(reason)
        self._maker.close()
        await self._voice.close()

    def tick(self) -> None:
        """Look after what should be moving; called about every second."""
        starved = self._queue.starved_seconds()
        if starved > 0:  # clients count on between reports, and sound does not go on
            self._report()
        if starved < self._engine.stuck_seconds:
            self._told_stuck = self._told_stuck and starved > 0
        elif not self._told_stuck and self._current is not None:
            self._told_stuck = True
            threshold = round(self._engine.stuck_seconds * 1000)
            self._event("TrackStuckEvent", self._current, thresholdMs=threshold)

    def _apply(self, patch: PlayerPatch) -> None:
        jumped = False
        if patch.volume is not None or patch.filters is not None:
            self._set_sound(patch)
            self._maker.set_sound(self._sound())
        current = self._current
        if current is not None:
            if patch.user_data is not None:
                current.user_data = patch.user_data
            if patch.sets_end:
                self._maker.set_end(current, _seconds(patch.end_ms))
            if patch.position_ms is not None and current.info.is_seekable:
                self._seek(current, patch.position_ms / 1000)
        if patch.paused is not None and patch.paused != self._queue.paused:
            self._queue.paused = patch.paused
            jumped = True
        if jumped:
            self._report()

    def _set_sound(self, patch: PlayerPatch) -> None:
        if patch.volume is not None:
            self._volume = patch.volume
        if patch.filters is not None:
            self._filters = patch.filters

    def _sound(self) -> Sound:
        return Sound(self._volume / _PERCENT, self._filters.filters)

    def _seek(self, current: Playback, position: float) -> None:
        if current.info.length >= 0:
            position = min(position, current.info.length / 1000)
        self._sought = position
        self._maker.seek(current, position)

    # ── playing ─────────────────────────────────────────────────────────────
    async def _play(self, wish: TrackWish, patch: PlayerPatch) -> None:
        start = (patch.position_ms or 0) / 1000
        if patch.position_ms is None and wish.info is not None:
            start = wish.info.position / 1000
        if self._loading is not None:
            self._loading.cancel()
        loading = self._loading = Loading(self._loop.create_future())
        self._queue.expect()
        try:
            playback = self._take_prepared(wish, start, patch)
            if playback is None:
                playback = await self._open(wish, start=start, loading=loading)
            if self._loading is not loading:
                playback.source.close()
                return
            playback.end = _seconds(patch.end_ms)
            self._set_sound(patch)
            loading.playback = playback
            self._maker.load(playback, self._sound(), paused=bool(patch.paused))
            await loading.started
        except RequestRefused:
            if self._loading is loading:  # else another request was faster, and speaks for both
                raise
        finally:
            if self._loading is loading:
                self._loading = None
                self._queue.expect(expecting=False)

    def _take_prepared(self, wish: TrackWish, start: float, patch: PlayerPatch) -> Playback | None:
        """Use what was opened to follow, if that is now to be played at once."""
        prepared = self._next
        if prepared is None or prepared.info.identifier != wish.link or start or patch.end_ms:
            return None
        if prepared.source.failure is not None:
            return None
        self._next = None
        return Playback(prepared.source, prepared.info, wish.user_data or prepared.user_data)

    async def _open(
        self, wish: TrackWish, *, start: float, loading: Loading | None = None
    ) -> Playback:
        """Open a track in a reader thread.

        Raises:
            RequestRefused: it cannot be played.
        """
        if wish.info is not None and wish.info.source_name != SOURCE_NAME:
            raise RequestRefused("this node plays http and https links only")
        try:
            media = HttpMedia(wish.link)
            if loading is not None:
                loading.media = media
            source = await open_media(media, readers=self._engine.readers, start=start)
        except MediaUnreadable as error:
            raise RequestRefused(f"The track cannot be played: {error}") from error
        info = describe(wish.link, source.info)
        if wish.info is not None:
            info = replace(wish.info, is_seekable=info.is_seekable, length=info.length)
        start = start if info.is_seekable or not info.is_stream else 0.0
        return Playback(source, info, dict(wish.user_data), start=start)

    def _stop(self, reason: EndReason = "stopped") -> None:
        if self._loading is not None:
            self._loading.cancel()
            self._loading = None
        self._queue.clear()
        self._maker.clear()
        self._forget_next()
        if self._current is not None:
            self._end(self._current, reason)

    def _forget_next(self) -> None:
        prepared, self._next = self._next, None
        if prepared is not None:
            prepared.source.close()

    # ── events ──────────────────────────────────────────────────────────────
    def _end(self, playback: Playback, reason: EndReason) -> None:
        if reason == "finished" and playback.failure is not None:
            self._report()  # where it broke
        self._current, self._sought, self._told_stuck = None, None, False
        if reason == "finished" and playback.failure is not None:
            self._event(
                "TrackExceptionEvent", playback, exception=exception_payload(playback.failure)
            )
            reason = "loadFailed"
        self._event("TrackEndEvent", playback, reason=reason)
        playback.source.close()

    def _begin(self, playback: Playback) -> None:
        self._current, self._sought = playback, None
        self._event("TrackStartEvent", playback)
        self._report()

    def _event(self, kind: str, playback: Playback, **fields: Any) -> None:
        self._emit(
            {
                "op": "event",
                "type": kind,
                "guildId": str(self.guild_id),
                "track": self._track(playback),
                **fields,
            }
        )

    def _voice_lost(self, code: int, reason: str, by_remote: bool) -> None:  # noqa: FBT001 -- the voice connection's callback
        self._emit(
            {
                "op": "event",
                "type": "WebSocketClosedEvent",
                "guildId": str(self.guild_id),
                "code": code,
                "reason": reason,
                "byRemote": by_remote,
            }
        )
        self._report()

    # ── reports from other threads ──────────────────────────────────────────
    def on_low(self, seconds_left: float) -> None:
        """Have more frames made."""
        self._maker.wake(due=time.monotonic() + seconds_left)

    def on_passed(self, ended: Playback | None, started: Playback | None) -> None:
        """Note a change of track in what is sent."""
        self._to_loop(self._passed, ended, started)

    def on_started(self, playback: Playback) -> None:
        """Note that a loaded track begins."""
        self._to_loop(self._started, playback)

    def on_moved(self, playback: Playback) -> None:
        """Note that a position that was sought is reached."""
        self._to_loop(self._moved, playback)

    def _to_loop(self, callback: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the node ends
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _started(self, playback: Playback) -> None:
        loading = self._loading
        if loading is None or loading.playback is not playback:
            playback.source.close()
            return
        self._forget_next()
        if self._current is not None:
            self._end(self._current, "replaced")
        self._begin(playback)
        if not loading.started.done():
            loading.started.set_result(None)

    def _passed(self, ended: Playback | None, started: Playback | None) -> None:
        if ended is not None and ended is self._current:
            self._end(ended, "finished")
        if started is None:
            return
        if started is self._next:
            self._next = None
            self._begin(started)
        elif started is not self._current:  # it was taken back while it began
            self._maker.drop(started)

    def _moved(self, playback: Playback) -> None:
        if playback is self._current:
            self._sought = None
            self._report()


async def _both(first: Any, second: Any) -> None:
    """Do two things at once, finish both, and raise the first failure."""
    for outcome in await asyncio.gather(first, second, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
