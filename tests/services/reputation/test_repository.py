"""Reputation on disk: one change at a time, totals that add up, pages of any number."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.db.engine import open_engine
from services.db.unit_of_work import UnitOfWork
from services.reputation.errors import (
    CoolingDown,
    NotTheGiver,
    RetractedAlready,
    TooLateToRetract,
)
from services.reputation.repository import ReputationRepository
from services.reputation.rules import COOLDOWN, RETRACTABLE, Change, Made, Span

NOW = datetime(2026, 5, 1, 18, 0, tzinfo=UTC)
GUILD, ADA, BEN = 10, 1, 2


@pytest.fixture
def repository(unit_of_work: UnitOfWork) -> ReputationRepository:
    return ReputationRepository(unit_of_work)


def change(
    giver: int, target: int, *, amount: int = 1, guild: int = GUILD, reason: str = "why not"
) -> Change:
    return Change(
        guild_id=guild,
        giver_id=giver,
        target_id=target,
        target_is_bot=False,
        amount=amount,
        reason=reason,
    )


async def given_totals(repository: ReputationRepository, totals: dict[int, int]) -> None:
    """Let members reach these totals, each by entries of different givers."""
    for user_id, total in totals.items():
        for giver in range(abs(total)):
            amount = 1 if total > 0 else -1
            await repository.add(change(1000 + giver, user_id, amount=amount), at=NOW)


# ── one change at a time ────────────────────────────────────────────────────
async def test_change_is_stored_with_the_new_total(repository: ReputationRepository) -> None:
    made = await repository.add(change(ADA, BEN, reason="ein 🎂 \0 with @everyone"), at=NOW)
    assert made.total == 1
    page = await repository.entry_page(GUILD, BEN, 1)
    assert page.entries == (made.entry,)
    assert made.entry.reason == "ein 🎂  with @everyone"
    assert (page.count, page.pages, page.rank, page.members) == (1, 1, 1, 1)


async def test_change_again_is_refused_for_ten_minutes(repository: ReputationRepository) -> None:
    await repository.add(change(ADA, BEN), at=NOW)
    with pytest.raises(CoolingDown) as caught:
        await repository.add(change(ADA, BEN, amount=-1), at=NOW + COOLDOWN - timedelta(seconds=1))
    assert caught.value.until == NOW + COOLDOWN
    made = await repository.add(change(ADA, BEN), at=NOW + COOLDOWN)
    assert made.total == 2


async def test_change_of_another_pair_or_guild_has_its_own_cooldown(
    repository: ReputationRepository,
) -> None:
    await repository.add(change(ADA, BEN), at=NOW)
    await repository.add(change(BEN, ADA), at=NOW)
    await repository.add(change(ADA, 3), at=NOW)
    elsewhere = await repository.add(change(ADA, BEN, guild=11), at=NOW)
    assert elsewhere.total == 1


async def test_two_changes_at_the_same_instant_in_two_processes_are_one(database_url: str) -> None:
    processes = [UnitOfWork(open_engine(database_url)) for _ in range(4)]
    attempts = [
        ReputationRepository(processes[number % 4]).add(change(ADA, BEN), at=NOW)
        for number in range(12)
    ]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    made = [result for result in results if isinstance(result, Made)]
    refused = [result for result in results if isinstance(result, CoolingDown)]
    page = await ReputationRepository(processes[0]).entry_page(GUILD, BEN, 1)
    for process in processes:
        await process.close()
    assert (len(made), len(refused)) == (1, 11)
    assert (page.count, page.totals[Span.EVER]) == (1, 1)


async def test_many_changes_at_the_same_instant_add_up(database_url: str) -> None:
    processes = [UnitOfWork(open_engine(database_url)) for _ in range(3)]
    stores = [ReputationRepository(process) for process in processes]
    work = [
        stores[(giver + target) % 3].add(change(giver, target), at=NOW)
        for giver in range(100, 108)
        for target in range(4)
    ]
    await asyncio.gather(*work)
    board = await stores[0].board_page(GUILD, Span.EVER, 1)
    numbers = [entry.id for entry in (await stores[0].entry_page(GUILD, 0, 1)).entries]
    for process in processes:
        await process.close()
    assert [(member.rank, member.total) for member in board.ranked] == [(1, 8)] * 4
    assert [member.position for member in board.ranked] == [1, 2, 3, 4]
    assert len(set(numbers)) == 5


# ── taking back ─────────────────────────────────────────────────────────────
async def test_change_taken_back_leaves_no_trace(repository: ReputationRepository) -> None:
    first = await repository.add(change(ADA, BEN), at=NOW)
    second = await repository.add(change(3, BEN, amount=-1), at=NOW)
    taken = await repository.retract(GUILD, first.entry.id, by=ADA, not_before=NOW)
    assert (taken.entry, taken.total) == (first.entry, -1)
    page = await repository.entry_page(GUILD, BEN, 1)
    assert page.entries == (second.entry,)
    again = await repository.add(change(ADA, BEN), at=NOW)  # the cooldown went with it
    assert again.total == 0


async def test_change_taken_back_alone_takes_the_member_off_the_board(
    repository: ReputationRepository,
) -> None:
    made = await repository.add(change(ADA, BEN), at=NOW)
    await repository.retract(GUILD, made.entry.id, by=ADA, not_before=NOW)
    assert (await repository.board_page(GUILD, Span.EVER, 1)).members == 0
    page = await repository.entry_page(GUILD, BEN, 1)
    assert (page.count, page.rank, page.entries) == (0, None, ())


async def test_change_is_taken_back_once_by_its_giver_and_in_time(
    repository: ReputationRepository,
) -> None:
    made = await repository.add(change(ADA, BEN), at=NOW)
    late = NOW + timedelta(seconds=61) - RETRACTABLE
    with pytest.raises(NotTheGiver):
        await repository.retract(GUILD, made.entry.id, by=BEN, not_before=NOW)
    with pytest.raises(TooLateToRetract):
        await repository.retract(GUILD, made.entry.id, by=ADA, not_before=late)
    with pytest.raises(RetractedAlready):
        await repository.retract(11, made.entry.id, by=ADA, not_before=NOW)
    attempts = (repository.retract(GUILD, made.entry.id, by=ADA, not_before=NOW) for _ in range(3))
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(result, Made) for result in results) == 1
    assert sum(isinstance(result, RetractedAlready) for result in results) == 2


# ── pages ───────────────────────────────────────────────────────────────────
async def test_entry_pages_are_newest_first_without_gaps(repository: ReputationRepository) -> None:
    made = [await repository.add(change(giver, BEN), at=NOW) for giver in range(100, 112)]
    await repository.retract(GUILD, made[9].entry.id, by=109, not_before=NOW)
    seen: list[int] = []
    for number in (1, 2, 3):
        page = await repository.entry_page(GUILD, BEN, number)
        assert (page.number, page.pages, page.count) == (number, 3, 11)
        seen += [entry.giver_id for entry in page.entries]
    assert seen == [111, 110, *range(108, 99, -1)]


async def test_entry_page_that_does_not_exist_is_the_nearest(
    repository: ReputationRepository,
) -> None:
    for giver in range(100, 107):
        await repository.add(change(giver, BEN), at=NOW)
    assert (await repository.entry_page(GUILD, BEN, 99)).number == 2
    assert (await repository.entry_page(GUILD, BEN, -3)).number == 1
    assert (await repository.entry_page(GUILD, ADA, 5)).number == 1


async def test_board_first_shows_top_and_bottom_then_ten_ranks_each(
    repository: ReputationRepository,
) -> None:
    # nobody gets an entry for a total of 0
    await given_totals(repository, {user: max(-4, 18 - user) // 2 for user in range(1, 23)})
    first = await repository.board_page(GUILD, Span.EVER, 1)
    assert [member.user_id for member in first.ranked] == [1, 2, 3, 4, 5, 16, 19, 20, 21, 22]
    assert [member.position for member in first.ranked] == [1, 2, 3, 4, 5, 16, 17, 18, 19, 20]
    assert (first.between, first.pages, first.members) == (10, 3, 20)
    second = await repository.board_page(GUILD, Span.EVER, 2)
    assert [member.user_id for member in second.ranked] == list(range(6, 16))
    assert [member.rank for member in second.ranked] == [5, 7, 7, 9, 9, 11, 11, 13, 13, 15]
    third = await repository.board_page(GUILD, Span.EVER, 99)
    assert [member.user_id for member in third.ranked] == [16, 19, 20, 21, 22]
    assert (third.number, third.between) == (3, 0)


async def test_board_equals_share_a_rank(repository: ReputationRepository) -> None:
    await given_totals(repository, {1: 3, 2: 2, 3: 2, 4: 2, 5: 1, 6: -1})
    board = await repository.board_page(GUILD, Span.EVER, 1)
    assert [(member.rank, member.total) for member in board.ranked] == [
        (1, 3),
        (2, 2),
        (2, 2),
        (2, 2),
        (5, 1),
        (6, -1),
    ]
    page = await repository.entry_page(GUILD, 4, 1)
    assert (page.rank, page.members) == (2, 6)


async def test_board_page_of_a_member_shows_that_member(repository: ReputationRepository) -> None:
    await given_totals(repository, {user: 1 + user % 3 for user in range(1, 40)})
    for user in range(1, 40):
        number = await repository.board_page_of(GUILD, Span.EVER, user)
        assert number is not None
        shown = await repository.board_page(GUILD, Span.EVER, number)
        assert user in [member.user_id for member in shown.ranked]
    assert await repository.board_page_of(GUILD, Span.EVER, 999) is None


# ── spans ───────────────────────────────────────────────────────────────────
async def test_entries_leave_the_week_and_the_month(repository: ReputationRepository) -> None:
    ages = {100: 40, 101: 20, 102: 8, 103: 6, 104: 0}
    for giver, days in ages.items():
        await repository.add(change(giver, BEN), at=NOW - timedelta(days=days))
    while await repository.leave_spans(NOW):
        pass
    totals = (await repository.entry_page(GUILD, BEN, 1)).totals
    assert totals == {Span.WEEK: 2, Span.MONTH: 4, Span.EVER: 5}
    assert await repository.next_leaving() == NOW + timedelta(days=1)
    await repository.leave_spans(NOW + timedelta(days=1))
    totals = (await repository.entry_page(GUILD, BEN, 1)).totals
    assert totals == {Span.WEEK: 1, Span.MONTH: 4, Span.EVER: 5}


async def test_entries_leave_a_span_once_with_several_processes(database_url: str) -> None:
    processes = [UnitOfWork(open_engine(database_url)) for _ in range(3)]
    stores = [ReputationRepository(process) for process in processes]
    for giver in range(100, 130):
        await stores[0].add(change(giver, giver % 3), at=NOW - timedelta(days=8))
    await asyncio.gather(*(store.leave_spans(NOW) for store in stores))
    week = await stores[0].board_page(GUILD, Span.WEEK, 1)
    month = await stores[0].board_page(GUILD, Span.MONTH, 1)
    for process in processes:
        await process.close()
    assert week.members == 0
    assert [member.total for member in month.ranked] == [10, 10, 10]


async def test_entry_that_was_never_old_leaves_nothing(repository: ReputationRepository) -> None:
    assert await repository.next_leaving() is None
    assert not await repository.leave_spans(NOW)
