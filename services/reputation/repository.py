"""Reputation in the database: a change, its cooldown and all totals are one transaction.

The cooldown is one conditional statement: it writes the moment of the change unless a newer one
stands there, so of two commands at the same instant one is refused, whatever process they reach.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, and_, bindparam, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.db.models import ReputationCooldownRow, ReputationEntryRow, ReputationStandingRow
from services.db.unit_of_work import UnitOfWork
from services.db.upsert import upsert_if
from services.reputation import pages
from services.reputation.errors import (
    CoolingDown,
    NotRetractable,
    NotTheGiver,
    RetractedAlready,
    TooLateToRetract,
)
from services.reputation.pages import BoardPage, EntryPage
from services.reputation.rules import (
    COOLDOWN,
    MOVING,
    RETRACTABLE,
    Change,
    Entry,
    Made,
    Span,
    spans_left,
)
from services.reputation.standings_repository import Standings, take_turn

_ENTRY = cast("Table", ReputationEntryRow.__table__)
_COOLDOWN = cast("Table", ReputationCooldownRow.__table__)
_STANDING = cast("Table", ReputationStandingRow.__table__)
_IN_WINDOWS = text("windows > 0")
"""As the index says it, so that it is used."""
_LEAVING_AT_ONCE = 200

# made once: to put a statement together costs more than to run it
_STANDS = select(_STANDING.c.span, _STANDING.c.total, _STANDING.c.entries).where(
    _STANDING.c.guild_id == bindparam("guild"),
    _STANDING.c.span.in_([span.value for span in Span]),
    _STANDING.c.user_id == bindparam("user"),
)
_ENTRIES = (
    select(*_ENTRY.columns)
    .where(
        _ENTRY.c.guild_id == bindparam("guild"),
        _ENTRY.c.target_id == bindparam("user"),
        _ENTRY.c.number.between(bindparam("first"), bindparam("last")),
    )
    .order_by(_ENTRY.c.number.desc())
)


class ReputationRepository:
    """The reputation store on SQLite or PostgreSQL."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    # ── changing ────────────────────────────────────────────────────────────
    async def add(self, change: Change, *, at: datetime) -> Made:
        """Store a change that was checked (see `ReputationStore`)."""
        async with self._unit_of_work.write() as session:
            await _cool_down(session, change, at)
            await take_turn(session, change.guild_id)
            counts: dict[Span, tuple[int, int]] = {}
            for span in Span:
                standings = Standings(session, change.guild_id, span)
                counts[span] = await standings.change(
                    change.target_id, amount=change.amount, entries=1
                )
            total, number = counts[Span.EVER]
            values = {
                "guild_id": change.guild_id,
                "target_id": change.target_id,
                "number": number,
                "giver_id": change.giver_id,
                "amount": change.amount,
                "reason": _storable(change.reason),
                "at": at,
                "windows": len(MOVING),
            }
            made = insert(_ENTRY).values(values).returning(*_ENTRY.columns)
            row = (await session.execute(made)).mappings().one()
        return Made(entry=_entry(row), total=total)

    async def retract(self, guild_id: int, entry_id: int, *, by: int, not_before: datetime) -> Made:
        """Take a change back (see `ReputationStore`)."""
        theirs = and_(_ENTRY.c.id == entry_id, _ENTRY.c.guild_id == guild_id)
        taken = (
            delete(_ENTRY)
            .where(theirs, _ENTRY.c.giver_id == by, _ENTRY.c.at >= not_before)
            .returning(*_ENTRY.columns)
        )
        async with self._unit_of_work.write() as session:
            row = (await session.execute(taken)).mappings().one_or_none()
            if row is None:
                giver = select(_ENTRY.c.giver_id).where(theirs)
                raise _not_retractable((await session.execute(giver)).scalar(), by)
            entry = _entry(row)
            await session.execute(delete(_COOLDOWN).where(_cooldown_of(entry)))
            await take_turn(session, guild_id)
            await _close_gap(session, entry, row["number"])
            for span in spans_left(row["windows"]):
                standings = Standings(session, guild_id, span)
                total, _ = await standings.change(entry.target_id, amount=-entry.amount, entries=-1)
        return Made(entry=entry, total=total)

    # ── reading ─────────────────────────────────────────────────────────────
    async def entry_page(self, guild_id: int, target_id: int, number: int) -> EntryPage:
        """Return a page of a member's entries (see `ReputationStore`)."""
        async with self._unit_of_work.read() as session:
            found = (await session.execute(_STANDS, {"guild": guild_id, "user": target_id})).all()
            stands = {Span(row.span): row for row in found}
            ever = stands.get(Span.EVER)
            count = ever.entries if ever else 0
            number = pages.nearest(number, pages.entry_pages(count))
            first, last = pages.entry_numbers(count, number)
            numbers = {"guild": guild_id, "user": target_id, "first": first, "last": last}
            rows = (await session.execute(_ENTRIES, numbers)).mappings().all() if count else []
            standings = Standings(session, guild_id, Span.EVER)
            rank = await standings.higher(ever.total) + 1 if ever else None
            members = await standings.members()
        return EntryPage(
            target_id=target_id,
            entries=tuple(map(_entry, rows)),
            number=number,
            pages=pages.entry_pages(count),
            count=count,
            totals={span: stands[span].total if span in stands else 0 for span in Span},
            rank=rank,
            members=members,
        )

    async def board_page(self, guild_id: int, span: Span, number: int) -> BoardPage:
        """Return a page of the leaderboard (see `ReputationStore`)."""
        async with self._unit_of_work.read() as session:
            standings = Standings(session, guild_id, span)
            members = await standings.members()
            number = pages.nearest(number, pages.board_pages(members))
            ranges = pages.board_positions(members, number)
            ranked = [
                member
                for first, last in ranges
                for member in await standings.between(first, last, members=members)
            ]
        left_out = members - len(ranked) if number == 1 else 0
        return BoardPage(
            span=span,
            number=number,
            pages=pages.board_pages(members),
            members=members,
            ranked=tuple(ranked),
            between=left_out,
        )

    async def board_page_of(self, guild_id: int, span: Span, user_id: int) -> int | None:
        """Return the number of the page that shows a member (see `ReputationStore`)."""
        async with self._unit_of_work.read() as session:
            standings = Standings(session, guild_id, span)
            row = await standings.of(user_id)
            if row is None:
                return None
            position = await standings.higher(row.total) + row.seat
            return pages.board_page_of(position, await standings.members())

    # ── the moving spans ────────────────────────────────────────────────────
    async def leave_spans(self, now: datetime) -> bool:
        """Take entries that are too old out of the moving spans (see `ReputationStore`)."""
        more = False
        for position, span in enumerate(MOVING):
            async with self._unit_of_work.write() as session:
                left = await _leave(session, len(MOVING) - position, now - span.length)
                amounts = Counter[tuple[int, int]]()
                counts = Counter[tuple[int, int]]()
                for guild_id, target_id, amount in left:
                    amounts[guild_id, target_id] += amount
                    counts[guild_id, target_id] += 1
                for guild_id in sorted({guild_id for guild_id, _ in counts}):
                    await take_turn(session, guild_id)
                for (guild_id, target_id), count in counts.items():
                    standings = Standings(session, guild_id, span)
                    amount = -amounts[guild_id, target_id]
                    await standings.change(target_id, amount=amount, entries=-count)
            more = more or len(left) == _LEAVING_AT_ONCE
        return more

    async def next_leaving(self) -> datetime | None:
        """Return when the next entry leaves a moving span (see `ReputationStore`)."""
        moments: list[datetime] = []
        async with self._unit_of_work.read() as session:
            for position, span in enumerate(MOVING):
                oldest = select(func.min(_ENTRY.c.at)).where(
                    _IN_WINDOWS, _ENTRY.c.windows == len(MOVING) - position
                )
                if (at := (await session.execute(oldest)).scalar()) is not None:
                    moments.append(at + span.length)
        return min(moments, default=None)


