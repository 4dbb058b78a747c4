"""The check-in, by the sentences of the specification, with the real bot."""

import asyncio
import csv
import io
from collections.abc import Callable

import aiohttp
import pytest

from tests.e2e.gather_evening import (
    CHECK_IN_BUTTONS,
    CLOSING,
    EDIT_SECONDS,
    Evening,
    edit_gaps,
    table,
)
from tests.simulator import Member, Permission, SimMessage

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


# ── the message ─────────────────────────────────────────────────────────────
async def test_check_in_shows_table_attendance_grace_pings_and_buttons(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    assert table(card) == {"Ada": "--:--", "Ben": "--:--"}
    for words in ("Attendance: **0/2**", "Grace: **01:00** left", "Ghost pings: **on**"):
        assert words in card.text
    assert card.labels == CHECK_IN_BUTTONS
    assert card.color == 0x3498DB


async def test_table_is_sorted_arrived_by_lateness_then_out_then_missing_by_name(
    evening: Evening,
) -> None:
    card = await evening.start("!gather start", evening.ben, evening.cleo, evening.dan)
    eve = evening.room.guild.add_member("Eve")
    await evening.room.says(evening.ada, f"!gather expect {eve.mention}", title="Expected")
    await evening.cleo.click(card, "I'm here!")
    await evening.ben.click(card, "I'm here!")
    await evening.dan.click(card, "I'm out")
    await evening.stands(card, Cleo="ON TIME", Ben="ON TIME", Dan="OUT", Ada="--:--", Eve="--:--")
    assert list(table(card)) == ["Cleo", "Ben", "Dan", "Ada", "Eve"]
    assert "Attendance: **2/4**" in card.text


async def test_edits_are_at_most_one_in_five_seconds_and_the_last_state_lands(
    evening: Evening,
) -> None:
    people = [evening.room.guild.add_member(f"Member{number}") for number in range(30)]
    card = await evening.start("!gather start", *people)
    begin = card.sent_at
    for member in people:
        await member.click(card, "I'm here!")
        await asyncio.sleep(0.1)
    expected = {member.user.username.capitalize(): "ON TIME" for member in people}
    await evening.stands(card, Ada="--:--", **expected)
    assert len(edit_gaps(card, begin)) >= 1
    assert min(edit_gaps(card, begin)) >= 4.9


# ── coming ──────────────────────────────────────────────────────────────────
async def test_here_needs_the_voice_channel(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.ben.move_to(evening.attic)
    outcome = await evening.ben.click(card, "I'm here!")
    assert "first" in (await outcome.answer()).text
    await evening.ada.click(card, "I'm here!")
    await evening.stands(card, Ada="ON TIME", Ben="--:--")


async def test_expected_members_are_checked_in_by_joining_and_others_are_not_touched(
    evening: Evening,
) -> None:
    card = await evening.start()
    await evening.room.says(evening.ada, f"!gather expect {evening.ben.mention}", title="Expected")
    await evening.ben.join(evening.lounge)
    await evening.cleo.join(evening.lounge)
    await evening.stands(card, Ada="--:--", Ben="ON TIME")


async def test_grace_counts_as_on_time_and_later_arrivals_are_stamped(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.passes_while_away(48)
    await evening.ada.click(card, "I'm here!")
    await evening.stands(card, Ada="ON TIME", Ben="--:--")
    await evening.passes_while_away(30)
    await evening.ben.click(card, "I'm here!")
    await evening.stands(card, Ada="ON TIME", Ben="+01:")


# ── going, and coming back ──────────────────────────────────────────────────
async def test_opting_out_marks_out_disconnects_and_takes_off_the_expected(
    evening: Evening,
) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.ben.click(card, "I'm out")
    await evening.house.discord.world.calls.news.until(lambda: evening.ben.voice is None or None, 3)
    assert evening.ben.voice is None
    await evening.stands(card, Ada="--:--", Ben="OUT")
    assert "Attendance: **0/1**" in card.text


async def test_slow_disconnect_delays_nobodys_next_click(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben, evening.cleo)
    stall = evening.house.discord.faults.stall("PATCH /guilds/*/members/*")
    await evening.ben.click(card, "I'm out")
    await stall.reached()
    outcome = await evening.cleo.click(card, "I'm here!")
    assert outcome.acknowledged
    await evening.stands(card, Cleo="ON TIME", Ben="OUT", Ada="--:--")
    assert evening.ben.voice is not None
    stall.release()


async def test_mute_and_deafen_while_still_connected_are_no_rejoin(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    stall = evening.house.discord.faults.stall("PATCH /guilds/*/members/*")
    await evening.ben.click(card, "I'm out")
    await stall.reached()
    await evening.ben.mute_self()
    await evening.ben.deafen_self()
    await evening.ben.mute_self(muted=False)
    await evening.stands(card, Ada="--:--", Ben="OUT")
    stall.release()
    await evening.ada.click(card, "I'm here!")
    await evening.stands(card, Ada="ON TIME", Ben="OUT")


async def test_rejoining_is_the_check_in_also_from_another_channel(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben, evening.cleo)
    for member in (evening.ben, evening.cleo):
        await evening.house.discord.world.calls.news.until(lambda: None, 0.05)
        await member.click(card, "I'm out")
    await evening.stands(card, Ben="OUT", Cleo="OUT", Ada="--:--")
    await evening.ben.join(evening.lounge)
    await evening.cleo.join(evening.attic)
    await evening.ada.move(evening.cleo, evening.lounge)
    await evening.stands(card, Ben="ON TIME", Cleo="ON TIME", Ada="--:--")
    assert "Attendance: **2/3**" in card.text


async def test_rejoining_after_the_grace_is_stamped_with_that_time(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.ben.click(card, "I'm out")
    await evening.stands(card, Ada="--:--", Ben="OUT")
    await evening.passes_while_away(90)
    await evening.ben.join(evening.lounge)
    await evening.stands(card, Ben="+01:", Ada="--:--")


async def test_who_has_checked_in_cannot_opt_out(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.ben.click(card, "I'm here!")
    outcome = await evening.ben.click(card, "I'm out")
    assert "checked in already" in (await outcome.answer()).text
    assert evening.ben.voice is not None


async def test_missing_permission_to_disconnect_is_told_once(evening: Evening) -> None:
    guild = evening.room.guild
    guild.bot_role.permissions &= ~Permission.MOVE_MEMBERS
    card = await evening.start("!gather start", evening.ben, evening.cleo)
    for member in (evening.ben, evening.cleo):
        await member.click(card, "I'm out")
    await evening.general.expect(title="Please leave by yourselves", within=5)
    await evening.stands(card, Ben="OUT", Cleo="OUT", Ada="--:--")
    told = [m for m in evening.general.messages if "leave by yourselves" in m.title]
    assert len(told) == 1
    await evening.ben.leave()
    await evening.ben.join(evening.lounge)
    await evening.stands(card, Ben="ON TIME", Cleo="OUT", Ada="--:--")


# ── pings ───────────────────────────────────────────────────────────────────
@pytest.mark.timeout(180)
async def test_ghost_pings_come_every_30_s_after_the_grace_to_the_missing_unless_muted(
    evening: Evening,
) -> None:
    card = await evening.start("!gather start", evening.ben)
    kept = await evening.room.says(evening.ada, f"!gather expect {evening.ben.mention}", title="Ex")
    await evening.ada.click(card, "I'm here!")
    await evening.stands(card, Ada="ON TIME", Ben="--:--")
    await evening.passes_while_away(45)
    first = await evening.general.expect(where=_pings_only(evening.ben), within=15)
    await first.gone(within=2)
    assert first.deleted_at is not None
    assert 0.6 < first.deleted_at - first.sent_at < 1.2
    second = await evening.general.expect(where=_pings_only(evening.ben), after=first, within=33)
    assert 29 < second.sent_at - first.sent_at < 31.5
    await evening.ben.click(card, "Mute pings")
    await evening.reads(card, "Ghost pings: **off**")
    assert "Unmute pings" in card.labels
    await evening.general.feed.nothing(text=evening.ben.mention, seconds=31)
    assert not kept.deleted  # gather messages stay
    assert not card.deleted


def _pings_only(member: Member) -> Callable[[SimMessage], bool]:
    return lambda message: message.author.bot and message.pinged_users == {member.user}


# ── the end ─────────────────────────────────────────────────────────────────
async def test_gathering_ends_when_all_have_arrived_or_opted_out(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.ada.click(card, "I'm here!")
    await evening.ben.click(card, "I'm out")
    await evening.reads(card, "Gathering complete.")
    assert card.buttons == []
    assert card.color == 0x57F287
    closing = await evening.general.expect(title=CLOSING, after=card, within=EDIT_SECONDS)
    assert "**1** of 2 came, **1** on time" in closing.text
    rows = await _file(closing.attachments[0]["url"])
    assert [(row["name"], row["outcome"]) for row in rows] == [("Ada", "on_time"), ("Ben", "out")]
    await evening.start()  # there is room for the next one


async def test_gathering_ends_when_cancelled(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    outcome = await evening.ben.click(card, "Cancel")
    assert "who began this gathering" in (await outcome.answer()).text
    await evening.ada.click(card, "Cancel")
    await evening.reads(card, "Cancelled.")
    assert card.buttons == []
    late = await evening.ada.slash(evening.general, "gather status")
    assert "No gathering is running" in (await late.answer()).text


async def test_gathering_ends_after_thirty_minutes(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.ada.click(card, "I'm here!")
    await evening.stands(card, Ada="ON TIME", Ben="--:--")
    await evening.passes_while_away(30 * 60 - 10)
    await evening.reads(card, "Ended after 30 minutes; missing: 1.", within=20)
    assert card.buttons == []
    closing = await evening.general.expect(title=CLOSING, after=card, within=EDIT_SECONDS)
    await evening.ada.click(closing, "Find a substitute")
    wanted = await evening.general.expect(title="Substitute wanted", after=closing)
    assert evening.ben.mention in wanted.text
    await closing.loses_buttons()


async def test_stats_show_what_was_attended(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.ben.click(card, "I'm here!")
    await evening.ada.click(card, "I'm out")
    await evening.reads(card, "Gathering complete.")
    stats = await evening.room.says(
        evening.ada, f"!gather stats {evening.ben.mention}", title="Attendance of Ben"
    )
    assert "On time **100 %**" in stats.text


async def _file(url: str) -> list[dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        text = (await response.read()).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))
