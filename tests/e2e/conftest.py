"""What the end-to-end tests stand on: one bot process for each file, a guild for each test."""

from collections.abc import AsyncIterator, Generator

import pytest
import pytest_asyncio

from tests.e2e.house import House, Room


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    """A running bot."""
    async with House() as house:
        yield house


@pytest.fixture
def room(house: House, request: pytest.FixtureRequest) -> Room:
    """A guild of the test's own; what went wrong at Discord before is over."""
    house.discord.world.faults.heal()
    return house.room()


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
