"""A message shows its last state, ends by itself, and no failure of Discord reaches its owner."""

import asyncio

import pytest

from bot.kit.outbox import Undelivered
from bot.kit.posted import Messages
from bot.kit.replies import done, info, refused, waiting
from tests.fakes.manual_clock import ManualClock, settle
from tests.fakes.outbox import NO_PERMISSION, FakeOutbox

CHANNEL = 1


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def outbox() -> FakeOutbox:
    return FakeOutbox()


@pytest.fixture
def messages(outbox: FakeOutbox, clock: ManualClock) -> Messages:
    return Messages(outbox, clock)


async def test_message_shown_twice_is_edited_in_place(
    messages: Messages, outbox: FakeOutbox
) -> None:
    posted = messages.in_channel(CHANNEL)
    posted.show(waiting("⏳ Queuing…"))
    assert await posted.settled()
    posted.show(done("✅ Added"))
    assert await posted.settled()
    assert outbox.seen == ["⏳ Queuing…", "✅ Added"]
    assert outbox.titles() == ["✅ Added"]


async def test_message_many_states_at_once_end_in_the_last_with_few_edits(
    messages: Messages, outbox: FakeOutbox
) -> None:
    posted = messages.in_channel(CHANNEL)
    outbox.held = asyncio.Event()
    for number in range(100):
        posted.show(info(f"📄 {number}").kept())
        await asyncio.sleep(0)
    outbox.held.set()
    await posted.settled()
    assert outbox.titles() == ["📄 99"]
    assert outbox.edits == 1


async def test_message_changes_that_go_on_are_spread_to_one_a_second(
    messages: Messages, outbox: FakeOutbox, clock: ManualClock
) -> None:
    posted = messages.in_channel(CHANNEL)
    for number in range(50):
        posted.show(info(f"📄 {number}").kept())
        await clock.advance(0.1)
    await clock.advance(1.0)
    assert outbox.titles() == ["📄 49"]
    assert 5 <= outbox.edits <= 9


async def test_message_status_deletes_itself_after_30_seconds(
    messages: Messages, outbox: FakeOutbox, clock: ManualClock
) -> None:
    messages.in_channel(CHANNEL).show(done("✅ Added"))
    await clock.advance(29)
    assert outbox.titles() == ["✅ Added"]
    await clock.advance(1)
    assert outbox.titles() == []


async def test_message_lifetime_counts_from_its_last_state(
    messages: Messages, outbox: FakeOutbox, clock: ManualClock
) -> None:
    posted = messages.in_channel(CHANNEL)
    posted.show(waiting("⏳ Queuing…"))
    await clock.advance(20)
    posted.show(done("✅ Added"))
    await clock.advance(29)
    assert outbox.titles() == ["✅ Added"]


async def test_message_that_stays_stays(
    messages: Messages, outbox: FakeOutbox, clock: ManualClock
) -> None:
    messages.in_channel(CHANNEL).show(done("✅ Kept").kept())
    await clock.advance(3600)
    assert outbox.titles() == ["✅ Kept"]


async def test_message_deleted_under_us_is_left_alone(
    messages: Messages, outbox: FakeOutbox
) -> None:
    posted = messages.in_channel(CHANNEL)
    posted.show(waiting("⏳ Queuing…"))
    await posted.settled()
    outbox.messages.clear()
    posted.show(done("✅ Added"))
    assert not await posted.settled()
    assert posted.gone
    await posted.remove()
    assert outbox.titles() == []


async def test_message_without_permission_costs_a_log_line_and_nothing_else(
    messages: Messages, outbox: FakeOutbox, caplog: pytest.LogCaptureFixture
) -> None:
    outbox.failing = NO_PERMISSION
    posted = messages.in_channel(CHANNEL)
    posted.show(done("✅ Added"))
    assert not await posted.settled()
    (record,) = [r for r in caplog.records if r.name == "bot.kit.posted"]
    assert "✅ Added" in record.getMessage()
    assert "50013" in record.getMessage()
    assert record.exc_info is None


async def test_message_not_sent_at_first_is_sent_with_its_next_state(
    messages: Messages, outbox: FakeOutbox
) -> None:
    posted = messages.in_channel(CHANNEL)
    outbox.failing = Undelivered("Discord answered 500")
    posted.show(waiting("⏳ Queuing…"))
    await posted.settled()
    outbox.failing = None
    posted.show(refused("⛔ Failed"))
    assert await posted.settled()
    assert outbox.titles() == ["⛔ Failed"]


async def test_message_removed_while_it_is_being_sent_does_not_stay(
    messages: Messages, outbox: FakeOutbox
) -> None:
    outbox.held = asyncio.Event()
    posted = messages.in_channel(CHANNEL)
    posted.show(done("✅ Added"))
    removing = asyncio.ensure_future(posted.remove())
    await settle()
    outbox.held.set()
    await removing
    assert outbox.titles() == []


async def test_messages_at_the_end_of_the_bot_are_deleted_before_their_time(
    messages: Messages, outbox: FakeOutbox
) -> None:
    messages.in_channel(CHANNEL).show(done("✅ Status"))
    messages.in_channel(CHANNEL).show(done("✅ Kept").kept())
    await settle()
    await messages.close()
    assert outbox.titles() == ["✅ Kept"]


async def test_members_message_is_deleted_later_or_kept_without_permission(
    messages: Messages, outbox: FakeOutbox, clock: ManualClock
) -> None:
    first = await outbox.post(CHANNEL, done("!play").body())
    second = await outbox.post(CHANNEL, done("!skip").body())
    messages.delete_later(CHANNEL, first, seconds=30)
    await clock.advance(30)
    outbox.failing = NO_PERMISSION
    messages.delete_later(CHANNEL, second, seconds=30)
    await clock.advance(30)
    assert list(outbox.messages) == [second]
