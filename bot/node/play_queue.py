"""What a player will send next: made by decode workers, drawn by the sender thread.

The lock is held for moments only, never while something is computed. Frames are numbered by their
turn to be sent, so a worker that makes sound anew can say from which turn on it replaces what is
there; if the sender was faster, the first new frames are dropped instead of being sent late.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from bot.node.opus import FRAME_SECONDS
from bot.node.playback import Playback

FRAMES_AHEAD: Final = 50
"""How many frames are made before their time: one second."""
_REFILL_BELOW: Final = 40


class MadeFrame(NamedTuple):
    """20 ms of sound, ready to be sent."""

    data: bytes
    playback: Playback
    position: float
    """Seconds in the track at which its sound begins."""
    advance: float
    """Seconds of the track that it covers; 0.02 at normal speed."""
    gain: float
    """The volume's factor at its beginning."""


class Upcoming(NamedTuple):
    """The frames that wait, and the turn of the first one."""

    turn: int
    frames: tuple[MadeFrame, ...]


class QueueListener(Protocol):
    """Who is told of what happens while frames are drawn; called on the sender thread."""

    def on_low(self, seconds_left: float) -> None:
        """More frames are wanted."""

    def on_passed(self, ended: Playback | None, started: Playback | None) -> None:
        """The last frame of `ended` was sent; the first one of `started` is being sent."""


class PlayQueue:
    """One player's frames; `pop` and `idle` are what the sender thread sees."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._frames: deque[MadeFrame] = deque()
        self._turn = 0
        self._current: Playback | None = None
        self._finished = False
        self._expecting = False
        self._position = 0.0
        self._paused = False
        self._asked = False
        self._starved_since: float | None = None
        self._listener: QueueListener | None = None

    def listen(self, listener: QueueListener) -> None:
        """Tell `listener` from now on."""
        self._listener = listener

    # ── sender thread ───────────────────────────────────────────────────────
    @property
    def idle(self) -> bool:
        """Whether nothing is meant to be heard."""
        return self._paused or (self._current is None and not self._expecting)

    def pop(self) -> bytes | None:
        """Take the next frame off; None: paused, ended, or not made yet."""
        ended: Playback | None = None
        started: Playback | None = None
        with self._lock:
            if self._paused:
                return None
            frame = self._frames.popleft() if self._frames else None
            if frame is not None:
                self._turn += 1
                self._starved_since = None
                self._position = frame.position + frame.advance
                if frame.playback is not self._current:
                    ended, started = self._current, frame.playback
                    self._current = started
            elif self._finished:
                ended, self._current, self._finished = self._current, None, False
            elif self._current is not None and self._starved_since is None:
                self._starved_since = self._monotonic()
            left = len(self._frames)
            low = left < _REFILL_BELOW and not (self._asked or self._finished)
            self._asked = self._asked or low
        if (listener := self._listener) is not None:
            if low and self._current is not None:
                listener.on_low(left * FRAME_SECONDS)
            if ended is not None or started is not None:
                listener.on_passed(ended, started)
        return None if frame is None else frame.data

    # ── what the player asks ────────────────────────────────────────────────
    @property
    def current(self) -> Playback | None:
        """The playback whose frame was sent last, or will be sent first."""
        return self._current

    @property
    def position(self) -> float:
        """Seconds in the current track up to which its sound has been sent."""
        return self._position

    @property
    def paused(self) -> bool:
        """Whether nothing is taken off although there may be frames."""
        return self._paused

    @paused.setter
    def paused(self, value: bool) -> None:
        with self._lock:
            self._paused = value
            self._starved_since = None

    def expect(self, *, expecting: bool = True) -> None:
        """Say whether a first frame is being made."""
        self._expecting = expecting

    def starved_seconds(self) -> float:
        """Return for how long frames have been missing; 0 while they flow."""
        since = self._starved_since
        return 0.0 if since is None else self._monotonic() - since

    # ── decode workers ──────────────────────────────────────────────────────
    @property
    def waiting(self) -> int:
        """How many frames are ready."""
        return len(self._frames)

    @property
    def wanted(self) -> int:
        """How many frames are missing to be far enough ahead."""
        return FRAMES_AHEAD - len(self._frames)

    def upcoming(self) -> Upcoming:
        """Return what waits right now."""
        with self._lock:
            return Upcoming(self._turn, tuple(self._frames))

    def append(self, frame: MadeFrame) -> None:
        """Add a frame at the end; nothing is added to a queue that was cleared."""
        with self._lock:
            if self._current is not None:
                self._frames.append(frame)
            self._asked = False

    def replace_from(
        self, turn: int, frames: Sequence[MadeFrame], *, current: Playback | None
    ) -> bool:
        """Put `frames` in place of all that waits from number `turn` on.

        False: `current` is not the current playback any more, and nothing was changed.
        """
        with self._lock:
            if self._current is None or self._current is not current:
                return False
            kept = turn - self._turn
            while len(self._frames) > max(0, kept):
                self._frames.pop()
            self._frames.extend(frames[max(0, -kept) :])
            self._finished = self._asked = False
            return True

    def start(
        self, playback: Playback, frames: Sequence[MadeFrame], *, position: float, paused: bool
    ) -> None:
        """Make `playback` the current one and send `frames` next."""
        with self._lock:
            self._frames.clear()
            self._frames.extend(frames)
            self._current, self._position, self._paused = playback, position, paused
            self._finished = self._asked = self._expecting = False
            self._starved_since = None

    def move(self, playback: Playback, frames: Sequence[MadeFrame], *, position: float) -> bool:
        """Go on at another position; False: `playback` is not the current one any more."""
        with self._lock:
            if self._current is not playback:
                return False
            self._frames.clear()
            self._frames.extend(frames)
            self._position = position
            self._finished = self._asked = False
            return True

    def keep_only(self, playback: Playback) -> bool:
        """Drop what waits of other playbacks; False: `playback` is not the current one (any more).

        Its end is not reached until `finish` is called again.
        """
        with self._lock:
            if self._current is not playback:
                return False
            while self._frames and self._frames[-1].playback is not playback:
                self._frames.pop()
            self._finished = False
            return True

    def finish(self) -> None:
        """Say that nothing follows: the current playback ends with its last frame."""
        with self._lock:
            self._finished = self._current is not None

    def clear(self) -> None:
        """Have nothing to send."""
        with self._lock:
            self._frames.clear()
            self._current, self._position = None, 0.0
            self._finished = self._asked = self._expecting = False
            self._starved_since = None
