"""Reminders by the clock: on time, in order, once, late after a break, and to whom they reach."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.reminders.errors import NoSuchReminder, NotYours, TooManyScheduled
from services.reminders.firing import MOST_AT_ONCE
from services.reminders.reminder import Reminder, Snooze
from services.reminders.reminder_service import ReminderService
from services.text.when import WhenNotUnderstood
from tests.fakes.manual_clock import ManualClock
from tests.fakes.reminder_delivery import FakeDelivery
from tests.fakes.reminder_store import MemoryReminders
from tests.services.reminders.drafts import ADA, BEN, CARA, CHANNEL, GUILD, NOW

BERLIN = ZoneInfo("Europe/Berlin")


class Office:
    """A process with reminders; a further one shares the store, and Discord, with it."""

    def __init__(self, first: "Office | None" = None, *, begins: datetime = NOW) -> None:
        self.clock: ManualClock = first.clock if first else ManualClock(begins)
        self.store: MemoryReminders = first.store if first else MemoryReminders()
        self.delivery: FakeDelivery = first.delivery if first else FakeDelivery(self.clock)
        self.shared = first is not None
        self.begin()

    def begin(self) -> None:
        self.service = ReminderService(
            store=self.store,
            delivery=self.delivery,
            clock=self.clock,
            safety=timedelta(seconds=20) if self.shared else None,
        )

    async def remind(
        self,
        when: str,
        *,
        note: str = "Tea",
        by: int = ADA,
        targets: tuple[int, ...] = (ADA,),
        channel: int = CHANNEL,
    ) -> Reminder:
        return await self.service.schedule(
            when,
            guild_id=GUILD,
            channel_id=channel,
            scheduled_by=by,
            targets=targets,
            note=note,
            zone=BERLIN,
        )

    def zone_of(self, guild_id: int) -> ZoneInfo:
        assert guild_id == GUILD
        return BERLIN

    def at(self, seconds: float) -> datetime:
        return NOW + timedelta(seconds=seconds)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    office.service.start()
    await office.clock.advance(0)
    yield office
    await office.service.close()


# ── on time ─────────────────────────────────────────────────────────────────
async def test_reminder_fires_at_its_moment_and_once(office: Office) -> None:
    await office.remind("10s")
    await office.clock.advance(9.999)
    assert office.delivery.shown == []
    await office.clock.advance(0.001)
    [shown] = office.delivery.shown
    assert (shown.where, shown.note, shown.at) == ("channel 20", "Tea", office.at(10))
    assert not shown.missed
    await office.clock.advance(10_000)
    assert len(office.delivery.shown) == 1
    assert office.store.open == {}


async def test_sleeper_is_woken_by_an_earlier_one(office: Office) -> None:
    await office.remind("1h", note="later")
    await office.remind("10s", note="sooner")
    await office.clock.advance(10)
    assert office.delivery.notes == ["sooner"]
    await office.clock.advance(3590)
    assert office.delivery.notes == ["sooner", "later"]


async def test_sleeper_asks_the_database_only_when_something_is_due(office: Office) -> None:
    await office.remind("7d")
    await office.clock.advance(0)
    before = office.store.claims
    await office.clock.advance(6 * 24 * 3600)
    assert office.store.claims == before


async def test_reminders_of_one_channel_come_one_after_the_other_in_order(office: Office) -> None:
    office.delivery.seconds = 3
    for note in ("one", "two", "three"):
        await office.remind("10s", note=note)
    await office.remind("10s", note="elsewhere", channel=21)
    await office.clock.advance(13)
    assert set(office.delivery.notes) == {"one", "elsewhere"}
    await office.clock.advance(6)
    assert [n for n in office.delivery.notes if n != "elsewhere"] == ["one", "two", "three"]


async def test_more_than_can_be_taken_at_once_all_come(office: Office) -> None:
    office.delivery.seconds = 1
    for number in range(MOST_AT_ONCE + 300):
        await office.remind("10s", note=str(number), by=1000 + number, channel=number)
    await office.clock.advance(20)
    assert sorted(office.delivery.notes, key=int) == [str(n) for n in range(MOST_AT_ONCE + 300)]


# ── repeating ───────────────────────────────────────────────────────────────
async def test_repeating_reminder_keeps_the_wall_clock_over_winter_time() -> None:
    office = Office(begins=datetime(2026, 10, 23, 12, tzinfo=BERLIN))
    office.service.start()
    await office.remind("every day 09:00")
    await office.clock.advance(4 * 24 * 3600)
    await office.service.close()
    walls = [shown.at.astimezone(BERLIN) for shown in office.delivery.shown]
    assert [f"{wall:%d %H:%M %Z}" for wall in walls] == [
        "24 09:00 CEST",
        "25 09:00 CET",
        "26 09:00 CET",
        "27 09:00 CET",
    ]


async def test_repeating_reminder_that_was_missed_several_times_comes_once_and_goes_on(
    office: Office,
) -> None:
    await office.remind("every day 21:00")
    await office.service.close()
    await office.clock.advance(3 * 24 * 3600)
    office.begin()
    office.service.start()
    await office.clock.advance(0)
    assert [shown.missed for shown in office.delivery.shown] == [True]
    await office.clock.advance(24 * 3600)
    assert [shown.missed for shown in office.delivery.shown] == [True, False]


# ── breaks ──────────────────────────────────────────────────────────────────
async def test_reminder_that_came_due_during_a_break_fires_at_the_start_and_says_so(
    office: Office,
) -> None:
    await office.remind("10s", note="missed")
    await office.remind("40s", note="in time")
    await office.service.close()
    await office.clock.advance(30)
    office.begin()
    office.service.start()
    await office.clock.advance(0)
    [missed] = office.delivery.shown
    assert (missed.note, missed.missed) == ("missed", True)
    await office.clock.advance(10)
    assert [(s.note, s.missed) for s in office.delivery.shown][1:] == [("in time", False)]


async def test_discord_that_does_not_answer_is_tried_again_as_a_repetition(office: Office) -> None:
    office.delivery.down = True
    await office.remind("10s")
    await office.clock.advance(60)
    assert office.delivery.shown == []
    office.delivery.down = False
    await office.clock.advance(60)
    [shown] = office.delivery.shown
    assert shown.tried_at == office.at(10)
    assert not shown.missed


async def test_discord_that_is_down_for_hours_is_not_flooded(office: Office) -> None:
    office.delivery.down = True
    await office.remind("10s")
    await office.clock.advance(3600)
    assert office.delivery.tries <= 70


async def test_database_that_is_away_when_something_is_due_delays_it(office: Office) -> None:
    await office.remind("10s")
    office.store.failing = True
    await office.clock.advance(60)
    assert office.delivery.shown == []
    office.store.failing = False
    await office.clock.advance(2)
    assert office.delivery.notes == ["Tea"]


async def test_database_that_is_away_after_showing_costs_no_second_message(
    office: Office,
) -> None:
    office.delivery.seconds = 1
    await office.remind("10s")
    await office.clock.advance(10)
    office.store.failing = True
    await office.clock.advance(300)
    assert office.delivery.notes == ["Tea"]
    office.store.failing = False
    await office.clock.advance(120)
    assert office.store.open == {}
    assert office.delivery.notes == ["Tea"]


async def test_reminder_whose_delivery_is_a_defect_does_not_stop_the_others(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    broken = await office.remind("10s", note="broken")
    office.delivery.broken.add(broken.id)
    await office.remind("10s", note="whole")
    await office.clock.advance(15)
    assert office.delivery.notes == ["whole"]
    assert "ZeroDivisionError" in caplog.text
    office.delivery.broken.clear()
    await office.clock.advance(30)
    assert office.delivery.notes == ["whole", "broken"]


# ── several processes ───────────────────────────────────────────────────────
async def test_reminder_of_a_process_that_died_is_fired_by_another(office: Office) -> None:
    other = Office(office)
    other.service.start()
    await office.remind("10s")
    await office.service.close()
    await office.clock.advance(30)  # nobody told the other one
    assert office.delivery.notes == ["Tea"]
    assert not office.delivery.shown[0].missed
    await other.service.close()


async def test_reminders_that_wait_long_for_their_channel_are_not_taken_over(
    office: Office,
) -> None:
    other = Office(office)
    other.service.start()
    office.delivery.seconds = 10
    for number in range(10):
        await office.remind("10s", note=str(number))
    await office.clock.advance(150)
    assert office.delivery.notes == [str(number) for number in range(10)]
    assert {shown.tried_at for shown in office.delivery.shown} == {None}
    await other.service.close()


async def test_service_that_ends_finishes_what_it_shows_and_leaves_the_rest_free(
    office: Office,
) -> None:
    office.delivery.seconds = 1
    await office.remind("10s", note="one")
    await office.remind("10s", note="two")
    await office.clock.advance(10)
    closing = asyncio.ensure_future(office.service.close())
    await office.clock.advance(1)
    await closing
    assert office.delivery.notes == ["one"]
    office.begin()
    office.service.start()
    await office.clock.advance(2)
    assert office.delivery.notes == ["one", "two"]


# ── whom it reaches ─────────────────────────────────────────────────────────
async def test_reminder_whose_channel_is_closed_goes_to_each_target(office: Office) -> None:
    office.delivery.closed = {"channel 20"}
    await office.remind("10s", targets=(BEN, CARA))
    await office.clock.advance(10)
    assert [shown.where for shown in office.delivery.shown] == ["user 2", "user 3"]
    assert office.store.open == {}


async def test_reminder_that_does_not_reach_somebody_is_told_to_who_scheduled_it(
    office: Office,
) -> None:
    office.delivery.closed = {"channel 20", "user 2"}
    await office.remind("10s", targets=(BEN, CARA))
    await office.clock.advance(10)
    assert [(s.where, s.note) for s in office.delivery.shown] == [
        ("user 3", "Tea"),
        ("user 1", "not delivered to 2"),
    ]


async def test_reminder_that_reaches_nobody_at_all_ends(office: Office) -> None:
    office.delivery.closed = {"channel 20", "user 1", "user 2"}
    await office.remind("10s", targets=(BEN,))
    await office.remind("10s")
    await office.clock.advance(10)
    assert office.delivery.shown == []
    assert office.store.open == {}


# ── use cases ───────────────────────────────────────────────────────────────
async def test_schedule_at_an_unknown_form_lists_them_all(office: Office) -> None:
    with pytest.raises(WhenNotUnderstood, match="every monday 18:30"):
        await office.remind("soonish")


async def test_remove_keeps_it_from_firing(office: Office) -> None:
    reminder = await office.remind("10s")
    with pytest.raises(NoSuchReminder, match=f"#{reminder.id}"):
        await office.service.remove(GUILD, reminder.id, by=BEN)
    await office.service.remove(GUILD, reminder.id, by=ADA)
    await office.clock.advance(20)
    assert office.delivery.shown == []


@pytest.mark.parametrize(
    ("snooze", "moment"),
    [
        (Snooze.TEN_MINUTES, "2026-05-01 20:10:10"),
        (Snooze.HOUR, "2026-05-01 21:00:10"),
        (Snooze.TOMORROW, "2026-05-02 09:00:00"),
    ],
)
async def test_snooze_reminds_who_clicked_again(
    office: Office, snooze: Snooze, moment: str
) -> None:
    reminder = await office.remind("10s", targets=(BEN, CARA), note="Cake")
    await office.service.link(reminder.id, 555)
    await office.clock.advance(10)
    with pytest.raises(NotYours):
        await office.service.snooze(reminder.id, 0, by=99, snooze=snooze, zone_of=office.zone_of)
    again = await office.service.snooze(
        reminder.id, 0, by=BEN, snooze=snooze, zone_of=office.zone_of
    )
    assert again.due_at.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M:%S") == moment
    assert (again.targets, again.note, again.link_message_id) == ((BEN,), "Cake", 555)
    await office.clock.advance(24 * 3600)
    assert office.delivery.notes == ["Cake", "Cake"]


async def test_snooze_without_room_or_reminder_is_refused(office: Office) -> None:
    reminder = await office.remind("10s")
    await office.clock.advance(10)
    for _ in range(25):
        await office.remind("7d")
    with pytest.raises(TooManyScheduled):
        await office.service.snooze(
            reminder.id, 0, by=ADA, snooze=Snooze.HOUR, zone_of=office.zone_of
        )
    with pytest.raises(NoSuchReminder):
        await office.service.snooze(999, 0, by=ADA, snooze=Snooze.HOUR, zone_of=office.zone_of)
