"""Reminders in the database: quotas and claims are single conditional statements.

A claim marks rows as taken until a moment, by one statement whose condition holds for nobody else
afterwards; rows that another process is just taking are passed over. Quotas are counters that a
condition keeps from passing the limit. On PostgreSQL rows are always locked in the same order:
reminders before quotas, quotas by user id.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, and_, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.db.models import ReminderPersonRow, ReminderQuotaRow, ReminderRow
from services.db.unit_of_work import UnitOfWork
from services.db.upsert import upsert_if
from services.reminders.errors import TooManyReceived, TooManyScheduled
from services.reminders.reminder import (
    MAX_OPEN,
    PER_PAGE,
    Claimed,
    Draft,
    Reminder,
    ReminderPage,
    Removed,
)
from services.text.when import parse_repeat

_REMINDER = cast("Table", ReminderRow.__table__)
_PERSON = cast("Table", ReminderPersonRow.__table__)
_QUOTA = cast("Table", ReminderQuotaRow.__table__)
_OPEN = _REMINDER.c.closed_at.is_(None)
_LEASED = and_(_OPEN, _REMINDER.c.lease_until.is_not(None))
_FREE = {"lease_until": None, "lease_by": None, "claimed_at": None, "claimed_before": None}


class ReminderRepository:
    """The reminder store on SQLite or PostgreSQL."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    # ── members ─────────────────────────────────────────────────────────────
    async def add(self, draft: Draft, *, now: datetime) -> Reminder:
        """Store a reminder (see `ReminderStore`)."""
        try:
            return await self._add(draft, now)
        except IntegrityError:  # the same snooze, clicked twice, was stored by another process
            return await self._add(draft, now)

    async def _add(self, draft: Draft, now: datetime) -> Reminder:
        async with self._unit_of_work.write() as session:
            if (moved := await _move_snooze(session, draft)) is not None:
                return moved
            await _use_quota(session, draft)
            made = insert(_REMINDER).values(_row(draft, now)).returning(*_REMINDER.columns)
            reminder = _reminder((await session.execute(made)).mappings().one())
            people = sorted({reminder.scheduled_by, *reminder.targets})
            persons = [
                {"guild_id": draft.guild_id, "user_id": user_id, "reminder_id": reminder.id}
                for user_id in people
            ]
            await session.execute(insert(_PERSON), persons)
        return reminder

    async def set_link(self, reminder_id: int, message_id: int) -> None:
        """Note which message told that the reminder is set (see `ReminderStore`)."""
        linked = update(_REMINDER).where(_REMINDER.c.id == reminder_id)
        async with self._unit_of_work.write() as session:
            await session.execute(linked.values(link_message_id=message_id))

    async def get(self, reminder_id: int) -> Reminder | None:
        """Return a reminder, open or done (see `ReminderStore`)."""
        query = select(*_REMINDER.columns).where(_REMINDER.c.id == reminder_id)
        async with self._unit_of_work.read() as session:
            row = (await session.execute(query)).mappings().one_or_none()
        return None if row is None else _reminder(row)

    async def page(self, guild_id: int, user_id: int, number: int) -> ReminderPage:
        """Return a page of what concerns a member (see `ReminderStore`); quotas bound it all."""
        theirs = and_(_PERSON.c.guild_id == guild_id, _PERSON.c.user_id == user_id)
        async with self._unit_of_work.read() as session:
            counted = select(func.count()).select_from(_PERSON).where(theirs)
            count = int((await session.execute(counted)).scalar_one())
            pages = max(1, -(-count // PER_PAGE))
            number = min(max(number, 1), pages)
            query = (
                select(*_REMINDER.columns)
                .join(_PERSON, _PERSON.c.reminder_id == _REMINDER.c.id)
                .where(theirs)
                .order_by(_REMINDER.c.due_at, _REMINDER.c.id)
                .limit(PER_PAGE)
                .offset((number - 1) * PER_PAGE)
            )
            rows = (await session.execute(query)).mappings().all()
        return ReminderPage(
            reminders=tuple(map(_reminder, rows)), number=number, pages=pages, count=count
        )

    async def remove(
        self, guild_id: int, reminder_id: int, *, by: int, now: datetime
    ) -> Removed | None:
        """Remove an open reminder, or one target of it (see `ReminderStore`)."""
        query = (
            select(*_REMINDER.columns)
            .where(_REMINDER.c.id == reminder_id, _REMINDER.c.guild_id == guild_id, _OPEN)
            .with_for_update()
        )
        async with self._unit_of_work.write() as session:
            row = (await session.execute(query)).mappings().one_or_none()
            if row is None or not _reminder(row).concerns(by):
                return None
            reminder = _reminder(row)
            if by == reminder.scheduled_by or reminder.targets == (by,):
                await _close(session, reminder, now)
                return Removed(reminder, for_all=True)
            await _drop_target(session, reminder, by)
        return Removed(reminder, for_all=False)

    # ── firing ──────────────────────────────────────────────────────────────
    async def claim(
        self, now: datetime, *, holder: str, until: datetime, most: int
    ) -> Sequence[Claimed]:
        """Take what is due and nobody is busy with (see `ReminderStore`)."""
        due = and_(
            _OPEN,
            _REMINDER.c.due_at <= now,
            or_(_REMINDER.c.lease_until.is_(None), _REMINDER.c.lease_until <= now),
        )
        some = (
            select(_REMINDER.c.id)
            .where(due)
            .order_by(_REMINDER.c.due_at, _REMINDER.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        taken = (
            update(_REMINDER)
            .where(_REMINDER.c.id.in_(some), due)
            .values(
                lease_until=until,
                lease_by=holder,
                claimed_before=_REMINDER.c.claimed_at,
                claimed_at=func.coalesce(_REMINDER.c.claimed_at, now),
            )
            .returning(*_REMINDER.columns)
        )
        async with self._unit_of_work.write() as session:
            rows = (await session.execute(taken)).mappings().all()
        claimed = [Claimed(reminder=_reminder(row), tried_at=row["claimed_before"]) for row in rows]
        return sorted(claimed, key=lambda item: (item.reminder.due_at, item.reminder.id))

    async def renew(self, reminder_ids: Sequence[int], holder: str, *, until: datetime) -> None:
        """Keep what a process has taken (see `ReminderStore`)."""
        kept = update(_REMINDER).where(_of(holder), _REMINDER.c.id.in_(reminder_ids))
        async with self._unit_of_work.write() as session:
            await session.execute(kept.values(lease_until=until))

    async def release(self, holder: str | None) -> None:
        """Let others take what was taken (see `ReminderStore`)."""
        theirs = _LEASED if holder is None else _of(holder)
        freed = {"lease_until": None, "lease_by": None}
        async with self._unit_of_work.write() as session:
            await session.execute(update(_REMINDER).where(theirs).values(freed))

    async def fired(self, reminder: Reminder, *, at: datetime, next_due: datetime | None) -> None:
        """Note that an occurrence was delivered (see `ReminderStore`)."""
        async with self._unit_of_work.write() as session:
            if next_due is None:
                await _close(session, reminder, at)
                return
            once = and_(_this_occurrence(reminder), _OPEN)
            again = {"due_at": next_due, "occurrence": reminder.occurrence + 1, **_FREE}
            await session.execute(update(_REMINDER).where(once).values(again))

    async def next_wake(self, holder: str) -> datetime | None:
        """Return when there is something to do (see `ReminderStore`)."""
        due = select(func.min(_REMINDER.c.due_at)).where(_OPEN, _REMINDER.c.lease_until.is_(None))
        lapsing = select(func.min(_REMINDER.c.lease_until)).where(
            _LEASED, _REMINDER.c.lease_by != holder
        )
        async with self._unit_of_work.read() as session:
            moments = [(await session.execute(query)).scalar() for query in (due, lapsing)]
        return min((moment for moment in moments if moment is not None), default=None)


# ── steps of a transaction ──────────────────────────────────────────────────
async def _move_snooze(session: AsyncSession, draft: Draft) -> Reminder | None:
    """Put off what the member has snoozed this occurrence with already, if they have."""
    if draft.snooze_of is None:
        return None
    reminder_id, occurrence = draft.snooze_of
    same = and_(
        _OPEN,
        _REMINDER.c.snooze_of == reminder_id,
        _REMINDER.c.snooze_occurrence == occurrence,
        _REMINDER.c.scheduled_by == draft.scheduled_by,
    )
    # if it is just being fired, that is another occurrence
    later = {"due_at": draft.due_at, "occurrence": _REMINDER.c.occurrence + 1, **_FREE}
    moved = update(_REMINDER).where(same).values(later).returning(*_REMINDER.columns)
    row = (await session.execute(moved)).mappings().one_or_none()
    return None if row is None else _reminder(row)


async def _use_quota(session: AsyncSession, draft: Draft) -> None:
    for user_id in sorted({draft.scheduled_by, *draft.targets}):
        scheduled = int(user_id == draft.scheduled_by)
        column = _QUOTA.c.scheduled if scheduled else _QUOTA.c.received
        row = {
            "guild_id": draft.guild_id,
            "user_id": user_id,
            "scheduled": scheduled,
            "received": 1 - scheduled,
        }
        allowed = await upsert_if(
            session,
            ReminderQuotaRow,
            row,
            changes={column.name: column + 1},
            only_if=column < MAX_OPEN,
        )
        if allowed is None:
            raise TooManyScheduled(MAX_OPEN) if scheduled else TooManyReceived(MAX_OPEN, user_id)


async def _close(session: AsyncSession, reminder: Reminder, at: datetime) -> None:
    """End a reminder, unless that was done already."""
    closed = (
        update(_REMINDER)
        .where(_this_occurrence(reminder), _OPEN)
        .values(closed_at=at, occurrence=reminder.occurrence + 1, **_FREE)
        .returning(_REMINDER.c.targets)
    )
    targets = (await session.execute(closed)).scalar_one_or_none()
    if targets is None:
        return
    people = {reminder.scheduled_by, *_ids(targets)}
    await session.execute(delete(_PERSON).where(_persons(reminder, people)))
    await _free_quota(session, reminder, people)


async def _drop_target(session: AsyncSession, reminder: Reminder, user_id: int) -> None:
    left = ",".join(str(target) for target in reminder.targets if target != user_id)
    mine = _REMINDER.c.id == reminder.id
    await session.execute(update(_REMINDER).where(mine).values(targets=left))
    await session.execute(delete(_PERSON).where(_persons(reminder, {user_id})))
    await _free_quota(session, reminder, {user_id})


async def _free_quota(session: AsyncSession, reminder: Reminder, people: set[int]) -> None:
    for user_id in sorted(people):
        column = _QUOTA.c.scheduled if user_id == reminder.scheduled_by else _QUOTA.c.received
        theirs = and_(_QUOTA.c.guild_id == reminder.guild_id, _QUOTA.c.user_id == user_id)
        await session.execute(update(_QUOTA).where(theirs).values({column.name: column - 1}))


# ── conditions ──────────────────────────────────────────────────────────────
def _this_occurrence(reminder: Reminder) -> Any:
    return and_(_REMINDER.c.id == reminder.id, _REMINDER.c.occurrence == reminder.occurrence)


def _persons(reminder: Reminder, user_ids: set[int]) -> Any:
    return and_(
        _PERSON.c.guild_id == reminder.guild_id,
        _PERSON.c.user_id.in_(user_ids),
        _PERSON.c.reminder_id == reminder.id,
    )


def _of(holder: str) -> Any:
    return and_(_LEASED, _REMINDER.c.lease_by == holder)


# ── rows and values ─────────────────────────────────────────────────────────
def _row(draft: Draft, now: datetime) -> dict[str, Any]:
    link_channel_id, link_message_id = draft.link or (draft.channel_id, None)
    snooze_of, snooze_occurrence = draft.snooze_of or (None, None)
    return {
        "guild_id": draft.guild_id,
        "channel_id": draft.channel_id,
        "link_channel_id": link_channel_id,
        "link_message_id": link_message_id,
        "scheduled_by": draft.scheduled_by,
        "targets": ",".join(map(str, draft.targets)),
        "note": draft.note.replace("\0", "").encode("utf-8", "replace").decode(),
        "created_at": now,
        "due_at": draft.due_at,
        "zone": draft.zone,
        "repeats": None if draft.repeats is None else str(draft.repeats),
        "occurrence": 0,
        "snooze_of": snooze_of,
        "snooze_occurrence": snooze_occurrence,
    }


def _reminder(row: Mapping[Any, Any]) -> Reminder:
    return Reminder(
        id=row["id"],
        guild_id=row["guild_id"],
        channel_id=row["channel_id"],
        link_channel_id=row["link_channel_id"],
        link_message_id=row["link_message_id"],
        scheduled_by=row["scheduled_by"],
        targets=_ids(row["targets"]),
        note=row["note"],
        created_at=row["created_at"],
        due_at=row["due_at"],
        zone=row["zone"],
        repeats=None if row["repeats"] is None else parse_repeat(row["repeats"]),
        occurrence=row["occurrence"],
    )


def _ids(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))
