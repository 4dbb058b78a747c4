"""Gatherings in the database: state, event log and attendance, each change in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, case, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.db.models import (
    AttendanceRow,
    AttendanceTallyRow,
    GatheringEventRow,
    GatheringRow,
)
from services.db.unit_of_work import UnitOfWork
from services.db.upsert import upsert
from services.gather import codec
from services.gather.attendance import (
    PERIODS,
    Attendance,
    MemberStats,
    Outcome,
    PastGathering,
    Tally,
    record_of,
)
from services.gather.errors import AlreadyGathering
from services.gather.gathering import Gathering
from services.gather.ports import DatedEvent

_GATHERING = cast("Table", GatheringRow.__table__)
_EVENT = cast("Table", GatheringEventRow.__table__)
_ATTENDANCE = cast("Table", AttendanceRow.__table__)
_TALLY = cast("Table", AttendanceTallyRow.__table__)
_LOG_KEPT = timedelta(days=30)
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_RECENT = 100
"""So many gatherings of a member are listed."""


class GatherRepository:
    """The gather store on SQLite or PostgreSQL."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def load(self) -> Sequence[Gathering]:
        """Return the gatherings that are not done (see `GatherStore`)."""
        query = select(*_GATHERING.columns).where(~_GATHERING.c.done).order_by(_GATHERING.c.id)
        async with self._unit_of_work.read() as session:
            rows = (await session.execute(query)).mappings().all()
        return [_gathering(row) for row in rows]

    async def get(self, gathering_id: int) -> Gathering | None:
        """Return one gathering (see `GatherStore`)."""
        query = select(*_GATHERING.columns).where(_GATHERING.c.id == gathering_id)
        async with self._unit_of_work.read() as session:
            row = (await session.execute(query)).mappings().one_or_none()
        return None if row is None else _gathering(row)

    async def add(self, gathering: Gathering, events: Sequence[DatedEvent]) -> Gathering:
        """Store a new gathering (see `GatherStore`)."""
        try:
            async with self._unit_of_work.write() as session:
                made = insert(_GATHERING).values(_row(gathering)).returning(_GATHERING.c.id)
                gathering_id = (await session.execute(made)).scalar_one()
                await _log(session, gathering.guild_id, gathering_id, events=events)
        except IntegrityError as error:
            raise AlreadyGathering from error
        return gathering.numbered(gathering_id)

    async def save(
        self,
        gathering: Gathering,
        events: Sequence[DatedEvent],
        *,
        ledger: Sequence[Attendance] = (),
    ) -> None:
        """Store a gathering's new state and what led to it (see `GatherStore`)."""
        changed = update(_GATHERING).where(_GATHERING.c.id == gathering.id)
        async with self._unit_of_work.write() as session:
            await session.execute(changed.values(_row(gathering)))
            await _log(session, gathering.guild_id, gathering.id, events=events)
            if ledger:
                await _enter(session, gathering, ledger)
            if gathering.done:
                await _forget_old_events(session, gathering)

    async def stats(self, guild_id: int, user_id: int, *, now: datetime) -> MemberStats:
        """Return how a member attended (see `GatherStore`)."""
        async with self._unit_of_work.read() as session:
            tallies = await _recent_tallies(session, guild_id, user_id, now=now)
            tallies[None] = await _tally_of_all(session, guild_id, user_id)
            recent = await _recent(session, guild_id, user_id)
        records = tuple(record_of(tallies[period]) for period in PERIODS)
        return MemberStats(records=records, recent=recent)


# ── writing ─────────────────────────────────────────────────────────────────
async def _log(
    session: AsyncSession, guild_id: int, gathering_id: int, *, events: Sequence[DatedEvent]
) -> None:
    if not events:
        return
    rows = [
        {
            "guild_id": guild_id,
            "gathering_id": gathering_id,
            "at": dated.at,
            "kind": codec.kind_of(dated.event),
            "details": codec.details_of(dated.event),
        }
        for dated in events
    ]
    await session.execute(insert(_EVENT), rows)


