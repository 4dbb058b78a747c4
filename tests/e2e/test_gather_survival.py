"""A gathering goes on: over kills between what is stored and what is done, and other blows."""

import asyncio
import time

import pytest

from tests.e2e.gather_evening import CARD, CLOSING, COUNTDOWN_BUTTONS, Evening
from tests.simulator import SimMessage

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

BACK_SECONDS = 5.0
"""Within so many seconds of being back the bot goes on."""
POST = "POST /channels/*/messages"


def titled(evening: Evening, title: str) -> list[SimMessage]:
    return [message for message in evening.general.messages if title in message.title]


async def gone_from_voice(evening: Evening) -> None:
    news = evening.house.discord.world.calls.news
    await news.until(lambda: evening.ben.voice is None or None, BACK_SECONDS)
    assert evening.ben.voice is None


async def killed(evening: Evening) -> None:
    """Kill the bot with its requests, and start it again."""
    await evening.house.bot.kill()
    evening.house.discord.faults.heal()
    await evening.house.bot.start()
    await evening.house.bot.ready()


# ── kills ───────────────────────────────────────────────────────────────────
async def test_countdown_goes_on_after_a_kill_and_starts_in_time(evening: Evening) -> None:
    card = await evening.start("!gather start 12s", evening.ben)
    begin = time.monotonic()
    await killed(evening)
    assert card.labels == COUNTDOWN_BUTTONS
    await evening.stands(card, Ada="--:--", Ben="--:--")
    assert 11 < time.monotonic() - begin < 16
    await evening.ben.click(card, "I'm here!")
    await evening.stands(card, Ben="ON TIME", Ada="--:--")


