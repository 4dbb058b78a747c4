"""Delivers what was claimed, and says so in the database: each occurrence exactly once.

The order is: claim (a lease on the row), show, mark. Whoever dies between two of these steps leaves
a row whose lease ends soon; the next one shows it again, which Discord recognises by the message's
nonce, or which is not done at all because the message is found in the channel. Between showing and
marking, a database that does not answer is waited for.

A channel has one reminder on its way at a time, in the order in which they are due: Discord takes
five messages in five seconds there. Channels do not wait for each other. What waits stays ours,
because its lease is renewed.
"""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.background import BackgroundTasks
from services.clock import Clock
from services.db.errors import StorageUnavailable
from services.reminders.errors import NotDelivered, Unreachable
from services.reminders.ports import Delivery, ReminderStore
from services.reminders.reminder import Claimed, Reminder

_log = logging.getLogger(__name__)

_LEASE = timedelta(seconds=20)
_RENEW_SECONDS = 6.0
_CLOSE_SECONDS = 2.0
_PAUSES_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Between tries; the last one repeats."""
MOST_AT_ONCE = 1000
"""So many reminders are taken at most; more would only wait here instead of in the database."""

type Attempt = Callable[[datetime | None], Awaitable[None]]
"""Shows something; gets when an earlier try may have succeeded."""


@dataclass(frozen=True, slots=True)
class _Job:
    claimed: Claimed
    missed: bool


class Firing:
    """The reminders that this process has taken and not finished."""

    def __init__(
        self,
        *,
        store: ReminderStore,
        delivery: Delivery,
        clock: Clock,
        wake_by: Callable[[datetime], None],
    ) -> None:
        self.holder = uuid.uuid4().hex
        """Under which name the rows are leased."""
        self._store = store
        self._delivery = delivery
        self._clock = clock
        self._wake_by = wake_by
        self._lines: dict[int, deque[_Job]] = {}
        self._taken: set[int] = set()
        self._has_room = asyncio.Event()
        self._tasks = BackgroundTasks("reminders on their way")
        self._keeping = BackgroundTasks("leases of reminders")
        self._pausing: set[asyncio.Task[None]] = set()
        self._renewing = False
        self._closing = False

    @property
    def room(self) -> int:
        """How many more may be taken now."""
        return MOST_AT_ONCE - len(self._taken)

    async def wait_for_room(self) -> None:
        """Return when half of what may be taken can be taken."""
        while self.room < MOST_AT_ONCE // 2:
            self._has_room.clear()
            await self._has_room.wait()

    @property
    def lease_until(self) -> datetime:
        """Until when something that is taken now belongs to this process."""
        return self._clock.now() + _LEASE

    def take(self, claimed: Claimed, *, missed: bool) -> None:
        """Deliver a claimed reminder beside the caller."""
        self._taken.add(claimed.reminder.id)
        job = _Job(claimed, missed)
        channel_id = claimed.reminder.channel_id
        if (line := self._lines.get(channel_id)) is not None:
            line.append(job)
        else:
            self._lines[channel_id] = deque([job])
            self._tasks.start(self._work(channel_id), name=f"channel {channel_id}")
        if not self._renewing:
            self._renewing = True
            self._keeping.start(self._renew(), name="renew")

    async def close(self) -> None:
        """Finish what is just being shown, and let other processes take the rest."""
        self._closing = True
        for task in list(self._pausing):
            task.cancel()
        await self._tasks.settle(within=_CLOSE_SECONDS)
        await self._tasks.close()
        await self._keeping.close()
        try:
            await self._store.release(self.holder)
        except StorageUnavailable as error:
            _log.info("leases were left to end by themselves: %s", error)

    # ── one channel ─────────────────────────────────────────────────────────
    async def _work(self, channel_id: int) -> None:
        line = self._lines[channel_id]
        try:
            while line and not self._closing:
                job = line.popleft()
                # a task of its own: where it breaks, that is logged and the others go on
                firing = self._tasks.start(self._fire(job), name="fire")
                await asyncio.wait((firing,))
                self._let_go(job, done=not firing.cancelled() and firing.exception() is None)
        finally:
            del self._lines[channel_id]

    def _let_go(self, job: _Job, *, done: bool) -> None:
        self._taken.discard(job.claimed.reminder.id)
        self._has_room.set()
        if not done:
            self._wake_by(self.lease_until)  # to take it anew

    async def _fire(self, job: _Job) -> None:
        reminder, missed = job.claimed.reminder, job.missed
        try:
            await self._patiently(
                lambda tried_at: self._delivery.to_channel(
                    reminder, missed=missed, tried_at=tried_at
                ),
                tried_at=job.claimed.tried_at,
            )
        except Unreachable as error:
            _log.info("reminder %d goes to its targets directly: %s", reminder.id, error)
            await self._fire_directly(job)
        await self._mark(reminder)

    async def _fire_directly(self, job: _Job) -> None:
        """Send it to each target; who scheduled it hears of those that cannot be reached."""
        reminder, tried_at = job.claimed.reminder, job.claimed.tried_at
        unreached = [
            user_id
            for user_id in reminder.targets
            if not await self._reached(reminder, user_id, job=job)
        ]
        if not unreached or reminder.targets == (reminder.scheduled_by,):
            return
        try:
            await self._patiently(
                lambda tried: self._delivery.to_scheduler(reminder, unreached, tried_at=tried),
                tried_at=tried_at,
            )
        except Unreachable as error:
            _log.warning("reminder %d reached nobody of %s: %s", reminder.id, unreached, error)

    async def _reached(self, reminder: Reminder, user_id: int, *, job: _Job) -> bool:
        try:
            await self._patiently(
                lambda tried: self._delivery.to_target(
                    reminder, user_id, missed=job.missed, tried_at=tried
                ),
                tried_at=job.claimed.tried_at,
            )
        except Unreachable as error:
            _log.info("reminder %d: user %d is not reached: %s", reminder.id, user_id, error)
            return False
        return True

    async def _patiently(self, attempt: Attempt, *, tried_at: datetime | None) -> None:
        """Try until it is shown or the place turns out closed."""
        failures = 0
        while True:
            began = self._clock.now()
            try:
                await attempt(tried_at)
            except NotDelivered as error:
                tried_at = tried_at or began
                pause = _PAUSES_SECONDS[min(failures, len(_PAUSES_SECONDS) - 1)]
                _log.info("a reminder is tried again in %g s: %s", pause, error)
            else:
                return
            failures += 1
            await self._pause(pause)

    async def _mark(self, reminder: Reminder) -> None:
        """Note that it was delivered, as soon as the database takes that."""
        failures = 0
        while True:
            now = self._clock.now()
            next_due = reminder.next_after(now)
            try:
                await self._store.fired(reminder, at=now, next_due=next_due)
            except StorageUnavailable as error:
                _log.warning("reminder %d was shown, but not marked: %s", reminder.id, error)
            else:
                break
            await self._pause(_PAUSES_SECONDS[min(failures, len(_PAUSES_SECONDS) - 1)])
            failures += 1
        if next_due is not None:
            self._wake_by(next_due)

    async def _pause(self, seconds: float) -> None:
        """Sleep between two tries; the end of the service ends it too."""
        task = asyncio.current_task()
        assert task is not None
        if self._closing:
            raise asyncio.CancelledError
        self._pausing.add(task)
        try:
            await self._clock.sleep(seconds)
        finally:
            self._pausing.discard(task)

    # ── leases ──────────────────────────────────────────────────────────────
    async def _renew(self) -> None:
        """Renew leases while there is something on its way."""
        try:
            while self._taken:
                await self._clock.sleep(_RENEW_SECONDS)
                await self._renew_once()
        finally:
            self._renewing = False

    async def _renew_once(self) -> None:
        try:
            await self._store.renew(sorted(self._taken), self.holder, until=self.lease_until)
        except StorageUnavailable as error:
            _log.warning("the leases of reminders were not renewed: %s", error)
