"""Where reminders arrive in tests: channels and people that can be closed, slow, or away."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.reminders.errors import NotDelivered, Unreachable
from services.reminders.reminder import Reminder
from tests.fakes.manual_clock import ManualClock


@dataclass(frozen=True, slots=True)
class Shown:
    """A reminder that somebody saw."""

    where: str
    note: str
    at: datetime
    missed: bool = False
    tried_at: datetime | None = None


class FakeDelivery:
    """Remembers what was shown, in its order."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.shown: list[Shown] = []
        self.tries = 0
        self.closed: set[str] = set()
        """Places that take nothing: "channel 20", "user 2"."""
        self.down = False
        """Discord does not answer."""
        self.seconds = 0.0
        """How long each delivery takes."""
        self.broken: set[int] = set()
        """Reminders whose delivery is a defect."""

    @property
    def notes(self) -> list[str]:
        return [shown.note for shown in self.shown]

    async def to_channel(
        self, reminder: Reminder, *, missed: bool, tried_at: datetime | None
    ) -> None:
        where = f"channel {reminder.channel_id}"
        await self._show(where, reminder, missed=missed, tried_at=tried_at)

    async def to_target(
        self, reminder: Reminder, user_id: int, *, missed: bool, tried_at: datetime | None
    ) -> None:
        await self._show(f"user {user_id}", reminder, missed=missed, tried_at=tried_at)

    async def to_scheduler(
        self, reminder: Reminder, unreached: Sequence[int], *, tried_at: datetime | None
    ) -> None:
        where = f"user {reminder.scheduled_by}"
        people = ", ".join(map(str, unreached))
        await self._show(where, reminder, note=f"not delivered to {people}", tried_at=tried_at)

    async def _show(
        self,
        where: str,
        reminder: Reminder,
        *,
        note: str | None = None,
        missed: bool = False,
        tried_at: datetime | None,
    ) -> None:
        self.tries += 1
        if self.seconds:
            await self._clock.sleep(self.seconds)
        await asyncio.sleep(0)
        if reminder.id in self.broken:
            raise ZeroDivisionError
        if self.down:
            raise NotDelivered("no answer")
        if where in self.closed:
            raise Unreachable("closed")
        words = reminder.note if note is None else note
        self.shown.append(Shown(where, words, self._clock.now(), missed, tried_at))
