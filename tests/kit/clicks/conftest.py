"""What the click stream's tests share."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from tests.kit.clicks.discord_server import DiscordServer, running
from tests.kit.clicks.watched_clock import WatchedClock


@dataclass
class CountingMeter:
    """Remembers what happened to interactions."""

    acknowledged: list[float] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def interaction_acknowledged(self, seconds: float) -> None:
        self.acknowledged.append(seconds)

    def interaction_missed(self, cause: str) -> None:
        self.missed.append(cause)


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with running() as server:
        yield server


@pytest.fixture
def clock() -> WatchedClock:
    return WatchedClock()


@pytest.fixture
def meter() -> CountingMeter:
    return CountingMeter()
