"""Gatherings on disk: they come back as stored, one is open in a guild, the ledger adds up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from services.db.unit_of_work import UnitOfWork
from services.gather.attendance import ledger, roll
from services.gather.errors import AlreadyGathering
from services.gather.events import (
    Cancelled,
    ClickedHere,
    ClickedOut,
    Event,
    Expected,
    Extended,
    JoinedChannel,
    StartedNow,
    Ticked,
)
from services.gather.gathering import Gathering, MessagePosted, Notice, NoticePaid, PingPosted
from services.gather.ports import DatedEvent
from services.gather.repository import GatherRepository
from services.gather.session import GatherSession

NOW = datetime(2026, 5, 1, 18, 0, tzinfo=UTC)
GUILD, AUTHOR, ADA, BEN = 10, 1, 2, 3


@pytest.fixture
def repository(unit_of_work: UnitOfWork) -> GatherRepository:
    return GatherRepository(unit_of_work)


def new(guild_id: int = GUILD, *, at: datetime = NOW) -> Gathering:
    return Gathering(
        guild_id=guild_id,
        voice_channel_id=70,
        text_channel_id=20,
        session=GatherSession(
            author_id=AUTHOR,
            created_at=at,
            starts_at=at + timedelta(minutes=10),
            present=frozenset({AUTHOR, ADA}),
            quorum=2,
        ),
        names={AUTHOR: "Zoe", ADA: "Ada 🎧", BEN: "Ben"},
    ).entered()


def after(gathering: Gathering, *events: Event, seconds: float = 0) -> Gathering:
    for event in events:
        at = gathering.session.created_at + timedelta(seconds=seconds)
        gathering = gathering.after(event, at).gathering
    return gathering


async def held(
    repository: GatherRepository, *, at: datetime, late_s: int | None, guild_id: int = GUILD
) -> Gathering:
    """Store a gathering to which Ada came `late_s` after the start, or not at all."""
    gathering = await repository.add(new(guild_id, at=at), [])
    gathering = after(gathering, StartedNow(AUTHOR))
    if late_s is not None:
        gathering = after(gathering, ClickedHere(ADA, in_channel=True), seconds=late_s)
    ended = after(gathering, Ticked(), seconds=1800)
    await repository.save(ended, [], ledger=ledger(ended))
    return ended


async def test_gathering_comes_back_as_it_was_stored(repository: GatherRepository) -> None:
    gathering = await repository.add(new(), [])
    gathering = after(
        gathering,
        Expected(AUTHOR, frozenset({BEN}), frozenset({900})),
        StartedNow(AUTHOR),
        ClickedOut(ADA),
        JoinedChannel(BEN),
        ClickedHere(AUTHOR, in_channel=True),
        seconds=90.25,
    )
    gathering = gathering.after(MessagePosted(555), NOW).gathering
    gathering = gathering.after(Ticked(), NOW + timedelta(seconds=151)).gathering
    gathering = gathering.after(PingPosted((7, 8)), NOW).gathering
    assert Notice.QUORUM in gathering.owed
    await repository.save(gathering, [])
    assert await repository.load() == [gathering]
    assert await repository.get(gathering.id) == gathering


async def test_guild_has_one_open_gathering(repository: GatherRepository) -> None:
    first = await repository.add(new(), [])
    with pytest.raises(AlreadyGathering):
        await repository.add(new(), [])
    await repository.add(new(guild_id=11), [])
    await repository.save(after(first, Cancelled(AUTHOR)), [])
    second = await repository.add(new(), [])
    assert second.id != first.id


async def test_gathering_is_loaded_until_all_is_said_about_its_end(
    repository: GatherRepository,
) -> None:
    gathering = after(await repository.add(new(), []), Cancelled(AUTHOR))
    await repository.save(gathering, [])
    assert await repository.load() == [gathering]
    paid = gathering.after(NoticePaid(Notice.FAREWELL), NOW).gathering
    await repository.save(paid, [])
    assert await repository.load() == []
    assert await repository.get(gathering.id) == paid


async def test_events_of_all_kinds_are_logged(
    repository: GatherRepository, unit_of_work: UnitOfWork
) -> None:
    events: list[Event] = [
        Expected(AUTHOR, frozenset({BEN, ADA})),
        Extended(ADA, timedelta(minutes=5)),
        Ticked(),
    ]
    await repository.add(new(), [DatedEvent(event, NOW) for event in events])
    async with unit_of_work.read() as session:
        rows = (await session.execute(text("SELECT kind, details FROM gathering_event"))).all()
    assert [tuple(row) for row in rows] == [
        ("Expected", '{"by": 1, "user_ids": [2, 3], "role_ids": []}'),
        ("Extended", '{"by": 2, "duration": 300.0}'),
        ("Ticked", "{}"),
    ]


async def test_events_are_forgotten_after_thirty_days(
    repository: GatherRepository, unit_of_work: UnitOfWork
) -> None:
    for days in (31, 29):
        at = NOW - timedelta(days=days)
        await repository.add(new(guild_id=days, at=at), [DatedEvent(StartedNow(AUTHOR), at)])
    ended = after(await repository.add(new(), []), Cancelled(AUTHOR))
    await repository.save(ended.after(NoticePaid(Notice.FAREWELL), NOW).gathering, [])
    async with unit_of_work.read() as session:
        kept = (await session.execute(text("SELECT guild_id FROM gathering_event"))).scalars()
    assert list(kept) == [29]


async def test_stats_count_thirty_days_ninety_days_and_ever(repository: GatherRepository) -> None:
    for days, late_s in ((200, None), (80, 120), (40, 0), (20, 300), (10, 0), (1, 0)):
        await held(repository, at=NOW - timedelta(days=days), late_s=late_s)
    stats = await repository.stats(GUILD, ADA, now=NOW)
    month, quarter, ever = stats.records
    assert (month.on_time, month.late, month.missing) == (2, 1, 0)
    assert (quarter.on_time, quarter.late, quarter.missing) == (3, 2, 0)
    assert (ever.on_time, ever.late, ever.missing) == (3, 2, 1)
    assert month.on_time_rate == pytest.approx(2 / 3)
    assert ever.on_time_rate == pytest.approx(1 / 2)
    assert (ever.median_late_s, ever.median_when_late_s) == (0, 120)
    assert [line.late_s for line in stats.recent] == [0, 0, 300, 0, 120, 0]


async def test_stats_are_of_one_member_in_one_guild(repository: GatherRepository) -> None:
    await held(repository, at=NOW - timedelta(days=1), late_s=0)
    await held(repository, at=NOW - timedelta(days=1), late_s=0, guild_id=11)
    [month, *_] = (await repository.stats(GUILD, ADA, now=NOW)).records
    assert month.expected == 1
    [nothing, *_] = (await repository.stats(GUILD, BEN, now=NOW)).records
    assert (nothing.expected, nothing.on_time_rate, nothing.median_late_s) == (0, None, None)


def test_roll_is_sorted_by_arrival_then_out_then_missing_by_name() -> None:
    people = {1: "Zoe", 2: "ada", 3: "Ben", 4: "Cleo", 5: "dan", 6: "Eve"}
    gathering = replace(new(), names=people)
    gathering = after(gathering, Expected(AUTHOR, frozenset(people)), StartedNow(AUTHOR))
    gathering = after(gathering, ClickedHere(4, in_channel=True), seconds=30)
    gathering = after(gathering, ClickedOut(6), ClickedOut(5), seconds=40)
    gathering = after(gathering, ClickedHere(3, in_channel=True), seconds=95)
    assert [(line.name, line.outcome.value, line.late_s) for line in roll(gathering)] == [
        ("Cleo", "on_time", 0),
        ("Ben", "late", 95),
        ("dan", "out", 0),
        ("Eve", "out", 0),
        ("ada", "missing", 0),
        ("Zoe", "missing", 0),
    ]
