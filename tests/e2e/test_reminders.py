"""Reminders with the real bot: set, fired once, late after a kill, snoozed, repeated, removed."""

import asyncio
import re

import pytest

from tests.e2e.house import REFUSED, House, Room
from tests.simulator import SimMessage

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

SET = "Reminder set"
FIRED = "Reminder"


def number_of(message: SimMessage) -> int:
    """Return the reminder's number on the message that says it is set."""
    found = re.search(r"#(\d+)", message.text)
    assert found is not None
    return int(found[1])


def fired(room: Room) -> list[SimMessage]:
    """Return the reminders that fired in the room."""
    return [m for m in room.general.feed.all if m.title == "⏰ Reminder"]


async def fires(room: Room, after: SimMessage, *, within: float = 6) -> SimMessage:
    return await room.general.expect(
        where=lambda m: m.title == "⏰ Reminder", after=after, within=within
    )


async def test_reminder_fires_within_a_second_with_all_that_it_should_show(room: Room) -> None:
    said = await room.says(
        room.ada, f"!notify you {room.ben.mention} 2s the *cake* @everyone", title=SET
    )
    message = await fires(room, said)
    assert 1.5 <= message.sent_at - said.sent_at <= 3.0
    assert message.pinged_users == {room.ben.user}
    assert r"the \*cake\* @" in message.text
    assert f"by {room.ada.mention}" in message.text
    assert f"/{room.general.id}/{said.id}" in message.text
    assert message.labels == ["💤 10 min", "💤 1 h", "💤 Tomorrow"]


@pytest.mark.parametrize("when", ["soon", "24-12-2020", "9y", "25:00 Tea"])
async def test_reminder_at_no_possible_time_is_refused(room: Room, when: str) -> None:
    await room.says(room.ada, f"!remind me {when}", title=REFUSED)
    listed = await room.says(room.ada, "!notify list", title="Your reminders")
    assert "You have none" in listed.text


async def test_reminder_at_a_form_that_is_unknown_lists_the_forms(room: Room) -> None:
    outcome = await room.ada.slash(room.general, "notify me", when="when pigs fly", note="x")
    refusal = await outcome.answer(title=REFUSED)
    for form in ("10s", "1mo 15s", "14:30", "24-12-2026_15:30", "every monday 18:30"):
        assert form in refusal.text


async def test_reminders_are_listed_and_removed_by_owner_and_scheduler(room: Room) -> None:
    mine = number_of(await room.says(room.ada, "!notify me every day 09:00 Tea", title=SET))
    outcome = await room.ada.slash(
        room.general, "notify you", user=room.ben, when="tomorrow", note="Cake"
    )
    his = number_of(await outcome.answer(title=SET))
    listed = await room.says(room.ben, "!notify list", title="Your reminders")
    assert f"#{his}" in listed.text
    assert f"#{mine}" not in listed.text
    await room.says(room.ben, f"!notify remove {mine}", title=REFUSED)
    await room.says(room.ben, f"!notify remove {his}", title=f"Reminder #{his} removed")
    await room.says(room.ada, f"!remind remove {mine}", title=f"Reminder #{mine} removed")
    listed = await room.says(room.ada, "!notify list", title="Your reminders")
    assert "You have none" in listed.text


async def test_reminder_that_came_due_while_the_bot_was_down_fires_late_and_once(
    room: Room, house: House
) -> None:
    said = await room.says(room.ada, "!notify me 2s Tea", title=SET)
    await house.bot.kill()
    await asyncio.sleep(2.5)
    await house.bot.start()
    message = await fires(room, said, within=20)
    assert "Late:" in message.text
    await house.bot.restart()
    await room.says(room.ada, "!notify list", title="Your reminders", within=15)
    assert len(fired(room)) == 1


@pytest.mark.parametrize("after_processing", [False, True], ids=["before", "after"])
async def test_bot_killed_while_it_sends_fires_once(
    room: Room, house: House, *, after_processing: bool
) -> None:
    channel = f"/channels/{room.general.id}/messages"
    said = await room.says(room.ada, "!notify me 1s Tea", title=SET)
    stall = house.discord.world.faults.stall(f"POST {channel}", after_processing=after_processing)
    await stall.reached()
    await house.bot.kill()
    stall.release()
    looking = asyncio.ensure_future(house.discord.expect_request(f"GET {channel}", within=30))
    await house.bot.start()
    await looking  # whether the message stands already
    await fires(room, said, within=10)
    await house.bot.ready()
    again = await room.says(room.ada, "!notify list", title="Your reminders", within=15)
    assert "You have none" in again.text
    assert len(fired(room)) == 1


async def test_reminder_whose_channel_is_gone_comes_directly(room: Room, house: House) -> None:
    side = room.guild.add_text_channel("side")
    await room.ada.say(side, f"!notify you {room.ben.mention} 2s Tea")
    await side.expect(title=SET)
    side.delete()
    message = await room.ben.private_messages.expect(title="Reminder", text="Tea", within=8)
    assert message.labels == ["💤 10 min", "💤 1 h", "💤 Tomorrow"]
    outcome = await room.ben.click(message, "1 h")
    assert outcome.acknowledged


async def test_reminder_that_reaches_nobody_is_told_to_who_scheduled_it(room: Room) -> None:
    side = room.guild.add_text_channel("side")
    room.ben.user.accepts_direct_messages = False
    await room.ada.say(side, f"!notify you {room.ben.mention} 2s Tea")
    await side.expect(title=SET)
    side.delete()
    message = await room.ada.private_messages.expect(title="not delivered", within=8)
    assert room.ben.mention in message.text


async def test_reminder_is_snoozed_by_who_is_reminded_alone_also_after_a_kill(
    room: Room, house: House
) -> None:
    said = await room.says(room.ada, f"!notify you {room.ben.mention} 1s Tea", title=SET)
    message = await fires(room, said)
    await room.says(room.ada, "!notify list", title="Your reminders")
    await house.bot.restart()
    cara = room.guild.add_member("Cara")
    await (await cara.click(message, "10 min")).answer(text="Only those who are reminded")
    outcome = await room.ben.click(message, "10 min")
    assert (await outcome.answer(title="Snoozed")).only_for is room.ben.user
    await (await room.ben.click(message, "Tomorrow")).answer(title="Snoozed")
    listed = await room.says(room.ben, "!notify list", title="Your reminders")
    assert "1 open" in listed.text


async def test_reminders_for_a_member_are_25_at_most_and_listed_in_pages(room: Room) -> None:
    friends = [room.guild.add_member(f"Friend {number}") for number in range(3)]
    for number in range(25):
        when, note = f"{number + 1}d", f"day {number}"
        outcome = await friends[number % 3].slash(
            room.general, "notify you", user=room.ben, when=when, note=note
        )
        await outcome.answer(title=SET)
    listed = await room.says(room.ben, "!notify list", title="Your reminders")
    assert "25 open" in listed.text
    await room.ben.click(listed, "▶")
    await room.ben.click(listed, "▶")
    await listed.changes(text="day 24")
    refusal = await room.says(
        friends[0], f"!notify you {room.ben.mention} 8d one more", title=REFUSED
    )
    assert "25 open reminders from others" in refusal.text
