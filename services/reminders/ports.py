"""What reminders need of the world: a store, and a way to the members."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.reminders.reminder import Claimed, Draft, Reminder, ReminderPage, Removed


class ReminderStore(Protocol):
    """Reminders on disk; every method is one transaction.

    All methods raise `StorageUnavailable` when the database does not take them.
    """

    async def add(self, draft: Draft, *, now: datetime) -> Reminder:
        """Store a reminder. One that snoozes what the member has snoozed already moves that.

        Raises:
            TooManyScheduled, TooManyReceived: somebody has 25 open ones.
        """
        ...

    async def set_link(self, reminder_id: int, message_id: int) -> None:
        """Note which message told the member that the reminder is set."""
        ...

    async def get(self, reminder_id: int) -> Reminder | None:
        """Return a reminder, open or done."""
        ...

    async def page(self, guild_id: int, user_id: int, number: int) -> ReminderPage:
        """Return a page of the open reminders that concern a member, or the nearest page."""
        ...

    async def remove(
        self, guild_id: int, reminder_id: int, *, by: int, now: datetime
    ) -> Removed | None:
        """Remove an open reminder for who scheduled it, or for one who is reminded.

        None where there is none that concerns the member.
        """
        ...

    async def claim(
        self, now: datetime, *, holder: str, until: datetime, most: int
    ) -> Sequence[Claimed]:
        """Take what is due, and what another process took and did not finish in time."""
        ...

    async def renew(self, reminder_ids: Sequence[int], holder: str, *, until: datetime) -> None:
        """Keep what a process has taken and not finished."""
        ...

    async def release(self, holder: str | None) -> None:
        """Let others take what a process, or with None any process, took and did not finish."""
        ...

    async def fired(self, reminder: Reminder, *, at: datetime, next_due: datetime | None) -> None:
        """Note that an occurrence was delivered; doing so twice changes nothing."""
        ...

    async def next_wake(self, holder: str) -> datetime | None:
        """Return when something is due, or a lease of another process ends; None: never."""
        ...


class Delivery(Protocol):
    """Shows reminders to members.

    Each method raises `Unreachable` where that place takes no messages, and `NotDelivered` where
    it may work later. Calling one again shows nothing twice: `tried_at` is when an earlier try
    may have succeeded unnoticed.
    """

    async def to_channel(
        self, reminder: Reminder, *, missed: bool, tried_at: datetime | None
    ) -> None:
        """Ping the targets in the channel; `missed`: it came due while no bot was running."""
        ...

    async def to_target(
        self, reminder: Reminder, user_id: int, *, missed: bool, tried_at: datetime | None
    ) -> None:
        """Send it to one target directly."""
        ...

    async def to_scheduler(
        self, reminder: Reminder, unreached: Sequence[int], *, tried_at: datetime | None
    ) -> None:
        """Tell who scheduled it that these targets could not be reached."""
        ...
