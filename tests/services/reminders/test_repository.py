"""Reminders on disk: limits that hold at the same instant, claims that one process alone gets."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import time

import pytest

from services.db.engine import open_engine
from services.db.unit_of_work import UnitOfWork
from services.errors import Refusal
from services.reminders.errors import TooManyReceived, TooManyScheduled
from services.reminders.reminder import MAX_OPEN, Claimed, Reminder
from services.reminders.repository import ReminderRepository
from services.text.when import Repeat
from tests.services.reminders.drafts import ADA, BEN, CARA, DAN, GUILD, NOW, after, draft


@pytest.fixture
def store(unit_of_work: UnitOfWork) -> ReminderRepository:
    return ReminderRepository(unit_of_work)


@pytest.fixture
async def stores(database_url: str) -> AsyncIterator[list[ReminderRepository]]:
    """The same database, as four processes see it."""
    processes = [UnitOfWork(open_engine(database_url)) for _ in range(4)]
    yield [ReminderRepository(process) for process in processes]
    for process in processes:
        await process.close()


async def claim(
    store: ReminderRepository, seconds: float, *, holder: str = "me", lease: float = 20
) -> Sequence[Claimed]:
    return await store.claim(after(seconds), holder=holder, until=after(seconds + lease), most=100)


async def listed(store: ReminderRepository, user_id: int, page: int = 1) -> list[int]:
    return [r.id for r in (await store.page(GUILD, user_id, page)).reminders]


# ── members ─────────────────────────────────────────────────────────────────
async def test_reminder_comes_back_as_it_was_stored(store: ReminderRepository) -> None:
    repeat = Repeat(time(18, 30), weekday=0)
    reminder = await store.add(
        draft(targets=(BEN, CARA), note="Tea 🫖\0 für alle", repeats=repeat), now=NOW
    )
    assert await store.get(reminder.id) == reminder
    assert (reminder.targets, reminder.repeats) == ((BEN, CARA), repeat)
    assert (reminder.note, reminder.created_at, reminder.due_at) == (
        "Tea 🫖 für alle",
        NOW,
        after(10),
    )
    await store.set_link(reminder.id, 777)
    linked = await store.get(reminder.id)
    assert linked is not None
    assert (linked.link_channel_id, linked.link_message_id) == (reminder.channel_id, 777)
    assert await store.get(reminder.id + 1) is None


async def test_reminders_are_listed_for_everybody_whom_they_concern(
    store: ReminderRepository,
) -> None:
    later = await store.add(draft(by=ADA, targets=(BEN, CARA), seconds=20), now=NOW)
    sooner = await store.add(draft(by=BEN, targets=(BEN,), seconds=5), now=NOW)
    await store.add(draft(by=BEN, targets=(BEN,), guild=11), now=NOW)
    assert await listed(store, ADA) == [later.id]
    assert await listed(store, BEN) == [sooner.id, later.id]
    assert await listed(store, CARA) == [later.id]
    assert await listed(store, DAN) == []


async def test_list_has_ten_a_page_and_the_nearest_one_that_exists(
    store: ReminderRepository,
) -> None:
    ids = [(await store.add(draft(seconds=n), now=NOW)).id for n in range(1, 13)]
    page = await store.page(GUILD, ADA, 99)
    assert (page.number, page.pages, page.count) == (2, 2, 12)
    assert [r.id for r in page.reminders] == ids[10:]
    assert await listed(store, ADA, -1) == ids[:10]


@pytest.mark.parametrize("by", [ADA, BEN])
async def test_reminder_is_removed_by_scheduler_or_owner(
    store: ReminderRepository, by: int
) -> None:
    reminder = await store.add(draft(by=ADA, targets=(BEN,)), now=NOW)
    assert await store.remove(GUILD, reminder.id, by=CARA, now=NOW) is None
    assert await store.remove(11, reminder.id, by=by, now=NOW) is None
    removed = await store.remove(GUILD, reminder.id, by=by, now=NOW)
    assert removed is not None
    assert removed.for_all
    assert await listed(store, ADA) == await listed(store, BEN) == []
    assert await claim(store, 99) == []
    assert await store.remove(GUILD, reminder.id, by=by, now=NOW) is None


async def test_one_of_several_owners_removes_it_for_themselves(store: ReminderRepository) -> None:
    reminder = await store.add(draft(by=ADA, targets=(BEN, CARA)), now=NOW)
    removed = await store.remove(GUILD, reminder.id, by=BEN, now=NOW)
    assert removed is not None
    assert not removed.for_all
    assert await listed(store, BEN) == []
    [claimed] = await claim(store, 10)
    assert claimed.reminder.targets == (CARA,)


async def test_members_schedule_25_at_most_and_one_that_ends_makes_room(
    store: ReminderRepository,
) -> None:
    made = [await store.add(draft(seconds=n), now=NOW) for n in range(1, MAX_OPEN + 1)]
    with pytest.raises(TooManyScheduled, match="25"):
        await store.add(draft(), now=NOW)
    await store.add(draft(guild=11), now=NOW)
    await store.fired(made[0], at=after(1), next_due=None)
    await store.add(draft(), now=NOW)
    with pytest.raises(TooManyScheduled):
        await store.add(draft(), now=NOW)
    await store.remove(GUILD, made[1].id, by=ADA, now=NOW)
    await store.add(draft(), now=NOW)


async def test_members_are_reminded_by_others_25_times_at_most(store: ReminderRepository) -> None:
    for n in range(MAX_OPEN):
        await store.add(draft(by=100 + n, targets=(BEN,)), now=NOW)
    with pytest.raises(TooManyReceived, match=f"<@{BEN}>"):
        await store.add(draft(by=ADA, targets=(CARA, BEN)), now=NOW)
    assert await listed(store, CARA) == []
    await store.add(draft(by=BEN, targets=(BEN,)), now=NOW)  # their own are counted apart


async def test_limit_holds_at_the_same_instant_in_several_processes(
    stores: list[ReminderRepository],
) -> None:
    work = [
        stores[n % 4].add(draft(by=ADA if n % 2 else BEN, targets=(ADA, BEN)), now=NOW)
        for n in range(60)
    ]
    results = await asyncio.gather(*work, return_exceptions=True)
    made = [result for result in results if isinstance(result, Reminder)]
    refused = [result for result in results if isinstance(result, Refusal)]
    assert (len(made), len(refused)) == (50, 10)
    assert (await stores[0].page(GUILD, ADA, 1)).count == 50


# ── firing ──────────────────────────────────────────────────────────────────
async def test_claim_takes_what_is_due_in_its_order(store: ReminderRepository) -> None:
    late = await store.add(draft(seconds=30), now=NOW)
    second = await store.add(draft(seconds=20), now=NOW)
    first = await store.add(draft(seconds=10), now=NOW)
    assert await claim(store, 9.999) == []
    assert [c.reminder.id for c in await claim(store, 20)] == [first.id, second.id]
    assert await claim(store, 20) == []
    assert await store.next_wake("me") == late.due_at


async def test_claim_at_the_same_instant_is_of_one_process(
    stores: list[ReminderRepository],
) -> None:
    ids = {(await stores[0].add(draft(by=100 + n, targets=(n,)), now=NOW)).id for n in range(40)}
    claims = [claim(store, 10, holder=str(n)) for n, store in enumerate(stores)]
    taken = [c.reminder.id for part in await asyncio.gather(*claims) for c in part]
    while more := await claim(stores[0], 10):  # rows that were passed over while locked
        taken += [c.reminder.id for c in more]
    assert sorted(taken) == sorted(ids)


async def test_claim_of_a_process_that_died_is_taken_over_when_its_lease_ends(
    store: ReminderRepository,
) -> None:
    reminder = await store.add(draft(), now=NOW)
    [first] = await claim(store, 10, holder="dead")
    assert first.tried_at is None
    assert await claim(store, 29, holder="me") == []
    assert await store.next_wake("me") == after(30)
    [second] = await claim(store, 30, holder="me")
    assert (second.reminder.id, second.tried_at) == (reminder.id, after(10))
    [third] = await claim(store, 50, holder="another")
    assert third.tried_at == after(10)  # the first try of all may have succeeded


async def test_lease_that_is_renewed_is_kept_and_one_that_is_released_is_not(
    store: ReminderRepository,
) -> None:
    reminder = await store.add(draft(), now=NOW)
    await claim(store, 10, holder="me")
    await store.renew([reminder.id], "me", until=after(60))
    await store.renew([reminder.id], "thief", until=after(999))
    assert await claim(store, 59, holder="other") == []
    await store.release("thief")
    assert await claim(store, 59, holder="other") == []
    await store.release("me")
    [claimed] = await claim(store, 59, holder="other")
    assert claimed.tried_at == after(10)
    await store.release(None)
    assert len(await claim(store, 59, holder="third")) == 1


async def test_reminder_that_fired_is_done_once(store: ReminderRepository) -> None:
    await store.add(draft(by=ADA, targets=(BEN,)), now=NOW)
    [claimed] = await claim(store, 10)
    for _ in range(2):
        await store.fired(claimed.reminder, at=after(11), next_due=None)
    assert await claim(store, 999) == []
    assert await listed(store, BEN) == []
    assert await store.next_wake("me") is None
    for _ in range(MAX_OPEN):  # the second time freed nothing
        await store.add(draft(by=ADA, targets=(BEN,)), now=NOW)
    with pytest.raises(TooManyScheduled):
        await store.add(draft(by=ADA, targets=(CARA,)), now=NOW)


async def test_reminder_that_repeats_is_due_again_once(store: ReminderRepository) -> None:
    await store.add(draft(repeats=Repeat(time(9, 0))), now=NOW)
    [claimed] = await claim(store, 10)
    for _ in range(2):
        await store.fired(claimed.reminder, at=after(11), next_due=after(100))
    assert await claim(store, 99) == []
    [again] = await claim(store, 100)
    assert (again.reminder.occurrence, again.tried_at) == (1, None)
    assert again.reminder.due_at == after(100)


async def test_reminder_removed_while_it_fires_does_not_come_again(
    store: ReminderRepository,
) -> None:
    reminder = await store.add(draft(repeats=Repeat(time(9, 0))), now=NOW)
    [claimed] = await claim(store, 10)
    await store.remove(GUILD, reminder.id, by=ADA, now=after(11))
    await store.fired(claimed.reminder, at=after(12), next_due=after(100))
    assert await claim(store, 999) == []


# ── snooze ──────────────────────────────────────────────────────────────────
async def test_snooze_of_the_same_message_moves_the_first_one(store: ReminderRepository) -> None:
    origin = await store.add(draft(by=ADA, targets=(BEN, CARA)), now=NOW)
    first = await store.add(draft(by=BEN, targets=(BEN,), snooze_of=(origin.id, 0)), now=NOW)
    other = await store.add(draft(by=CARA, targets=(CARA,), snooze_of=(origin.id, 0)), now=NOW)
    again = draft(by=BEN, targets=(BEN,), seconds=60, snooze_of=(origin.id, 0))
    moved = await store.add(again, now=NOW)
    assert (moved.id, moved.due_at) == (first.id, after(60))
    assert other.id != first.id
    assert await listed(store, BEN) == [origin.id, first.id]


async def test_snooze_clicked_twice_in_several_processes_is_one(
    stores: list[ReminderRepository],
) -> None:
    origin = await stores[0].add(draft(), now=NOW)
    clicks = [
        store.add(draft(by=ADA, snooze_of=(origin.id, 0), seconds=60), now=NOW)
        for store in stores * 2
    ]
    made = await asyncio.gather(*clicks)
    assert len({reminder.id for reminder in made}) == 1
    assert (await stores[0].page(GUILD, ADA, 1)).count == 2


async def test_snooze_of_what_is_just_fired_fires_again(store: ReminderRepository) -> None:
    origin = await store.add(draft(), now=NOW)
    await store.add(draft(snooze_of=(origin.id, 0), seconds=30), now=NOW)
    await store.fired(origin, at=after(10), next_due=None)
    [claimed] = await claim(store, 30)
    await store.add(draft(snooze_of=(origin.id, 0), seconds=90), now=NOW)
    await store.fired(claimed.reminder, at=after(31), next_due=None)
    [again] = await claim(store, 90)
    assert again.reminder.occurrence == 1
