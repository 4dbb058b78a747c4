"""How a reminder looks when it arrives, and that a repetition is recognised however late."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from cogs.reminders.delivery import DiscordDelivery
from services.reminders.errors import NotDelivered, Unreachable
from services.reminders.reminder import Reminder
from services.text.when import Repeat
from tests.fakes.mail import FakeMail
from tests.fakes.manual_clock import ManualClock

NOW = datetime(2026, 5, 1, 18, 0, tzinfo=UTC)
STAMP = int(NOW.timestamp())
REMINDER = Reminder(
    id=7,
    guild_id=10,
    channel_id=20,
    link_channel_id=20,
    link_message_id=555,
    scheduled_by=1,
    targets=(2, 3),
    note="Bring *cake*\n@everyone",
    created_at=NOW - timedelta(hours=1),
    due_at=NOW,
    zone="Europe/Berlin",
    repeats=None,
    occurrence=0,
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def mail(clock: ManualClock) -> FakeMail:
    return FakeMail(clock)


@pytest.fixture
def delivery(mail: FakeMail, clock: ManualClock) -> DiscordDelivery:
    return DiscordDelivery(mail, clock)


async def test_reminder_pings_its_targets_and_says_who_asked_when_and_where(
    delivery: DiscordDelivery, mail: FakeMail
) -> None:
    await delivery.to_channel(REMINDER, missed=False, tried_at=None)
    [letter] = mail.letters
    assert letter.body["content"] == "<@2> <@3>"
    assert letter.body["allowed_mentions"] == {"parse": [], "users": ["2", "3"]}
    assert letter.text == "Bring \\*cake\\*\n@\u200beveryone"
    [field] = letter.body["embeds"][0]["fields"]
    assert field["value"] == (
        f"<t:{STAMP - 3600}:f> by <@1>\n[to the message](https://discord.com/channels/10/20/555)"
    )
    labels = [button["label"] for button in letter.body["components"][0]["components"]]
    assert labels == ["10 min", "1 h", "Tomorrow"]


async def test_reminder_that_was_missed_says_so(delivery: DiscordDelivery, mail: FakeMail) -> None:
    await delivery.to_channel(REMINDER, missed=True, tried_at=None)
    assert f"was due <t:{STAMP}:F>, while I was away" in mail.letters[0].text


async def test_reminder_that_repeats_says_when_it_comes_next(
    delivery: DiscordDelivery, mail: FakeMail
) -> None:
    repeating = replace(REMINDER, repeats=Repeat(time(9, 0)))
    await delivery.to_channel(repeating, missed=False, tried_at=None)
    field = mail.letters[0].body["embeds"][0]["fields"][1]
    next_morning = int(datetime(2026, 5, 2, 7, tzinfo=UTC).timestamp())
    assert field["value"] == f"every day 09:00\nnext <t:{next_morning}:R>"


async def test_reminder_without_a_note_or_link_is_whole(
    delivery: DiscordDelivery, mail: FakeMail
) -> None:
    bare = replace(REMINDER, note="", link_message_id=None)
    await delivery.to_channel(bare, missed=False, tried_at=None)
    embed = mail.letters[0].body["embeds"][0]
    assert "description" not in embed
    assert embed["fields"][0]["value"].endswith("(https://discord.com/channels/10/20)")


@pytest.mark.parametrize("note", ["x" * 1500, "*" * 1500, "\n".join("#@*" * 9 for _ in range(50))])
async def test_reminder_of_any_note_fits_into_a_message(
    delivery: DiscordDelivery, mail: FakeMail, note: str
) -> None:
    await delivery.to_channel(replace(REMINDER, note=note), missed=True, tried_at=None)
    assert len(mail.letters[0].text) <= 4096
    assert "while I was away" in mail.letters[0].text


async def test_repetition_within_minutes_is_recognised_by_its_nonce(
    delivery: DiscordDelivery, mail: FakeMail
) -> None:
    mail.unreadable = True
    for tried_at in (None, NOW):
        await delivery.to_channel(REMINDER, missed=False, tried_at=tried_at)
        await delivery.to_target(REMINDER, 2, missed=False, tried_at=tried_at)
        await delivery.to_target(REMINDER, 3, missed=False, tried_at=tried_at)
        await delivery.to_scheduler(REMINDER, (2, 3), tried_at=tried_at)
    assert len(mail.letters) == 4
    nonces = [letter.nonce for letter in mail.letters]
    assert len({nonce for nonce in nonces if nonce is not None and len(nonce) <= 25}) == 4


async def test_repetition_after_an_hour_is_found_among_the_messages(
    delivery: DiscordDelivery, mail: FakeMail, clock: ManualClock
) -> None:
    await delivery.to_channel(REMINDER, missed=False, tried_at=None)
    await delivery.to_target(REMINDER, 2, missed=False, tried_at=None)
    await delivery.to_scheduler(REMINDER, (2,), tried_at=None)
    await clock.advance(3600)
    await delivery.to_channel(REMINDER, missed=True, tried_at=NOW)
    await delivery.to_target(REMINDER, 2, missed=True, tried_at=NOW)
    await delivery.to_scheduler(REMINDER, (2,), tried_at=NOW)
    assert len(mail.letters) == 3


async def test_next_occurrence_is_no_repetition(delivery: DiscordDelivery, mail: FakeMail) -> None:
    await delivery.to_channel(REMINDER, missed=False, tried_at=None)
    await delivery.to_channel(replace(REMINDER, occurrence=1), missed=False, tried_at=NOW)
    await delivery.to_channel(replace(REMINDER, id=70), missed=False, tried_at=NOW)
    assert len(mail.letters) == 3


async def test_first_try_reads_no_messages(delivery: DiscordDelivery, mail: FakeMail) -> None:
    await delivery.to_channel(REMINDER, missed=False, tried_at=None)
    assert mail.looks == 0


async def test_channel_that_is_gone_is_unreachable_and_discord_that_is_away_is_not(
    delivery: DiscordDelivery, mail: FakeMail
) -> None:
    mail.closed = {20, 2}
    with pytest.raises(Unreachable):
        await delivery.to_channel(REMINDER, missed=False, tried_at=None)
    with pytest.raises(Unreachable):
        await delivery.to_target(REMINDER, 2, missed=False, tried_at=NOW)
    mail.down = True
    with pytest.raises(NotDelivered):
        await delivery.to_channel(REMINDER, missed=False, tried_at=None)
    with pytest.raises(NotDelivered):
        await delivery.to_scheduler(REMINDER, (2,), tried_at=NOW)


async def test_scheduler_is_told_whom_it_did_not_reach(
    delivery: DiscordDelivery, mail: FakeMail
) -> None:
    await delivery.to_scheduler(REMINDER, (2, 3), tried_at=None)
    [letter] = mail.to_user(1)
    assert letter.title == "⏰ Reminder not delivered"
    assert "<@2>, <@3>" in letter.text
    assert "cake" in letter.text
