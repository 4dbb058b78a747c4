"""Discord itself fails: the gateway breaks, REST answers 5xx, 429 or not at all."""

import asyncio

import aiohttp
import pytest

from tests.e2e.house import ADDED, NOW, House, Room
from tests.simulator import SimMessage
from tests.simulator.faults import CALLBACK, Failure

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

_MESSAGES = "POST /channels/*/messages"
_EDITS = ("PATCH /channels/*/messages/*", "PATCH /webhooks/*/*/messages/*")


def page_of(message: SimMessage) -> int:
    """Return the number between the arrows."""
    label = next(b["label"] for b in message.buttons if "/" in b.get("label", ""))
    return int(label.split("/")[0])


async def long_queue(room: Room) -> SimMessage:
    """Queue many tracks behind a playing one and show them."""
    await room.plays(440)
    bomb = room.site.url("/list/bomb")
    await room.says(room.ada, f"!play {bomb}", title=ADDED, within=20)
    return await room.says(room.ada, "!queue", title="Queue")


async def shows_page(message: SimMessage, number: int, *, within: float = 8) -> None:
    found = await message.news.until(lambda: page_of(message) == number or None, within)
    assert found, f"it shows page {page_of(message)}"


def break_gateway(house: House, how: str) -> None:
    faults = house.discord.faults
    match how:
        case "cut":
            faults.drop_gateway()
        case "close":
            faults.close_gateway(4000)
        case "op 7":
            faults.ask_to_reconnect()
        case "op 9 resumable":
            faults.invalidate_session(resumable=True)


# ── the gateway ─────────────────────────────────────────────────────────────
@pytest.mark.parametrize("how", ["cut", "close", "op 7", "op 9 resumable"])
async def test_gateway_that_breaks_and_resumes_loses_no_click_no_command_and_no_sound(
    room: Room, house: House, how: str
) -> None:
    queue = await long_queue(room)
    resumed = house.discord.gateway.counts["resumed"]
    began = house.discord.clock.monotonic()
    break_gateway(house, how)
    clicks = [room.ada.click_soon(queue, "▶") for _ in range(3)]
    slash = room.ada.slash_soon(room.general, "playing")
    answer = await room.says(room.ada, "!volume 50", title="Volume")
    assert "50 %" in answer.title
    assert all(outcome.acknowledged for outcome in await asyncio.gather(*clicks))
    await (await slash).answer(title=NOW)
    await shows_page(queue, 4)
    assert house.discord.gateway.counts["resumed"] == resumed + 1
    gaps = room.guild.ear.gaps(since=began)
    assert (gaps.lost, gaps.silent_frames) == (0, 0)


async def test_gateway_that_is_away_for_a_while_is_waited_for(room: Room, house: House) -> None:
    await room.plays(440)
    house.discord.faults.refuse_connections = True
    break_gateway(house, "cut")
    sent = await room.ada.say(room.general, "!skip")
    await room.ada.say(room.general, f"!play {room.tone(880)}")
    began = house.discord.clock.monotonic()
    await asyncio.sleep(2)
    house.discord.faults.refuse_connections = False
    await room.general.expect(title="Skipped", after=sent, within=10)
    await room.guild.hears(880, within=10, since=began)


async def test_new_gateway_session_rejoins_everywhere_and_plays_on(
    room: Room, house: House
) -> None:
    other, paused = house.room(), house.room()
    now, *_ = await asyncio.gather(room.plays(440), other.plays(550), paused.plays(660))
    await room.queues(880)
    await paused.says(paused.ada, "!pause", title="Paused")
    identified = house.discord.gateway.counts["identified"]
    house.discord.faults.invalidate_session()
    await room.guild.bot_leaves()
    await asyncio.gather(
        room.guild.bot_joins(room.lounge, within=20), other.guild.bot_joins(within=20)
    )
    await asyncio.gather(room.guild.hears(440), other.guild.hears(550))
    assert house.discord.gateway.counts["identified"] > identified
    assert not [m for m in room.general.feed.all if "Goodbye" in m.title]
    await paused.guild.silence()
    await paused.says(paused.ada, "!resume", title="Resumed")
    await paused.guild.hears(660)
    await room.says(room.ada, "!skip", title="Skipped")
    await room.guild.hears(880)
    assert now.deleted


# ── messages ────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("failure", [500, 502, 503, "reset", "429", "shared-429"])
async def test_message_that_discord_does_not_take_at_first_comes_and_comes_once(
    room: Room, house: House, failure: Failure
) -> None:
    await room.ada.join(room.lounge)
    house.discord.faults.fail(_MESSAGES, failure, times=2, retry_after=0.3)
    sent = await room.ada.say(room.general, f"!play {room.tone(440)}")
    await room.guild.hears(440, within=10)
    await room.general.expect(title=NOW, after=sent, within=10)
    titles = [m.title for m in room.general.feed.all if m.id > sent.id]
    assert len(titles) == 2


