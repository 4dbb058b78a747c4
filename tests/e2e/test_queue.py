"""The queue's pages under fast, foreign, stale and troubled clicks."""

import asyncio

import pytest

from bot.kit.clicks.ack_rules import WINDOW_SECONDS
from tests.e2e.house import House, Room
from tests.simulator import SimMessage

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def long_queue(room: Room) -> SimMessage:
    """Queue 10,000 tracks and show the first page."""
    await room.ada.join(room.lounge)
    bomb = room.site.url("/list/bomb")
    await room.says(room.ada, f"!play {bomb}", title="Added to queue", within=40)
    return await room.says(room.ada, "!queue", title="Queue")


def page_of(message: SimMessage) -> int:
    """Return the number between the arrows."""
    label = next(b["label"] for b in message.buttons if "/" in b.get("label", ""))
    return int(label.split("/")[0])


async def shows_page(room: Room, message: SimMessage, number: int, *, within: float = 5) -> None:
    await room.general.expect(where=lambda m: m is message and page_of(m) == number, within=within)


async def test_queue_pages_are_turned_by_their_author_alone(room: Room) -> None:
    queue = await long_queue(room)
    assert page_of(queue) == 1
    assert (await room.ada.click(queue, "▶")).acknowledged
    await shows_page(room, queue, 2)
    outcome = await room.ben.click(queue, "▶")
    assert outcome.acknowledged
    assert (await outcome.answer()).only_for is room.ben.user
    assert page_of(queue) == 2


async def test_queue_burst_of_clicks_is_all_applied_with_few_edits(room: Room) -> None:
    queue = await long_queue(room)
    before = queue.edits
    clicks = [room.ada.click_soon(queue, "▶") for _ in range(30)]
    outcomes = await asyncio.gather(*clicks)
    assert all(outcome.acknowledged for outcome in outcomes)
    await shows_page(room, queue, 31, within=8)
    assert queue.edits - before <= 8


async def test_queue_click_survives_a_callback_that_fails_twice(room: Room, house: House) -> None:
    queue = await long_queue(room)
    house.discord.world.faults.fail("POST /interactions/*/*/callback", 502, times=2)
    outcome = await room.ada.click(queue, "▶")
    assert outcome.acknowledged
    assert (outcome.ack_ms or 0) < WINDOW_SECONDS * 1000
    await shows_page(room, queue, 2)


async def test_queue_message_deleted_under_its_menu_leaves_the_bot_well(room: Room) -> None:
    queue = await long_queue(room)
    clicked = room.ada.click_soon(queue, "▶")
    await room.ada.delete(queue)
    await clicked
    again = await room.says(room.ada, "!queue 3", title="Queue")
    assert page_of(again) == 3


async def test_queue_by_slash_turns_its_pages_too(room: Room) -> None:
    await long_queue(room)
    outcome = await room.ada.slash(room.general, "queue", page=5)
    queue = await outcome.answer(title="Queue")
    assert page_of(queue) == 5
    await room.ada.click(queue, "◀")
    await shows_page(room, queue, 4)
