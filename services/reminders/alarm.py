"""One sleeper that wakes at the earliest of many moments, or when an earlier one is named."""

import asyncio
from datetime import datetime, timedelta

from services.clock import Clock

_LONGEST_NAP = timedelta(seconds=60)
"""The wall clock is read again after that: it may have been set, or the machine have slept."""


class Alarm:
    """Sleeps until a moment on the wall clock; nothing is asked of anybody meanwhile.

    With `safety`, a sleep ends after so long in any case: for moments that other processes know.
    """

    def __init__(self, clock: Clock, *, safety: timedelta | None = None) -> None:
        self._clock = clock
        self._safety = safety
        self._named: datetime | None = None
        self._changed = asyncio.Event()

    def wake_by(self, moment: datetime) -> None:
        """Let the present sleep, or the next one, end at `moment` at the latest."""
        if self._named is None or moment < self._named:
            self._named = moment
            self._changed.set()

    async def sleep_until(self, moment: datetime | None) -> None:
        """Return at `moment`, or when something earlier was named; None: only then."""
        if self._safety is not None:
            self.wake_by(self._clock.now() + self._safety)
        if moment is not None:
            self.wake_by(moment)
        while (left := self._left()) is None or left > timedelta():
            self._changed.clear()
            await self._nap(_LONGEST_NAP if left is None else min(left, _LONGEST_NAP))
        self._named = None

    def _left(self) -> timedelta | None:
        return None if self._named is None else self._named - self._clock.now()

    async def _nap(self, length: timedelta) -> None:
        """Return after `length`, or when an earlier moment was named."""
        timer = asyncio.ensure_future(self._clock.sleep(length.total_seconds()))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({timer, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            changed.cancel()
