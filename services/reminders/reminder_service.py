"""Schedules, lists, removes and snoozes reminders, and fires them when they are due."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.background import BackgroundTasks
from services.clock import Clock
from services.db.errors import StorageUnavailable
from services.reminders.alarm import Alarm
from services.reminders.errors import NoSuchReminder, NotYours
from services.reminders.firing import Firing
from services.reminders.ports import Delivery, ReminderStore
from services.reminders.reminder import (
    Draft,
    Reminder,
    ReminderPage,
    Removed,
    Snooze,
    read_schedule,
)

_log = logging.getLogger(__name__)

_CLAIMED_AT_ONCE = 200
_PAUSE_SECONDS = 2.0
"""After the database did not answer."""


class ReminderService:
    """Reminders of all guilds.

    `safety` is how long the one sleeper sleeps at most where other processes share the database;
    None where there are none.
    """

    def __init__(
        self,
        *,
        store: ReminderStore,
        delivery: Delivery,
        clock: Clock,
        safety: timedelta | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._alarm = Alarm(clock, safety=safety)
        self._alone = safety is None
        self._tasks = BackgroundTasks("reminders")
        self._firing = Firing(
            store=store, delivery=delivery, clock=clock, wake_by=self._alarm.wake_by
        )
        self._started_at: datetime | None = None

    # ── life ────────────────────────────────────────────────────────────────
    def start(self) -> None:
        """Begin to fire; what came due before this moment says that it is late."""
        if self._started_at is None:
            self._started_at = self._clock.now()
            self._tasks.start(self._run(), name="wait for the next")

    async def close(self) -> None:
        """Stop firing; what is not done goes on in another process, or at the next start."""
        await self._tasks.close()
        await self._firing.close()

    # ── use cases ───────────────────────────────────────────────────────────
    async def schedule(
        self,
        when: str,
        *,
        guild_id: int,
        channel_id: int,
        scheduled_by: int,
        targets: Sequence[int],
        note: str,
        zone: ZoneInfo,
    ) -> Reminder:
        """Store a reminder; `when` is as members write it, in the guild's zone.

        Raises:
            WhenNotUnderstood, WhenInThePast, WhenTooFar: no such moment.
            TooManyScheduled, TooManyReceived: somebody has 25 open ones.
            StorageUnavailable: it was not stored.
        """
        due_at, repeats = read_schedule(when, now=self._clock.now(), zone=zone)
        return await self._add(
            Draft(
                guild_id=guild_id,
                channel_id=channel_id,
                scheduled_by=scheduled_by,
                targets=tuple(dict.fromkeys(targets)),
                note=note.strip(),
                due_at=due_at,
                zone=zone.key,
                repeats=repeats,
            )
        )

    async def link(self, reminder_id: int, message_id: int) -> None:
        """Note which message told that the reminder is set; the reminder leads back to it.

        Raises:
            StorageUnavailable: it will lead to the channel alone.
        """
        await self._store.set_link(reminder_id, message_id)

    async def snooze(
        self,
        reminder_id: int,
        occurrence: int,
        *,
        by: int,
        snooze: Snooze,
        zone_of: Callable[[int], ZoneInfo],
    ) -> Reminder:
        """Remind a member again later; a further snooze of the same message moves that.

        Raises:
            NoSuchReminder: there never was one.
            NotYours: somebody else is reminded.
            TooManyScheduled: the member has 25 open ones.
            StorageUnavailable: it was not stored.
        """
        reminder = await self._store.get(reminder_id)
        if reminder is None:
            raise NoSuchReminder(reminder_id)
        if not reminder.concerns(by):
            raise NotYours
        zone = zone_of(reminder.guild_id)
        due_at, _ = read_schedule(snooze.value, now=self._clock.now(), zone=zone)
        return await self._add(
            Draft(
                guild_id=reminder.guild_id,
                channel_id=reminder.channel_id,
                scheduled_by=by,
                targets=(by,),
                note=reminder.note,
                due_at=due_at,
                zone=zone.key,
                link=(reminder.link_channel_id, reminder.link_message_id),
                snooze_of=(reminder_id, occurrence),
            )
        )

    async def page(self, guild_id: int, user_id: int, number: int) -> ReminderPage:
        """Return a page of the open reminders that concern a member, or the nearest page.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        return await self._store.page(guild_id, user_id, number)

    async def remove(self, guild_id: int, reminder_id: int, *, by: int) -> Removed:
        """Remove a reminder; one of several who are reminded removes it for themselves alone.

        Raises:
            NoSuchReminder: there is none that concerns the member.
            StorageUnavailable: it stays.
        """
        removed = await self._store.remove(guild_id, reminder_id, by=by, now=self._clock.now())
        if removed is None:
            raise NoSuchReminder(reminder_id)
        return removed

    async def _add(self, draft: Draft) -> Reminder:
        reminder = await self._store.add(draft, now=self._clock.now())
        self._alarm.wake_by(reminder.due_at)
        return reminder

    # ── firing ──────────────────────────────────────────────────────────────
    async def _run(self) -> None:
        """Fire what is due, then sleep until something else is."""
        while True:
            try:
                if self._alone:
                    await self._take_over()
                await self._fire_due()
                wake = await self._store.next_wake(self._firing.holder)
            except StorageUnavailable as error:
                _log.warning("reminders wait for the database: %s", error)
                wake = self._clock.now() + timedelta(seconds=_PAUSE_SECONDS)
            await self._alarm.sleep_until(wake)

    async def _fire_due(self) -> None:
        while True:
            await self._firing.wait_for_room()
            most = min(_CLAIMED_AT_ONCE, self._firing.room)
            claimed = await self._store.claim(
                self._clock.now(),
                holder=self._firing.holder,
                until=self._firing.lease_until,
                most=most,
            )
            for item in claimed:
                self._firing.take(item, missed=self._missed(item.reminder))
            if len(claimed) < most:
                return

    async def _take_over(self) -> None:
        """End the leases of the process that ran before this one; it does not come back."""
        await self._store.release(None)
        self._alone = False

    def _missed(self, reminder: Reminder) -> bool:
        return self._started_at is not None and reminder.due_at < self._started_at
