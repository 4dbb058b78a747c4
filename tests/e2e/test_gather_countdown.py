"""`gather start` and its countdown, by the sentences of the specification, with the real bot."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.gather_evening import (
    CARD,
    CHECK_IN_BUTTONS,
    COUNTDOWN_BUTTONS,
    Evening,
    edit_gaps,
    table,
)
from tests.e2e.house import REFUSED, House
from tests.simulator import Permission

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    """A running bot whose guilds are in India, half an hour beside everybody else."""
    async with House(TIMEZONE="Asia/Kolkata") as house:
        yield house


# ── start ───────────────────────────────────────────────────────────────────
async def test_start_outside_of_voice_is_refused(evening: Evening) -> None:
    refusal = await evening.room.says(evening.ada, "!gather start", title=REFUSED)
    assert "Join a voice channel first" in refusal.text


async def test_start_without_a_time_checks_in_at_once(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    assert card.labels == CHECK_IN_BUTTONS
    assert table(card) == {"Ada": "--:--", "Ben": "--:--"}


async def test_start_by_slash_is_the_same_and_leaves_nothing_thinking(evening: Evening) -> None:
    await evening.ada.join(evening.lounge)
    outcome = await evening.ada.slash(evening.general, "gather start", time="10m", min=2)
    assert outcome.acknowledged
    card = await evening.general.expect(title=CARD)
    assert "Starts in **10 min**" in card.text
    assert "Quorum: **2**" in card.text
    assert not [message for message in evening.general.messages if message.loading]


async def test_start_takes_durations_and_times_in_the_guilds_zone(evening: Evening) -> None:
    card = await evening.start("!gather start 1h 30m")
    assert "Starts in **1 h 30 min**" in card.text
    shown = re.search(r"at \*\*(\d\d):(\d\d)\*\*", card.text)
    stamp = re.search(r"<t:(\d+):t>", card.text)
    assert shown
    assert stamp
    minutes = int(stamp[1]) // 60 + 5 * 60 + 30  # India is 5:30 ahead of UTC
    assert (int(shown[1]), int(shown[2])) == (minutes // 60 % 24, minutes % 60)


async def test_start_at_a_time_of_the_day_means_the_next_such(evening: Evening) -> None:
    card = await evening.start("!gather start 1h")
    shown = re.search(r"at \*\*(\d\d:\d\d)\*\*", card.text)
    assert shown
    await evening.room.says(evening.ada, "!gather cancel", title="cancelled")
    again = await evening.start(f"!gather start {shown[1]}")
    assert again is not card
    assert f"at **{shown[1]}**" in again.text
    await evening.room.says(evening.ada, "!gather cancel", title="cancelled")
    hour, minute = map(int, shown[1].split(":"))
    past = f"{(hour - 2) % 24:02}:{minute:02}"  # it was an hour ago, so tomorrow's is meant
    refusal = await evening.room.says(evening.ada, f"!gather start {past}", title=REFUSED)
    assert "at most 2 hours" in refusal.text


async def test_start_more_than_two_hours_ahead_or_unreadable_is_refused(evening: Evening) -> None:
    await evening.ada.join(evening.lounge)
    for line, words in (("3h", "at most 2 hours"), ("soon", "14:30")):
        refusal = await evening.room.says(evening.ada, f"!gather start {line}", title=REFUSED)
        assert words in refusal.text


async def test_guild_has_one_gathering_and_other_guilds_their_own(
    evening: Evening, house: House
) -> None:
    await evening.start("!gather start 10m")
    await evening.ben.join(evening.attic)
    refusal = await evening.room.says(evening.ben, "!gather start", title=REFUSED)
    assert "running here already" in refusal.text
    elsewhere = Evening(house, house.room())
    assert "Starts in" in (await elsewhere.start("!gather start 10m")).text


async def test_start_where_the_bot_may_not_write_is_refused(evening: Evening) -> None:
    await evening.ada.join(evening.lounge)
    evening.general.deny(evening.room.guild.bot_role, Permission.EMBED_LINKS)
    outcome = await evening.ada.slash(evening.general, "gather start")
    assert "may not write" in (await outcome.answer(title=REFUSED)).text


# ── the countdown ───────────────────────────────────────────────────────────
async def test_countdown_pings_those_in_the_channel_and_then_shows_itself(
    evening: Evening,
) -> None:
    card = await evening.start("!gather start 10m", evening.ben)
    call = evening.general.messages[-2]
    assert call.pinged_users == {evening.ada.user, evening.ben.user}
    assert card.labels == COUNTDOWN_BUTTONS
    assert f"**Attendees (2)**\n{evening.ada.mention}, {evening.ben.mention}" in card.text
    assert card.pinged_users == set()


async def test_countdown_is_refreshed_every_five_seconds(evening: Evening) -> None:
    card = await evening.start("!gather start 10m")
    for left in ("9 min 55 s", "9 min 50 s"):
        await evening.reads(card, f"Starts in **{left}**")
    assert all(4.5 < gap < 5.8 for gap in edit_gaps(card, 0))


async def test_countdown_shows_every_change(evening: Evening) -> None:
    card = await evening.start("!gather start 10m")
    await evening.ben.join(evening.lounge)
    await evening.reads(card, "**Attendees (2)**", within=2.5)
    await evening.ben.move_to(evening.attic)
    await evening.reads(card, "**Attendees (1)**", within=2.5)
    await evening.cleo.click(card, "Join gathering")
    await evening.reads(card, f"{evening.ada.mention}, {evening.cleo.mention}", within=2.5)
    await evening.ada.click(card, "Leave gathering")
    await evening.reads(card, f"**Attendees (1)**\n{evening.cleo.mention}", within=2.5)


async def test_start_now_and_cancel_are_the_authors(evening: Evening) -> None:
    card = await evening.start("!gather start 10m", evening.ben)
    for label, member in (("Start now", evening.ben), ("Cancel", evening.cleo)):
        outcome = await member.click(card, label)
        assert outcome.acknowledged
        assert "who began this gathering" in (await outcome.answer()).text
    assert card.labels == COUNTDOWN_BUTTONS
    await evening.ada.click(card, "Start now")
    await evening.stands(card, Ada="--:--", Ben="--:--")
    assert card.labels == CHECK_IN_BUTTONS


async def test_cancelled_countdown_says_so_and_loses_its_buttons(evening: Evening) -> None:
    card = await evening.start("!gather start 10m")
    await evening.ada.click(card, "Cancel")
    await evening.reads(card, "Cancelled.")
    assert card.buttons == []


async def test_countdown_that_is_over_becomes_the_check_in(evening: Evening) -> None:
    card = await evening.start("!gather start 4s", evening.ben)
    await evening.stands(card, Ada="--:--", Ben="--:--")
    assert card.labels == CHECK_IN_BUTTONS


async def test_check_in_expects_those_present_the_author_and_the_expected_but_not_the_forgotten(
    evening: Evening,
) -> None:
    card = await evening.start("!gather start 10m", evening.ben, evening.dan)
    role = evening.room.guild.add_role("Raiders", mentionable=True)
    evening.cleo.roles.append(role)
    await evening.ada.leave()
    say = evening.room.says
    await say(evening.ben, f"!gather expect <@&{role.id}>", title="Expected")
    await say(evening.ben, f"!gather forget {evening.dan.mention}", title="Forgotten")
    await evening.ada.click(card, "Start now")
    await evening.stands(card, Ada="--:--", Ben="--:--", Cleo="--:--")


async def test_expect_takes_several_mentions_by_prefix_and_by_slash(evening: Evening) -> None:
    card = await evening.start("!gather start 10m")
    both = f"{evening.ben.mention} {evening.cleo.mention}"
    await evening.room.says(evening.ada, f"!gather expect {both}", title="Expected")
    await evening.reads(card, "**Attendees (3)**")
    outcome = await evening.ada.slash(
        evening.general, "gather forget", user=evening.ben, user2=evening.cleo
    )
    assert both in (await outcome.answer(title="Forgotten")).text
    await evening.reads(card, "**Attendees (1)**")


async def test_extend_names_the_new_total_and_start_and_works_only_in_the_countdown(
    evening: Evening,
) -> None:
    card = await evening.start("!gather start 10m")
    reply = await evening.room.says(evening.ben, "!gather extend 5m", title="extended")
    assert "**15 min** in all" in reply.text
    assert re.search(r"Starts at \*\*\d\d:\d\d\*\*", reply.text)
    await evening.reads(card, "Starts in **14 min")
    refusal = await evening.room.says(evening.ada, "!gather extend 1h 46m", title=REFUSED)
    assert "at most 2 hours" in refusal.text
    await evening.ada.click(card, "Start now")
    await evening.stands(card, Ada="--:--")
    refusal = await evening.room.says(evening.ada, "!gather extend 5m", title=REFUSED)
    assert "only while the countdown runs" in refusal.text