async def _forget_old_events(session: AsyncSession, gathering: Gathering) -> None:
    """Keep the log from growing for ever, each time a gathering is done with."""
    latest = gathering.session.closed_at or gathering.session.created_at
    await session.execute(delete(_EVENT).where(_EVENT.c.at < latest - _LOG_KEPT))


async def _enter(session: AsyncSession, gathering: Gathering, ledger: Sequence[Attendance]) -> None:
    """Write the ledger and raise its totals."""
    guild_id, held_at = gathering.guild_id, gathering.session.starts_at
    lines = [
        {
            "gathering_id": gathering.id,
            "user_id": line.user_id,
            "guild_id": guild_id,
            "held_at": held_at,
            "outcome": line.outcome.value,
            "late_s": line.late_s,
            "arrived_at": line.arrived_at,
            "first_join": line.first_join,
            "present_s": line.present_s,
        }
        for line in ledger
    ]
    totals = [
        {**{name: line[name] for name in ("guild_id", "user_id", "outcome", "late_s")}, "times": 1}
        for line in lines
    ]
    await session.execute(insert(_ATTENDANCE), lines)
    await upsert(session, AttendanceTallyRow, totals, add=("times",))


# ── statistics ──────────────────────────────────────────────────────────────
async def _recent_tallies(
    session: AsyncSession, guild_id: int, user_id: int, *, now: datetime
) -> dict[timedelta | None, Tally]:
    """Count the periods that have a beginning, all in one go through the longest."""
    table = _ATTENDANCE
    periods = [period for period in PERIODS if period is not None]
    within = [func.sum(case((table.c.held_at >= now - period, 1), else_=0)) for period in periods]
    query = (
        select(table.c.outcome, table.c.late_s, *within)
        .where(
            table.c.guild_id == guild_id,
            table.c.user_id == user_id,
            table.c.held_at >= now - max(periods),
        )
        .group_by(table.c.outcome, table.c.late_s)
    )
    rows = (await session.execute(query)).all()
    return {
        period: {(_OUTCOMES[row[0]], row[1]): row[2 + number] for row in rows}
        for number, period in enumerate(periods)
    }


async def _tally_of_all(session: AsyncSession, guild_id: int, user_id: int) -> Tally:
    table = _TALLY
    query = select(table.c.outcome, table.c.late_s, table.c.times).where(
        table.c.guild_id == guild_id, table.c.user_id == user_id
    )
    rows = (await session.execute(query)).all()
    return {(_OUTCOMES[outcome], late_s): times for outcome, late_s, times in rows}


async def _recent(session: AsyncSession, guild_id: int, user_id: int) -> tuple[PastGathering, ...]:
    table = _ATTENDANCE
    query = (
        select(table.c.held_at, table.c.outcome, table.c.late_s)
        .where(table.c.guild_id == guild_id, table.c.user_id == user_id)
        .order_by(table.c.held_at.desc())
        .limit(_RECENT)
    )
    rows = (await session.execute(query)).all()
    return tuple(
        PastGathering(held_at=held_at, outcome=_OUTCOMES[outcome], late_s=late_s)
        for held_at, outcome, late_s in rows
    )


# ── rows and values ─────────────────────────────────────────────────────────
def _row(gathering: Gathering) -> dict[str, Any]:
    session = gathering.session
    return {
        "guild_id": gathering.guild_id,
        "voice_channel_id": gathering.voice_channel_id,
        "text_channel_id": gathering.text_channel_id,
        "message_id": gathering.message_id,
        "author_id": session.author_id,
        "created_at": session.created_at,
        "starts_at": session.starts_at,
        "closed_at": session.closed_at,
        "phase": session.phase.value,
        "ending": session.ending.value if session.ending else None,
        "done": gathering.done,
        "state": codec.dump(gathering),
    }


def _gathering(row: Mapping[Any, Any]) -> Gathering:
    return codec.load(row["state"], columns={str(name): value for name, value in row.items()})
