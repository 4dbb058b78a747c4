"""Floods of commands and clicks, and clicks that nobody can serve any more."""

import asyncio
import copy
from collections import Counter

import pytest

from tests.e2e.house import ADDED, NOW, House, Room
from tests.simulator import Member, SimMessage

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

_LONGEST_WAIT_MS = 1500
_WORST_ACK_MS = 2500


def page_of(message: SimMessage) -> int:
    """Return the number between the arrows."""
    label = next(b["label"] for b in message.buttons if "/" in b.get("label", ""))
    return int(label.split("/")[0])


def crowd(room: Room, count: int) -> list[Member]:
    """Let people come into the guild."""
    return [room.guild.add_member(f"Fan {number}") for number in range(count)]


async def long_queue(room: Room) -> SimMessage:
    """Queue many tracks behind a playing one and show them."""
    await room.plays(440)
    bomb = room.site.url("/list/bomb")
    await room.says(room.ada, f"!play {bomb}", title=ADDED, within=20)
    return await room.says(room.ada, "!queue", title="Queue")


async def shows_page(message: SimMessage, number: int, *, within: float = 8) -> None:
    found = await message.news.until(lambda: page_of(message) == number or None, within)
    assert found, f"it shows page {page_of(message)}"


async def stops_thinking(answer: SimMessage) -> None:
    """Wait until an answer shows something, or is taken away."""
    assert await answer.news.until(lambda: answer.deleted or not answer.loading or None, 10)


# ── commands ────────────────────────────────────────────────────────────────
async def test_three_hundred_commands_of_one_member_leave_others_and_the_sound_alone(
    room: Room, house: House
) -> None:
    other = house.room()
    await asyncio.gather(room.plays(440), other.plays(550))
    queue = await other.says(other.ada, "!queue", title="Queue")
    assert queue.labels == []
    began = house.discord.clock.monotonic()
    await asyncio.gather(*(room.ben.say(room.general, "!np") for _ in range(300)))
    waits = []
    for _ in range(3):
        asked = house.discord.clock.monotonic()
        outcome = await other.ada.slash(other.general, "playing")
        assert outcome.acknowledged
        await outcome.answer(title=NOW)
        waits.append((house.discord.clock.monotonic() - asked) * 1000)
    assert max(waits) < _LONGEST_WAIT_MS
    for playing in (room, other):
        assert playing.guild.ear.gaps(since=began).lost == 0
    quiet = room.guild.add_text_channel("quiet")
    sent = await room.ada.say(quiet, "!volume")
    await quiet.expect(title="Volume", after=sent, within=3)


async def test_member_who_asks_too_much_is_told_once_and_never_left_with_a_thinking_bot(
    room: Room,
) -> None:
    await room.plays(440)
    asked = [room.ben.slash_soon(room.general, "playing") for _ in range(25)]
    outcomes = await asyncio.gather(*asked)
    assert all(outcome.acknowledged for outcome in outcomes)
    answers = [outcome.response for outcome in outcomes if outcome.response is not None]
    for answer in answers:
        await stops_thinking(answer)
    seen = [answer.title for answer in answers if not answer.deleted]
    assert seen.count("🐌 Slow down") == 1
    assert 10 <= seen.count("🎶 Now playing") < 15


async def test_three_hundred_members_at_once_are_all_acknowledged_and_answered(
    room: Room, house: House
) -> None:
    await room.plays(440)
    fans = crowd(room, 300)
    began = house.discord.clock.monotonic()
    outcomes = await asyncio.gather(*(fan.slash_soon(room.general, "playing") for fan in fans))
    assert all(outcome.acknowledged for outcome in outcomes)
    assert max(outcome.ack_ms or 9e9 for outcome in outcomes) < _WORST_ACK_MS
    for outcome in outcomes:
        await outcome.answer(title=NOW, within=20)
    assert room.guild.ear.gaps(since=began).lost == 0


async def test_three_hundred_different_commands_in_a_second_end_in_a_sane_state(
    room: Room,
) -> None:
    await room.plays(440)
    tones = [room.tone(hz) for hz in (550, 660, 770)]
    fans = crowd(room, 60)
    for fan in fans:
        await fan.join(room.lounge)
    commands = ["!pause", "!resume", "!skip", "!volume 30", "!stop", "!join", "!queue", "!np"]
    commands += [f"!play {tone}" for tone in tones] + [f"!playtop {tones[0]}", "!skip 2", "!dance"]
    for number in range(300):
        await fans[number % 60].say(room.general, commands[(7 * number) % len(commands)])
    quiet = room.guild.add_text_channel("quiet")
    async with asyncio.timeout(30):
        while True:  # until what was asked for has been carried out
            sent = await room.ada.say(quiet, "!stop")
            answer = await quiet.expect(after=sent, where=lambda m: m.author.bot, within=10)
            if "cannot be done" in answer.title:
                break
    await room.guild.silence()
    await room.ada.say(quiet, f"!play {room.tone(990)}")
    await room.guild.hears(990, within=10)
    assert not [m for m in room.general.feed.all if "went wrong" in m.title]


