"""The power fails at every step of a reminder's way; it is shown exactly once all the same.

Every question to the database and to Discord is two steps: before it acts, and after. At one of
them everything of the process stands still for ever. A new process starts some time later.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cogs.reminders.delivery import DiscordDelivery
from services.reminders.reminder_service import ReminderService
from tests.fakes.mail import FakeMail
from tests.fakes.manual_clock import ManualClock
from tests.fakes.reminder_store import MemoryReminders

NOW = datetime(2026, 5, 1, 18, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
CHANNEL, ADA, BEN, CARA = 20, 1, 2, 3
MOST_STEPS = 60


class Power:
    """Fails at a step, counted from 1."""

    def __init__(self, fails_at: int) -> None:
        self._left = fails_at

    @property
    def failed(self) -> bool:
        return self._left <= 0

    async def step(self) -> None:
        self._left -= 1
        if self.failed:
            await asyncio.Event().wait()


class Powered:
    """Something whose every method is two steps."""

    def __init__(self, thing: object, power: Power) -> None:
        self._thing = thing
        self._power = power

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._thing, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            await self._power.step()
            result = await method(*args, **kwargs)
            await self._power.step()
            return result

        return call


class Evening:
    """A reminder for ten seconds later, and a power that may fail."""

    def __init__(self, *, fails_at: int) -> None:
        self.clock = ManualClock(NOW)
        self.store = MemoryReminders()
        self.mail = FakeMail(self.clock)
        self.power = Power(fails_at)

    def process(self, power: Power) -> ReminderService:
        store: Any = Powered(self.store, power)
        mail: Any = Powered(self.mail, power)
        delivery = DiscordDelivery(mail, self.clock)
        return ReminderService(store=store, delivery=delivery, clock=self.clock)

    async def pass_with_a_break(self, seconds: float) -> bool:
        """Live through it; tell whether the power failed."""
        setting = self.process(Power(10_000))
        await setting.schedule(
            "10s",
            guild_id=10,
            channel_id=CHANNEL,
            scheduled_by=ADA,
            targets=[BEN, CARA],
            note="Cake",
            zone=BERLIN,
        )
        self.process(self.power).start()
        await self.clock.advance(15)
        await self.clock.advance(seconds)
        heir = self.process(Power(10_000))
        heir.start()
        await self.clock.advance(60)
        await heir.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()  # what stands still for ever
        return self.power.failed


@pytest.mark.parametrize("seconds", [0, 3600], ids=["at once", "an hour later"])
async def test_reminder_is_shown_once_wherever_the_power_fails(seconds: float) -> None:
    for step in range(1, MOST_STEPS):
        evening = Evening(fails_at=step)
        failed = await evening.pass_with_a_break(seconds)
        titles = [letter.title for letter in evening.mail.letters]
        assert titles == ["⏰ Reminder"], f"step {step}"
        assert evening.store.open == {}, f"step {step}"
        if not failed:
            break
    else:
        pytest.fail("the power failed at every step")
    assert step > 8


@pytest.mark.parametrize("seconds", [0, 3600], ids=["at once", "an hour later"])
async def test_reminder_sent_directly_reaches_everybody_once_wherever_the_power_fails(
    seconds: float,
) -> None:
    for step in range(1, MOST_STEPS):
        evening = Evening(fails_at=step)
        evening.mail.closed = {CHANNEL, CARA}
        failed = await evening.pass_with_a_break(seconds)
        reached = [letter.title for letter in evening.mail.to_user(BEN)]
        told = [letter.title for letter in evening.mail.to_user(ADA)]
        assert (reached, told) == (["⏰ Reminder"], ["⏰ Reminder not delivered"]), f"step {step}"
        assert evening.store.open == {}, f"step {step}"
        if not failed:
            break
    else:
        pytest.fail("the power failed at every step")
    assert step > 15
