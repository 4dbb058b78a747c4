"""The service by the clock: a minute to take back, and entries that leave their spans by day."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.reputation.errors import NotYourself, TooLateToRetract
from services.reputation.reputation_service import ReputationService
from services.reputation.rules import Change, Span
from tests.fakes.manual_clock import ManualClock
from tests.fakes.reputation_store import MemoryReputation

GUILD, ADA, BEN = 10, 1, 2
DAY = 24 * 3600.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store() -> MemoryReputation:
    return MemoryReputation()


@pytest.fixture
async def service(store: MemoryReputation, clock: ManualClock) -> AsyncIterator[ReputationService]:
    service = ReputationService(store, clock)
    yield service
    await service.close()


def change(giver: int = ADA, target: int = BEN) -> Change:
    return Change(
        guild_id=GUILD,
        giver_id=giver,
        target_id=target,
        target_is_bot=False,
        amount=1,
        reason=" helped ",
    )


async def test_change_is_checked_and_dated(service: ReputationService, clock: ManualClock) -> None:
    with pytest.raises(NotYourself):
        await service.change(change(target=ADA))
    made = await service.change(change())
    assert (made.entry.at, made.entry.reason, made.total) == (clock.now(), "helped", 1)


@pytest.mark.parametrize(("seconds", "allowed"), [(59, True), (60, True), (60.001, False)])
async def test_change_can_be_taken_back_for_a_minute(
    service: ReputationService, clock: ManualClock, seconds: float, *, allowed: bool
) -> None:
    made = await service.change(change())
    await clock.advance(seconds)
    if allowed:
        assert (await service.retract(GUILD, made.entry.id, by=ADA)).total == 0
    else:
        with pytest.raises(TooLateToRetract):
            await service.retract(GUILD, made.entry.id, by=ADA)


async def test_entry_leaves_the_week_when_it_is_seven_days_old(
    service: ReputationService, clock: ManualClock
) -> None:
    service.start()
    await service.change(change())
    await clock.advance(7 * DAY - 1)
    assert (await service.entries(GUILD, BEN, 1)).totals[Span.WEEK] == 1
    await clock.advance(1)
    totals = (await service.entries(GUILD, BEN, 1)).totals
    assert totals == {Span.WEEK: 0, Span.MONTH: 1, Span.EVER: 1}


async def test_entries_that_became_old_while_the_bot_was_down_leave_at_the_start(
    service: ReputationService, store: MemoryReputation, clock: ManualClock
) -> None:
    await store.add(change(), at=clock.now() - timedelta(days=31))
    service.start()
    await clock.advance(0)
    assert (await service.leaderboard(GUILD, Span.MONTH, 1)).members == 0
    assert (await service.leaderboard(GUILD, Span.EVER, 1)).members == 1


async def test_database_that_is_away_is_asked_again(
    service: ReputationService, store: MemoryReputation, clock: ManualClock
) -> None:
    await store.add(change(), at=clock.now() - timedelta(days=8))
    store.failing = True
    service.start()
    await clock.advance(120)
    store.failing = False
    await clock.advance(30)
    assert (await service.entries(GUILD, BEN, 1)).totals[Span.WEEK] == 0