async def test_joins_while_the_bot_is_away_count_from_its_return(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.room.says(evening.ada, f"!gather expect {evening.cleo.mention}", title="Expected")
    await evening.ben.click(card, "I'm out")
    await gone_from_voice(evening)
    await evening.stands(card, Ada="--:--", Cleo="--:--", Ben="OUT")
    await evening.house.bot.kill()
    await evening.ben.join(evening.lounge)
    await evening.cleo.join(evening.lounge)
    await evening.dan.join(evening.lounge)
    await evening.house.bot.start()
    await evening.house.bot.ready()
    await evening.stands(card, Ben="ON TIME", Cleo="ON TIME", Ada="--:--")


async def test_kill_between_opting_out_and_the_disconnect_is_made_good(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    stall = evening.house.discord.faults.stall("PATCH /guilds/*/members/*")
    await evening.ben.click(card, "I'm out")
    await stall.reached()
    assert evening.ben.voice is not None
    await killed(evening)
    await gone_from_voice(evening)
    await evening.stands(card, Ada="--:--", Ben="OUT")
    await evening.ben.join(evening.lounge)
    await evening.stands(card, Ben="ON TIME", Ada="--:--")


@pytest.mark.parametrize("after_processing", [False, True])
async def test_kill_while_the_first_message_is_sent_shows_one_that_works(
    evening: Evening, *, after_processing: bool
) -> None:
    await evening.ada.join(evening.lounge)
    faults = evening.house.discord.faults
    call = faults.stall(POST, after_processing=True)
    await evening.ada.say(evening.general, "!gather start")
    await call.reached()
    card_stall = faults.stall(POST, after_processing=after_processing)
    call.release()
    await card_stall.reached()
    await killed(evening)
    card = await evening.general.expect(title=CARD, within=BACK_SECONDS)
    await evening.ada.click(card, "I'm here!")
    await evening.reads(card, "Gathering complete.", within=10)
    assert len(titled(evening, CARD)) == 1
    calls = [message for message in evening.general.messages if "📣 <@" in message.text]
    assert len(calls) == 1


async def test_kill_before_the_last_edit_and_the_closing_card_brings_both_once(
    evening: Evening,
) -> None:
    card = await evening.start()
    stall = evening.house.discord.faults.stall(POST, after_processing=True)
    await evening.ada.click(card, "I'm here!")
    await stall.reached(within=15)
    await killed(evening)
    await card.loses_buttons(within=BACK_SECONDS)
    await evening.general.expect(title=CLOSING, within=BACK_SECONDS)
    await asyncio.sleep(1)
    assert len(titled(evening, CLOSING)) == 1
    await evening.start()


async def test_ghost_ping_that_a_kill_left_standing_is_deleted(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.ada.click(card, "I'm here!")
    await evening.stands(card, Ada="ON TIME", Ben="--:--")
    await evening.passes_while_away(50)
    stall = evening.house.discord.faults.stall("DELETE /channels/*/messages/*")
    ping = await evening.general.expect(
        where=lambda message: message.author.bot and message.pinged_users == {evening.ben.user},
        after=card,
        within=12,
    )
    await stall.reached()
    await killed(evening)
    await ping.gone(within=BACK_SECONDS)


async def test_bot_asked_to_end_goes_on_at_the_next_start(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.ben.click(card, "I'm here!")
    assert await evening.house.bot.terminate() == 0
    await evening.house.bot.start()
    await evening.house.bot.ready()
    await evening.stands(card, Ben="ON TIME", Ada="--:--")


# ── other blows ─────────────────────────────────────────────────────────────
@pytest.mark.parametrize("how", ["cut", "invalidate"])
async def test_gateway_that_breaks_loses_no_join(evening: Evening, how: str) -> None:
    card = await evening.start()
    await evening.room.says(evening.ada, f"!gather expect {evening.ben.mention}", title="Expected")
    faults = evening.house.discord.faults
    if how == "cut":
        faults.drop_gateway()
    else:
        faults.invalidate_session()
    await evening.ben.join(evening.lounge)
    await card.changes(text="Ben   ON TIME", within=20)


async def test_click_whose_acknowledgement_fails_counts(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    evening.house.discord.faults.fail("POST /interactions/*/*/callback", 500, times=100)
    outcome = await evening.ben.click(card, "I'm here!")
    assert not outcome.acknowledged
    evening.house.discord.failed_interactions.remove(outcome)  # as planned
    evening.house.discord.faults.heal()
    await evening.stands(card, Ben="ON TIME", Ada="--:--")


async def test_edits_that_fail_for_a_while_end_in_the_last_state(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    evening.house.discord.faults.fail("PATCH /channels/*/messages/*", 500, times=8)
    await evening.ben.click(card, "I'm here!")
    await evening.reads(card, "Ben   ON TIME", within=25)


async def test_deleted_message_is_posted_anew_and_works(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.ada.delete(card)
    again = await evening.general.expect(title=CARD, after=card)
    await evening.ben.click(again, "I'm here!")
    await evening.stands(again, Ben="ON TIME", Ada="--:--")


async def test_deleted_voice_channel_ends_the_gathering(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    evening.lounge.delete()
    await evening.reads(card, "Ended: the channel was deleted.")
    assert card.buttons == []


async def test_voice_channel_deleted_while_the_bot_is_away_ends_the_gathering(
    evening: Evening,
) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.ben.click(card, "I'm here!")
    await evening.stands(card, Ben="ON TIME", Ada="--:--")
    await evening.house.bot.kill()
    evening.lounge.delete()
    await evening.house.bot.start()
    await evening.house.bot.ready()
    await evening.reads(card, "Ended: the channel was deleted.")


async def test_member_who_leaves_the_server_is_not_waited_for(evening: Evening) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.ada.click(card, "I'm here!")
    evening.room.guild.remove_member(evening.ben)
    await evening.reads(card, "Gathering complete.")


async def test_member_who_left_the_server_while_the_bot_was_away_is_not_waited_for(
    evening: Evening,
) -> None:
    card = await evening.start("!gather start", evening.ben)
    await evening.ada.click(card, "I'm here!")
    await evening.stands(card, Ada="ON TIME", Ben="--:--")
    await evening.house.bot.kill()
    evening.room.guild.remove_member(evening.ben)
    await evening.house.bot.start()
    await evening.house.bot.ready()
    await evening.reads(card, "Gathering complete.", within=10)


async def test_author_who_left_the_server_leaves_the_buttons_to_the_others(
    evening: Evening,
) -> None:
    card = await evening.start("!gather start 10m", evening.ben)
    evening.room.guild.remove_member(evening.ada)
    await evening.reads(card, "**Attendees (1)**", within=3)
    await evening.ben.click(card, "Start now")
    await evening.stands(card, Ben="--:--")
