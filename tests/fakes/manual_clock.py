"""A clock whose hands a test turns: nothing in a test waits for real time."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_TURNS = 20
"""Rounds of the event loop after which everything that is awake has gone as far as it can."""


class ManualClock:
    """Stands still until `advance`; sleepers wake in the order of their times."""

    def __init__(self, start: datetime = _START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._numbers = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waking = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._numbers), waking))
        await waking

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass; return when everybody who woke up has done their part."""
        await settle()
        until = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= until:
            due, _, waking = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, due)
            if not waking.done():
                waking.set_result(None)
            await settle()
        self._elapsed = until
        await settle()


async def settle() -> None:
    """Let every task that can run do so, without any time passing."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