async def test_message_whose_receipt_was_lost_is_not_sent_twice(room: Room, house: House) -> None:
    await room.ada.join(room.lounge)
    for failure in ("reset", 502):
        house.discord.faults.fail(_MESSAGES, failure, after_processing=True)
    sent = await room.ada.say(room.general, f"!play {room.tone(440)}")
    await room.general.expect(title=NOW, after=sent, within=10)
    await room.says(room.ada, "!volume", title="Volume")
    titles = [m.title for m in room.general.feed.all if m.id > sent.id and m.title]
    assert [title.split(" ", 1)[1] for title in titles] == [
        "Added to queue",
        "Now playing",
        "Volume 100 %",
    ]


async def test_commands_act_while_no_message_can_be_sent(room: Room, house: House) -> None:
    await room.plays(440)
    await room.queues(880)
    house.discord.faults.fail(_MESSAGES, 500, times=1000)
    await room.ada.say(room.general, "!pause")
    await room.guild.silence()
    await room.ada.say(room.general, "!resume")
    await room.guild.hears(440)
    await room.ada.say(room.general, "!skip")
    await room.guild.hears(880)
    house.discord.faults.heal()
    other = room.guild.add_text_channel("other")
    await room.ada.say(other, "!volume")
    await other.expect(title="Volume")


async def test_channel_that_is_rate_limited_keeps_nobody_else_waiting(
    room: Room, house: House
) -> None:
    other = house.room()
    await asyncio.gather(room.plays(440), other.plays(550))
    route = f"POST /channels/{room.general.id}/messages"
    house.discord.faults.fail(route, "429", times=2, retry_after=1)
    sent = await room.ada.say(room.general, "!volume")
    answer = await other.says(other.ada, "!volume", title="Volume", within=1.5)
    assert answer.title == "🔊 Volume 100 %"
    await room.general.expect(title="Volume", after=sent, within=12)


async def test_last_page_lands_although_edits_fail(room: Room, house: House) -> None:
    queue = await long_queue(room)
    for route in _EDITS:
        house.discord.faults.fail(route, 502, times=2)
        house.discord.faults.fail(route, "reset", times=1)
    outcomes = await asyncio.gather(*(room.ada.click_soon(queue, "▶") for _ in range(6)))
    assert all(outcome.acknowledged for outcome in outcomes)
    await shows_page(queue, 7, within=12)


# ── acknowledgements ────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("failure", "times"), [(500, 3), (502, 2), ("reset", 3), ("429", 1), ("shared-429", 1)]
)
async def test_click_is_acknowledged_although_the_callback_fails(
    room: Room, house: House, failure: Failure, times: int
) -> None:
    queue = await long_queue(room)
    house.discord.faults.fail(CALLBACK, failure, times=times)
    outcomes = await asyncio.gather(*(room.ada.click_soon(queue, "▶") for _ in range(4)))
    assert all(outcome.acknowledged for outcome in outcomes)
    await shows_page(queue, 5)


@pytest.mark.parametrize("failure", ["reset", 502])
async def test_click_whose_acknowledgement_was_taken_but_not_confirmed_counts_once(
    room: Room, house: House, failure: Failure
) -> None:
    queue = await long_queue(room)
    house.discord.faults.fail(CALLBACK, failure, after_processing=True)
    assert (await room.ada.click(queue, "▶")).acknowledged
    await shows_page(queue, 2)
    assert (await room.ada.click(queue, "▶")).acknowledged
    await shows_page(queue, 3)


async def test_click_over_a_slow_line_is_acknowledged_in_time(room: Room, house: House) -> None:
    queue = await long_queue(room)
    house.discord.faults.latency(2.0)
    outcomes = await asyncio.gather(*(room.ada.click_soon(queue, "▶") for _ in range(4)))
    assert all(outcome.acknowledged for outcome in outcomes)
    await shows_page(queue, 5)


async def test_click_that_could_not_be_acknowledged_changes_nothing_and_is_counted(
    room: Room, house: House
) -> None:
    queue = await long_queue(room)
    house.discord.faults.fail(CALLBACK, 500, times=1000)
    missed = await room.ada.click(queue, "▶")
    assert not missed.acknowledged
    house.discord.failed_interactions.remove(missed)
    house.discord.faults.heal()
    assert page_of(queue) == 1
    assert (await room.ada.click(queue, "▶")).acknowledged
    await shows_page(queue, 2)
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{house.bot.status_url}/metrics") as response,
    ):
        metrics = await response.text()
    counted = [line for line in metrics.splitlines() if "interaction_missed_total{" in line]
    assert [line.rpartition(" ")[2] for line in counted] == ["1.0"]


async def test_slash_command_is_answered_although_the_callback_and_the_answer_fail(
    room: Room, house: House
) -> None:
    await room.ada.join(room.lounge)
    house.discord.faults.fail(CALLBACK, 502, times=2)
    for route in _EDITS:
        house.discord.faults.fail(route, 502, times=1)
    outcome = await room.ada.slash(room.general, "play", query=room.tone(440))
    assert outcome.acknowledged
    await outcome.answer(title=ADDED, within=10)
    await room.guild.hears(440)
