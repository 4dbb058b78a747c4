"""Reminders as plain dictionaries, with leases and limits; it can fail."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.db.errors import StorageUnavailable
from services.reminders.errors import TooManyScheduled
from services.reminders.reminder import (
    MAX_OPEN,
    PER_PAGE,
    Claimed,
    Draft,
    Reminder,
    ReminderPage,
    Removed,
)


class MemoryReminders:
    """The reminder store of a test."""

    def __init__(self) -> None:
        self.open: dict[int, Reminder] = {}
        self.done: dict[int, Reminder] = {}
        self.failing = False
        self.fails_to_link = False
        self.claims = 0
        """How often something was asked for."""
        self._leases: dict[int, tuple[str, datetime]] = {}
        self._tried_at: dict[int, datetime] = {}
        self._snoozes: dict[tuple[int, int, int], int] = {}
        self._numbers = itertools.count(1)

    async def add(self, draft: Draft, *, now: datetime) -> Reminder:
        self._answer()
        if draft.snooze_of is not None:
            key = (*draft.snooze_of, draft.scheduled_by)
            if (known := self.open.get(self._snoozes.get(key, 0))) is not None:
                moved = replace(known, due_at=draft.due_at, occurrence=known.occurrence + 1)
                self.open[known.id] = moved
                return moved
        if sum(r.scheduled_by == draft.scheduled_by for r in self.open.values()) >= MAX_OPEN:
            raise TooManyScheduled(MAX_OPEN)
        link_channel_id, link_message_id = draft.link or (draft.channel_id, None)
        reminder = Reminder(
            id=next(self._numbers),
            guild_id=draft.guild_id,
            channel_id=draft.channel_id,
            link_channel_id=link_channel_id,
            link_message_id=link_message_id,
            scheduled_by=draft.scheduled_by,
            targets=draft.targets,
            note=draft.note,
            created_at=now,
            due_at=draft.due_at,
            zone=draft.zone,
            repeats=draft.repeats,
            occurrence=0,
        )
        self.open[reminder.id] = reminder
        if draft.snooze_of is not None:
            self._snoozes[*draft.snooze_of, draft.scheduled_by] = reminder.id
        return reminder

    async def set_link(self, reminder_id: int, message_id: int) -> None:
        self._answer()
        if self.fails_to_link:
            raise StorageUnavailable("The disk with the database is full.")
        if reminder_id in self.open:
            known = self.open[reminder_id]
            self.open[reminder_id] = replace(known, link_message_id=message_id)

    async def get(self, reminder_id: int) -> Reminder | None:
        self._answer()
        return self.open.get(reminder_id) or self.done.get(reminder_id)

    async def page(self, guild_id: int, user_id: int, number: int) -> ReminderPage:
        self._answer()
        theirs = [r for r in self.open.values() if r.guild_id == guild_id and r.concerns(user_id)]
        theirs.sort(key=lambda reminder: (reminder.due_at, reminder.id))
        pages = max(1, -(-len(theirs) // PER_PAGE))
        number = min(max(number, 1), pages)
        shown = theirs[(number - 1) * PER_PAGE : number * PER_PAGE]
        return ReminderPage(reminders=tuple(shown), number=number, pages=pages, count=len(theirs))

    async def remove(
        self, guild_id: int, reminder_id: int, *, by: int, now: datetime
    ) -> Removed | None:
        self._answer()
        reminder = self.open.get(reminder_id)
        if reminder is None or reminder.guild_id != guild_id or not reminder.concerns(by):
            return None
        if by == reminder.scheduled_by or reminder.targets == (by,):
            self._close(reminder)
            return Removed(reminder, for_all=True)
        left = tuple(target for target in reminder.targets if target != by)
        self.open[reminder_id] = replace(reminder, targets=left)
        return Removed(reminder, for_all=False)

    async def claim(
        self, now: datetime, *, holder: str, until: datetime, most: int
    ) -> Sequence[Claimed]:
        self.claims += 1
        self._answer()
        due = [r for r in self.open.values() if r.due_at <= now and self._is_free(r.id, now)]
        due.sort(key=lambda reminder: (reminder.due_at, reminder.id))
        claimed: list[Claimed] = []
        for reminder in due[:most]:
            self._leases[reminder.id] = (holder, until)
            tried_at = self._tried_at.get(reminder.id)
            self._tried_at.setdefault(reminder.id, now)
            claimed.append(Claimed(reminder=reminder, tried_at=tried_at))
        return claimed

    async def renew(self, reminder_ids: Sequence[int], holder: str, *, until: datetime) -> None:
        self._answer()
        for reminder_id in reminder_ids:
            if self._leases.get(reminder_id, ("", until))[0] == holder:
                self._leases[reminder_id] = (holder, until)

    async def release(self, holder: str | None) -> None:
        self._answer()
        for reminder_id, (by, _) in list(self._leases.items()):
            if holder in (None, by):
                del self._leases[reminder_id]

    async def fired(self, reminder: Reminder, *, at: datetime, next_due: datetime | None) -> None:
        self._answer()
        known = self.open.get(reminder.id)
        if known is None or known.occurrence != reminder.occurrence:
            return
        if next_due is None:
            self._close(known)
            return
        self.open[known.id] = replace(known, due_at=next_due, occurrence=known.occurrence + 1)
        self._forget(known.id)

    async def next_wake(self, holder: str) -> datetime | None:
        self._answer()
        moments = [r.due_at for r in self.open.values() if r.id not in self._leases]
        moments += [until for by, until in self._leases.values() if by != holder]
        return min(moments, default=None)

    def _is_free(self, reminder_id: int, now: datetime) -> bool:
        lease = self._leases.get(reminder_id)
        return lease is None or lease[1] <= now

    def _close(self, reminder: Reminder) -> None:
        self.done[reminder.id] = self.open.pop(reminder.id)
        self._forget(reminder.id)

    def _forget(self, reminder_id: int) -> None:
        self._leases.pop(reminder_id, None)
        self._tried_at.pop(reminder_id, None)

    def _answer(self) -> None:
        if self.failing:
            raise StorageUnavailable("The database does not answer. Try again in a moment.")
