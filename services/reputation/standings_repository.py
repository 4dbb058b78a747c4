"""Standings in the database: moved by each change, read at any position at the same cost.

How positions are found is told in `services/reputation/ladder.py`. Everything here runs inside of a
transaction that somebody else opened; before the first write in a guild comes `take_turn`.
"""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.db.models import ReputationBoardRow, ReputationCountRow, ReputationStandingRow
from services.db.upsert import upsert, upsert_if
from services.reputation import ladder
from services.reputation.ladder import Slots
from services.reputation.pages import Ranked
from services.reputation.rules import Span

_STANDING = cast("Table", ReputationStandingRow.__table__)
_COUNT = cast("Table", ReputationCountRow.__table__)
_BOARD = cast("Table", ReputationBoardRow.__table__)


async def take_turn(session: AsyncSession, guild_id: int) -> None:
    """Wait until no other transaction changes the guild's standings, and keep others out."""
    await upsert_if(
        session,
        ReputationBoardRow,
        {"guild_id": guild_id, "changes": 1},
        changes={"changes": _BOARD.c.changes + 1},
    )


class Standings:
    """The standings of one guild in one span, within a transaction."""

    def __init__(self, session: AsyncSession, guild_id: int, span: Span) -> None:
        self._session = session
        self._key = {"guild_id": guild_id, "span": span.value}

    # ── writing ─────────────────────────────────────────────────────────────
    async def change(self, user_id: int, *, amount: int, entries: int) -> tuple[int, int]:
        """Add to a member's total and number of entries; return both.

        Without entries a member has no standing.
        """
        row = await self._row(user_id)
        total = amount + (row.total if row else 0)
        count = entries + (row.entries if row else 0)
        old = row.total if row else None
        new = total if count else None
        if old == new:
            if row is not None:
                await self._update(user_id, entries=count)
            return total, count
        freed = None if row is None else (row.total, row.seat)
        last, seat = await self._recount(old, new)
        if new is None:
            await self._session.execute(delete(_STANDING).where(self._is(user_id)))
        else:
            standing = {"user_id": user_id, "total": new, "entries": count, "seat": seat}
            await upsert(
                self._session,
                ReputationStandingRow,
                [{**self._key, **standing}],
                update=("total", "entries", "seat"),
            )
        if freed is not None and freed[1] != last:
            await self._move_up(*freed, last)
        return total, count

    async def _recount(self, old: int | None, new: int | None) -> tuple[int, int]:
        """Change the counts; return the last seat at the old total, and the next at the new."""
        last = seat = 0
        for height, left, entered in ladder.crossed(old, new):
            if left is not None:
                members = await self._add(height, left, -1)
                last = members + 1 if height == 0 else last
            if entered is not None:
                members = await self._add(height, entered, 1)
                seat = members if height == 0 else seat
        return last, seat

    async def _add(self, height: int, slot: int, number: int) -> int:
        """Add to a slot's count and return it; a count of none is not kept."""
        row = await upsert_if(
            self._session,
            ReputationCountRow,
            {**self._key, "height": height, "slot": slot, "members": number},
            changes={"members": _COUNT.c.members + number},
        )
        assert row is not None
        members: int = row["members"]
        if not members:
            gone = and_(self._in(_COUNT), _COUNT.c.height == height, _COUNT.c.slot == slot)
            await self._session.execute(delete(_COUNT).where(gone))
        return members

    async def _move_up(self, total: int, seat: int, last: int) -> None:
        """Let the last of those with a total take the seat that became free."""
        holder = and_(self._in(_STANDING), _STANDING.c.total == total, _STANDING.c.seat == last)
        await self._session.execute(update(_STANDING).where(holder).values(seat=seat))

    async def _update(self, user_id: int, **values: int) -> None:
        await self._session.execute(update(_STANDING).where(self._is(user_id)).values(**values))

    # ── reading ─────────────────────────────────────────────────────────────
    async def members(self) -> int:
        """Return how many members have a standing."""
        return await self._sum([ladder.whole()])

    async def rank_and_position(self, user_id: int) -> tuple[int, int] | None:
        """Return a member's rank, and their position among everybody; None without a standing."""
        row = await self._row(user_id)
        if row is None:
            return None
        higher = await self._sum(ladder.above(row.total))
        return higher + 1, higher + row.seat

    async def between(self, first: int, last: int, *, members: int) -> tuple[Ranked, ...]:
        """Return who stands at positions from `first` to `last`; there are `members` in all."""
        if first == 1:
            rows = await self._from_the_top(last)
        elif last == members:
            rows = await self._from_the_bottom(last - first + 1)
        else:
            rows = await self._beginning_with(first, last - first + 1)
        return tuple(
            Ranked(position, position - row.seat + 1, row.user_id, row.total)
            for position, row in enumerate(rows, start=first)
        )

    async def _from_the_top(self, number: int) -> Sequence[Any]:
        query = self._ranked().order_by(_STANDING.c.total.desc(), _STANDING.c.seat)
        return (await self._session.execute(query.limit(number))).all()

    async def _from_the_bottom(self, number: int) -> Sequence[Any]:
        query = self._ranked().order_by(_STANDING.c.total, _STANDING.c.seat.desc())
        return (await self._session.execute(query.limit(number))).all()[::-1]

    async def _beginning_with(self, position: int, number: int) -> Sequence[Any]:
        total, seat = await self._at(position)
        equals = (
            self._ranked()
            .where(_STANDING.c.total == total, _STANDING.c.seat.between(seat, seat + number - 1))
            .order_by(_STANDING.c.seat)
        )
        rows = list((await self._session.execute(equals)).all())
        if len(rows) < number:
            lower = self._ranked().where(_STANDING.c.total < total)
            lower = lower.order_by(_STANDING.c.total.desc(), _STANDING.c.seat)
            rows += (await self._session.execute(lower.limit(number - len(rows)))).all()
        return rows

    async def _at(self, position: int) -> tuple[int, int]:
        """Return the total and the seat of who stands at a position."""
        slots = ladder.whole()
        while True:
            slot, position = await self._slot_with(slots, position)
            if slots.height == 0:
                return slot, position
            slots = ladder.inside(slots.height, slot)

    async def _slot_with(self, slots: Slots, position: int) -> tuple[int, int]:
        """Return the slot in which a position lies, and the position within that slot."""
        query = (
            select(_COUNT.c.slot, _COUNT.c.members)
            .where(self._within(slots))
            .order_by(_COUNT.c.slot.desc())
        )
        for slot, members in (await self._session.execute(query)).all():
            if position <= members:
                return slot, position
            position -= members
        raise LookupError("there are fewer members")

    async def _sum(self, several: Sequence[Slots]) -> int:
        query = select(func.coalesce(func.sum(_COUNT.c.members), 0)).where(
            or_(*(self._within(slots) for slots in several))
        )
        return int((await self._session.execute(query)).scalar_one())

    def _within(self, slots: Slots) -> ColumnElement[bool]:
        parts = [self._in(_COUNT), _COUNT.c.height == slots.height]
        if slots.low is not None:
            parts.append(_COUNT.c.slot >= slots.low)
        if slots.high is not None:
            parts.append(_COUNT.c.slot <= slots.high)
        return and_(*parts)

    async def _row(self, user_id: int) -> Any:
        query = select(_STANDING.c.total, _STANDING.c.entries, _STANDING.c.seat)
        return (await self._session.execute(query.where(self._is(user_id)))).one_or_none()

    def _ranked(self) -> Any:
        query = select(_STANDING.c.user_id, _STANDING.c.total, _STANDING.c.seat)
        return query.where(self._in(_STANDING))

    def _in(self, table: Table) -> ColumnElement[bool]:
        return and_(*(table.c[name] == value for name, value in self._key.items()))

    def _is(self, user_id: int) -> ColumnElement[bool]:
        return and_(self._in(_STANDING), _STANDING.c.user_id == user_id)
