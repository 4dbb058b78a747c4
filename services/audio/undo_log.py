"""What members may take back for a minute: the newest changes of one guild's queue.

In memory alone: after a restart nothing can be undone. A change holds what it took out of the queue
(nothing is copied for that), so an undo costs only what it brings back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from services.audio.countdown import Countdown
from services.audio.placed_tracks import DroppedTracks, QueueOrder, in_slices
from services.audio.player_state import QueuedTrack
from services.background import BackgroundTasks
from services.clock import Clock

UNDO_SECONDS = 60
_MOST = 20
"""So many changes are kept; one that is older than these is not missed."""


@dataclass(frozen=True, slots=True)
class Removed:
    """Tracks were taken out of the queue."""

    dropped: DroppedTracks
    count: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A track was put to another place; `order_key` is its old one."""

    entry: QueuedTrack
    order_key: int


@dataclass(frozen=True, slots=True)
class Shuffled:
    """The queue was mixed; `order` is the old one."""

    order: QueueOrder


@dataclass(frozen=True, slots=True)
class Skipped:
    """A track was ended at `position_ms`, and those behind it were passed over."""

    entry: QueuedTrack
    position_ms: int
    passed: DroppedTracks = field(default_factory=DroppedTracks)


type Change = Removed | Moved | Shuffled | Skipped


class UndoLog:
    """The changes of one guild's queue that can be taken back."""

    def __init__(
        self, *, clock: Clock, tasks: BackgroundTasks, new_number: Callable[[], int]
    ) -> None:
        self._clock = clock
        self._tasks = tasks
        self._new_number = new_number
        self._changes: dict[int, tuple[float, Change]] = {}
        self._end = Countdown(UNDO_SECONDS, self.forget, clock=clock, tasks=tasks)

    def note(self, change: Change) -> int:
        """Keep a change for a minute; return the number under which it can be undone."""
        number = self._new_number()
        self._changes[number] = (self._clock.monotonic() + UNDO_SECONDS, change)
        if len(self._changes) > _MOST:
            self._free(self._changes.pop(next(iter(self._changes)))[1])
        self._end.start()
        return number

    def take(self, number: int | None = None) -> Change | None:
        """Give a change away, or the newest; None when it is too late, or was undone already."""
        if number is None:
            number = next(reversed(self._changes), 0)
        until, change = self._changes.pop(number, (0.0, None))
        if change is None or self._clock.monotonic() < until:
            return change
        self._free(change)
        return None

    def forget(self) -> None:
        """Let nothing be undone any more."""
        for _, change in self._changes.values():
            self._free(change)
        self._changes.clear()
        self._end.cancel()

    def _free(self, change: Change) -> None:
        match change:
            case Removed(dropped=tracks) | Skipped(passed=tracks) if tracks:
                self._tasks.start(in_slices(tracks.free()), name="free memory")
            case _:
                pass
