"""Clients miss no event, and get each player's latest state once."""

import asyncio
from typing import Any

from bot.node.event_queue import EventQueue


def update(guild_id: int) -> dict[str, Any] | None:
    return None if guild_id == 13 else {"op": "playerUpdate", "guild": guild_id}


async def everything(queue: EventQueue) -> list[Any]:
    """Take what is there; a number stands for an event."""
    taken: list[Any] = []
    queue.put({"last": True})
    queue.put_player(99)
    while True:
        message = await asyncio.wait_for(queue.next(), 5)
        if message.get("guild") == 99:
            return taken
        if "last" not in message:
            taken.append(message.get("number", message.get("guild")))


async def test_events_come_in_order_and_before_states() -> None:
    queue = EventQueue(update)
    queue.put_player(7)
    for number in range(3):
        queue.put({"number": number})
    queue.put_player(7)
    queue.put_player(8)
    assert await everything(queue) == [0, 1, 2, 7, 8]


async def test_players_that_are_gone_are_not_told() -> None:
    queue = EventQueue(update)
    for guild_id in (7, 13, 8):
        queue.put_player(guild_id)
    queue.forget_player(8)
    assert await everything(queue) == [7]


async def test_message_that_could_not_be_sent_comes_first_again() -> None:
    queue = EventQueue(update)
    queue.put({"number": 1})
    queue.put({"number": 2})
    queue.put_back(await queue.next())
    assert await everything(queue) == [1, 2]


async def test_client_that_never_comes_back_costs_bounded_memory() -> None:
    queue = EventQueue(update)
    for number in range(5000):
        queue.put({"number": number})
        queue.put_player(number % 10)
    taken = await everything(queue)
    events = [each for each in taken if each > 99]
    assert len(events) < 1000
    assert events == list(range(events[0], 5000))


async def test_next_waits_for_a_message() -> None:
    queue = EventQueue(update)
    waiting = asyncio.create_task(queue.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.put({"number": 1})
    assert await asyncio.wait_for(waiting, 5) == {"number": 1}
