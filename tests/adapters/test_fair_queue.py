"""Lanes take turns."""

from bot.adapters.fair_queue import FairQueue


async def test_queue_with_one_busy_lane_serves_the_others_in_between() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(4):
        queue.put(1, f"a{number}")
    queue.put(2, "b0")
    queue.put(3, "c0")
    assert [await queue.get() for _ in range(6)] == ["a0", "b0", "c0", "a1", "a2", "a3"]


async def test_item_that_is_put_back_is_the_next() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.put(1, "a0")
    queue.put(2, "b0")
    first = await queue.get()
    queue.put_back(1, first)
    assert [await queue.get(), await queue.get()] == ["a0", "b0"]


async def test_drained_queue_is_empty_and_usable() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.put(1, "a0")
    queue.put(2, "b0")
    assert queue.drain() == ["a0", "b0"]
    queue.put(1, "a1")
    assert await queue.get() == "a1"
