"""Standings in the database: moved by each change, read at any position at the same cost.

How positions are found is told in `services/reputation/ladder.py`. Everything here runs inside of a
transaction that somebody else opened; before the first write in a guild comes `take_turn`.
"""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Table, and_, bindparam, delete, func, or_, select, update
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

# Statements are made once: to put one together costs more than to run it.
_HERE = and_(
    _STANDING.c.guild_id == bindparam("guild"),
    _STANDING.c.span == bindparam("days"),
)
_COUNTED_HERE = and_(
    _COUNT.c.guild_id == bindparam("guild"),
    _COUNT.c.span == bindparam("days"),
)
_RANKED = select(_STANDING.c.user_id, _STANDING.c.total, _STANDING.c.seat).where(_HERE)
_OF_MEMBER = select(_STANDING.c.total, _STANDING.c.entries, _STANDING.c.seat).where(
    _HERE, _STANDING.c.user_id == bindparam("user")
)
_TOP = _RANKED.order_by(_STANDING.c.total.desc(), _STANDING.c.seat).limit(bindparam("number"))
_BOTTOM = _RANKED.order_by(_STANDING.c.total, _STANDING.c.seat.desc()).limit(bindparam("number"))
_BELOW = _TOP.where(_STANDING.c.total < bindparam("at"))
_EQUALS = _RANKED.where(
    _STANDING.c.total == bindparam("at"),
    _STANDING.c.seat.between(bindparam("first"), bindparam("last")),
).order_by(_STANDING.c.seat)
_SLOTS = (
    select(_COUNT.c.slot, _COUNT.c.members)
    .where(
        _COUNTED_HERE,
        _COUNT.c.height == bindparam("at_height"),
        _COUNT.c.slot.between(bindparam("low"), bindparam("high")),
    )
    .order_by(_COUNT.c.slot.desc())
)
_SUM = select(func.coalesce(func.sum(_COUNT.c.members), 0))
_MEMBERS = _SUM.where(_COUNTED_HERE, _COUNT.c.height == ladder.TOP)
_HIGHER = _SUM.where(
    _COUNTED_HERE,
    or_(
        *(
            and_(
                _COUNT.c.height == height,
                _COUNT.c.slot.between(bindparam(f"low{height}"), bindparam(f"high{height}")),
            )
            for height in range(ladder.TOP + 1)
        )
    ),
)
_RENUMBER = (
    update(_STANDING)
    .where(_HERE, _STANDING.c.total == bindparam("at"), _STANDING.c.seat == bindparam("last"))
    .values(seat=bindparam("free"))
)
_COUNT_ENTRIES = (
    update(_STANDING)
    .where(_HERE, _STANDING.c.user_id == bindparam("user"))
    .values(entries=bindparam("number"))
)
_REMOVE = delete(_STANDING).where(_HERE, _STANDING.c.user_id == bindparam("user"))
_FORGET_SLOT = delete(_COUNT).where(
    _COUNTED_HERE,
    _COUNT.c.height == bindparam("at_height"),
    _COUNT.c.slot == bindparam("low"),
)


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
        self._here = {"guild": guild_id, "days": span.value}

    # ── writing ─────────────────────────────────────────────────────────────
    async def change(self, user_id: int, *, amount: int, entries: int) -> tuple[int, int]:
        """Add to a member's total and number of entries; return both.

        Without entries a member has no standing.
        """
        row = await self.of(user_id)
        total = amount + (row.total if row else 0)
        count = entries + (row.entries if row else 0)
        old = row.total if row else None
        new = total if count else None
        if old == new:
            await self._run(_COUNT_ENTRIES, user=user_id, number=count)
            return total, count
        last, seat = await self._recount(old, new)
        if new is None:
            await self._run(_REMOVE, user=user_id)
        else:
            standing = {"user_id": user_id, "total": new, "entries": count, "seat": seat}
            await upsert(
                self._session,
                ReputationStandingRow,
                [{**self._key, **standing}],
                update=("total", "entries", "seat"),
            )
        if row is not None and row.seat != last:
            await self._run(_RENUMBER, at=row.total, last=last, free=row.seat)
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
            await self._run(_FORGET_SLOT, at_height=height, low=slot)
        return members

    # ── reading ─────────────────────────────────────────────────────────────
    async def of(self, user_id: int) -> Any:
        """Return a member's total, entries and seat; None without a standing."""
        return (await self._run(_OF_MEMBER, user=user_id)).one_or_none()

    async def members(self) -> int:
        """Return how many members have a standing."""
        return int((await self._run(_MEMBERS)).scalar_one())

    async def higher(self, total: int) -> int:
        """Return how many members have a higher total."""
        bounds: dict[str, int] = {}
        for slots in ladder.above(total):
            bounds |= {f"low{slots.height}": slots.low, f"high{slots.height}": slots.high}
        return int((await self._run(_HIGHER, **bounds)).scalar_one())

    async def between(self, first: int, last: int, *, members: int) -> tuple[Ranked, ...]:
        """Return who stands at positions from `first` to `last`; there are `members` in all."""
        number = last - first + 1
        if first == 1:
            rows = (await self._run(_TOP, number=number)).all()
        elif last == members:
            rows = (await self._run(_BOTTOM, number=number)).all()[::-1]
        else:
            rows = await self._beginning_with(first, number)
        return tuple(
            Ranked(position, position - row.seat + 1, row.user_id, row.total)
            for position, row in enumerate(rows, start=first)
        )

    async def _beginning_with(self, position: int, number: int) -> Sequence[Any]:
        total, seat = await self._at(position)
        last = seat + number - 1
        rows = list((await self._run(_EQUALS, at=total, first=seat, last=last)).all())
        if len(rows) < number:
            rows += (await self._run(_BELOW, at=total, number=number - len(rows))).all()
        return rows

    async def _at(self, position: int) -> tuple[int, int]:
        """Return the total and the seat of who stands at a position."""
        slots = ladder.WHOLE
        while True:
            slot, position = await self._slot_with(slots, position)
            if slots.height == 0:
                return slot, position
            slots = ladder.inside(slots.height, slot)

    async def _slot_with(self, slots: Slots, position: int) -> tuple[int, int]:
        """Return the slot in which a position lies, and the position within that slot."""
        rows = await self._run(_SLOTS, at_height=slots.height, low=slots.low, high=slots.high)
        for slot, members in rows.all():
            if position <= members:
                return slot, position
            position -= members
        raise LookupError("there are fewer members")

    async def _run(self, statement: Any, **values: int) -> Any:
        return await self._session.execute(statement, {**self._here, **values})
