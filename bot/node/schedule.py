"""When each 20 ms slot is sent: an absolute schedule that never drifts and never bursts.

Slots lie 20 ms apart from the start on and are never moved. A sender that wakes late sends the
slots it owes 10 ms apart until it is on time again: listeners buffer more than that, so nothing is
heard. When it owes more than five their buffers are empty anyway: the missed slots are given up,
nothing is sent for them, and the sound goes on later.
"""

SLOT_SECONDS = 0.02
SLOTS_PER_MINUTE = 3000

_CATCH_UP_SECONDS = 0.01
_OWED_AT_MOST = 5


class Schedule:
    """Slots numbered from 0 at `start` (seconds of any monotonic clock)."""

    def __init__(self, start: float) -> None:
        self._start = start
        self._next = 0
        self.due = start
        """When the next slot is to be sent."""

    @property
    def latest(self) -> int:
        """The slot that was taken last; -1 before the first."""
        return self._next - 1

    def take(self, now: float) -> int:
        """Return the slot to send at `now`, and set when the next one is due."""
        on_time = int((now - self._start) / SLOT_SECONDS)
        if on_time - self._next > _OWED_AT_MOST:
            self._next = on_time
        slot = self._next
        self._next += 1
        self.due = max(self._start + self._next * SLOT_SECONDS, now + _CATCH_UP_SECONDS)
        return slot
