"""The simulator's time: the machine's own, which a test may move forward."""

import time
from datetime import UTC, datetime


class Clock:
    """Wall and monotonic seconds; `skip` lets tokens, windows and cooldowns grow old at once."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic() + self._skipped

    def wall(self) -> float:
        """Return seconds since 1970."""
        return time.time() + self._skipped

    def iso(self) -> str:
        """Return the wall time as Discord writes it."""
        return iso(self.wall())

    def skip(self, seconds: float) -> None:
        """Move forward; timers that already run are not moved."""
        self._skipped += seconds


def iso(wall: float) -> str:
    """Write a wall time as Discord does: ISO 8601 with microseconds and an offset."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="microseconds")