# ── clicks ──────────────────────────────────────────────────────────────────
async def test_owner_s_clicks_count_among_hundreds_of_others_and_are_shown_by_few_edits(
    room: Room,
) -> None:
    queue = await long_queue(room)
    fans, edits = crowd(room, 50), queue.edits
    clicks = []
    for number in range(10):
        clicks += [fan.click_soon(queue, "▶") for fan in fans[number * 5 : number * 5 + 5] * 4]
        clicks.append(room.ada.click_soon(queue, "▶"))
    outcomes = await asyncio.gather(*clicks)
    assert all(outcome.acknowledged for outcome in outcomes)
    assert max(outcome.ack_ms or 9e9 for outcome in outcomes) < _WORST_ACK_MS
    await shows_page(queue, 11)
    assert queue.edits - edits <= 5
    told = Counter(m.only_for for outcome in outcomes for m in outcome.private)
    assert set(told.values()) == {1}
    assert len(told) == len(fans)


async def test_clicks_to_and_fro_are_applied_in_the_order_in_which_they_were_made(
    room: Room,
) -> None:
    queue = await long_queue(room)
    await room.ada.click(queue, "▶")  # on the first page one cannot click back
    await shows_page(queue, 2)
    there_and_back = ["▶"] * 12 + ["◀"] * 5 + ["▶"] * 3
    clicks = [room.ada.click_soon(queue, button) for button in there_and_back]
    assert all(outcome.acknowledged for outcome in await asyncio.gather(*clicks))
    await shows_page(queue, 12)
    # more steps back than there are pages stop at the first one
    clicks = [room.ada.click_soon(queue, button) for button in ["◀"] * 15 + ["▶"] * 2]
    await asyncio.gather(*clicks)
    await shows_page(queue, 3)


async def test_two_clicks_on_a_picker_at_once_choose_one_track(room: Room) -> None:
    await room.ada.join(room.lounge)
    picker = await room.says(room.ada, "!play low tide", title="Choose a track", within=15)
    clicks = [room.ada.click_soon(picker, label) for label in ("2", "1", "3", "Cancel")]
    outcomes = await asyncio.gather(*clicks)
    assert all(outcome.acknowledged for outcome in outcomes)
    await room.guild.hears(550, within=10)
    added = [m for m in room.general.feed.all if ADDED in m.title]
    assert len(added) == 1
    assert "Lantern Song" in added[0].text


# ── what nobody serves ──────────────────────────────────────────────────────
async def test_message_deleted_under_a_shower_of_clicks_leaves_everything_well(
    room: Room, house: House
) -> None:
    queue = await long_queue(room)
    fans = crowd(room, 20)
    clicks = [room.ada.click_soon(queue, "▶") for _ in range(10)]
    await asyncio.sleep(0.05)
    clicks += [fan.click_soon(queue, "▶") for fan in fans]
    await room.ada.delete(queue)
    assert all(outcome.acknowledged for outcome in await asyncio.gather(*clicks))
    again = await room.says(room.ada, "!queue 3", title="Queue")
    await room.ada.click(again, "▶")
    await shows_page(again, 4)
    assert "Traceback" not in house.bot.log


async def test_channel_deleted_under_a_menu_leaves_the_music_and_the_bot_well(
    room: Room, house: House
) -> None:
    await room.plays(440)
    await room.says(room.ada, f"!play {room.site.url('/list/bomb')}", title=ADDED, within=20)
    gone = room.guild.add_text_channel("gone")
    await room.ada.say(gone, "!queue")
    queue = await gone.expect(title="Queue")
    clicks = [room.ada.click_soon(queue, "▶") for _ in range(5)]
    gone.delete()
    await asyncio.gather(*clicks)
    await room.says(room.ada, "!skip", title="Skipped")
    assert "Traceback" not in house.bot.log


async def test_button_that_nobody_knows_is_acknowledged_and_said_to_have_expired(
    room: Room,
) -> None:
    queue = await long_queue(room)
    other = await room.says(room.ada, "!volume", title="Volume")
    rows = copy.deepcopy(queue.components)
    for button in rows[0]["components"]:
        button["custom_id"] = f"from-an-older-version:{button['custom_id']}"
    other.components = rows
    outcomes = [await room.ada.click(other, "▶"), await room.ben.click(other, "▶")]
    for member, outcome in zip((room.ada, room.ben), outcomes, strict=True):
        assert outcome.acknowledged
        assert (await outcome.answer(text="expired")).only_for is member.user
    await other.loses_buttons()
