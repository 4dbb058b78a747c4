"""Ends a track whose length nobody knew, once it has played for longer than tracks may last.

An endless stream that does not say so looks like any other file until then.
"""

from collections.abc import Awaitable, Callable

from services.audio.countdown import Countdown
from services.audio.limits import TrackLimits
from services.audio.playback import Playback
from services.audio.track_queue import TrackQueue
from services.background import BackgroundTasks
from services.clock import Clock

_SHORTEST_SECONDS = 5.0
"""A paused track is looked at again so often at most."""


class PlayingTime:
    """The limit on one guild's current track; `post` runs an action under the guild's lock."""

    def __init__(
        self,
        limits: TrackLimits,
        queue: TrackQueue,
        playback: Playback,
        *,
        post: Callable[[Callable[[], Awaitable[None]]], None],
        clock: Clock,
        tasks: BackgroundTasks,
    ) -> None:
        self._limits = limits
        self._queue = queue
        self._playback = playback
        self._post = post
        self._clock = clock
        self._tasks = tasks
        self._countdown: Countdown | None = None

    def watch(self) -> None:
        """Take note that the current track has (again) started to sound."""
        self.cancel()
        current = self._queue.current
        if current is None or current.track.duration_ms is not None:
            return
        left = (self._limits.max_ms - self._playback.position_ms) / 1000
        self._countdown = Countdown(
            max(left, _SHORTEST_SECONDS),
            lambda: self._post(self._look),
            clock=self._clock,
            tasks=self._tasks,
        )
        self._countdown.start()

    def cancel(self) -> None:
        """Watch nothing."""
        if self._countdown is not None:
            self._countdown.cancel()
            self._countdown = None

    async def _look(self) -> None:
        current = self._queue.current
        if current is None or current.track.duration_ms is not None or not self._playback.sounding:
            return
        if self._playback.position_ms < self._limits.max_ms:
            self.watch()  # it was paused, or sought back
        elif self._playback.give_up(current, self._limits.overlong):
            await self._playback.silence()
        else:
            await self._playback.advance()