# ── steps of a transaction ──────────────────────────────────────────────────
async def _cool_down(session: AsyncSession, change: Change, at: datetime) -> None:
    """Note when the giver changed this target, unless that is too short a while ago."""
    pair = {
        "guild_id": change.guild_id,
        "giver_id": change.giver_id,
        "target_id": change.target_id,
    }
    allowed = await upsert_if(
        session,
        ReputationCooldownRow,
        {**pair, "since": at},
        changes={"since": at},
        only_if=_COOLDOWN.c.since <= at - COOLDOWN,
    )
    if allowed is None:
        stands = select(_COOLDOWN.c.since).where(
            *(_COOLDOWN.c[name] == value for name, value in pair.items())
        )
        raise CoolingDown((await session.execute(stands)).scalar_one() + COOLDOWN)


def _cooldown_of(entry: Entry) -> Any:
    return and_(
        _COOLDOWN.c.guild_id == entry.guild_id,
        _COOLDOWN.c.giver_id == entry.giver_id,
        _COOLDOWN.c.target_id == entry.target_id,
        _COOLDOWN.c.since == entry.at,
    )


async def _close_gap(session: AsyncSession, entry: Entry, number: int) -> None:
    """Renumber what came after an entry that is gone: what others wrote within seconds."""
    newer = and_(
        _ENTRY.c.guild_id == entry.guild_id,
        _ENTRY.c.target_id == entry.target_id,
        _ENTRY.c.number > number,
    )
    await session.execute(update(_ENTRY).where(newer).values(number=_ENTRY.c.number - 1))


async def _leave(
    session: AsyncSession, windows: int, until: datetime
) -> list[tuple[int, int, int]]:
    """Mark the oldest entries as out of a span; return guild, target and amount of each."""
    aged = and_(_IN_WINDOWS, _ENTRY.c.windows == windows, _ENTRY.c.at <= until)
    some = (
        select(_ENTRY.c.id)
        .where(aged)
        .order_by(_ENTRY.c.at)
        .limit(_LEAVING_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    marked = (
        update(_ENTRY)
        .where(_ENTRY.c.id.in_(some), _ENTRY.c.windows == windows)
        .values(windows=windows - 1)
        .returning(_ENTRY.c.guild_id, _ENTRY.c.target_id, _ENTRY.c.amount)
    )
    rows = (await session.execute(marked)).all()
    return [(row.guild_id, row.target_id, row.amount) for row in rows]


def _not_retractable(giver_id: int | None, by: int) -> NotRetractable:
    if giver_id is None:
        return RetractedAlready()
    if giver_id != by:
        return NotTheGiver()
    return TooLateToRetract(RETRACTABLE.total_seconds())


def _entry(row: Mapping[Any, Any]) -> Entry:
    return Entry(
        id=row["id"],
        guild_id=row["guild_id"],
        giver_id=row["giver_id"],
        target_id=row["target_id"],
        amount=row["amount"],
        reason=row["reason"],
        at=row["at"],
    )


def _storable(reason: str) -> str:
    """Take out what a database refuses: NUL (PostgreSQL) and halves of surrogate pairs (both)."""
    return reason.replace("\0", "").encode("utf-8", "replace").decode()
