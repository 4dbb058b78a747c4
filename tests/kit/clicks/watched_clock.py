"""A manual clock that tells when somebody began to wait, so that a test knows what to advance."""

import asyncio

from tests.fakes.manual_clock import ManualClock
from tests.kit.clicks.discord_server import DEADLINE_SECONDS


class WatchedClock(ManualClock):
    """Remembers every wait that was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: list[float] = []
        self._changed = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self._asked.append(round(seconds, 3))
        self._changed.set()
        await super().sleep(seconds)

    async def until_asked(self, seconds: float, *, times: int = 1) -> None:
        """Wait, in real time, until somebody has asked for a wait of so many seconds."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self._asked.count(seconds) < times:
                self._changed.clear()
                await self._changed.wait()

    async def pass_pause(self, seconds: float, *, times: int = 1) -> None:
        """Wait for somebody to pause, then let that pause be over."""
        await self.until_asked(seconds, times=times)
        await self.advance(seconds)
