"""What the end-to-end tests stand on: one bot process for each file, a guild for each test."""

from collections.abc import AsyncIterator, Generator, Iterator

import pytest
import pytest_asyncio

from tests.e2e.gather_evening import Evening
from tests.e2e.house import House, Room


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    """A running bot."""
    async with House() as house:
        yield house


@pytest.fixture
def room(house: House) -> Iterator[Room]:
    """A guild of the test's own; what went wrong at Discord before is over.

    At the end no click may have failed, and the sound must have kept to Discord's rules.
    """
    house.discord.faults.heal()
    failed = len(house.discord.failed_interactions)
    room = house.room()
    yield room
    assert house.discord.failed_interactions[failed:] == []
    assert room.guild.ear.violations == []


@pytest.fixture
def evening(house: House, room: Room) -> Evening:
    """A guild of the test's own in which people gather."""
    return Evening(house, room)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the bot's log under a test that failed."""
    report = yield
    house = getattr(item, "funcargs", {}).get("house")
    if report.when == "call" and report.failed and isinstance(house, House):
        report.sections.append(("the bot", house.bot.log_tail()))
    return report
