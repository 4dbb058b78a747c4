"""A queue in which nobody's hundred wishes stand before somebody else's first."""

import asyncio
from collections import OrderedDict, deque


class FairQueue[Item]:
    """First in, first out within a lane; the lanes take turns."""

    def __init__(self) -> None:
        self._lanes: OrderedDict[int, deque[Item]] = OrderedDict()
        self._count = asyncio.Semaphore(0)

    def put(self, lane: int, item: Item) -> None:
        """Add `item` at the end of its lane."""
        self._lanes.setdefault(lane, deque()).append(item)
        self._count.release()

    def put_back(self, lane: int, item: Item) -> None:
        """Add `item` before all others: it had its turn and got nothing."""
        self._lanes.setdefault(lane, deque()).appendleft(item)
        self._lanes.move_to_end(lane, last=False)
        self._count.release()

    async def get(self) -> Item:
        """Take the first item of the lane whose turn it is."""
        await self._count.acquire()
        lane, items = next(iter(self._lanes.items()))
        item = items.popleft()
        if items:
            self._lanes.move_to_end(lane)
        else:
            del self._lanes[lane]
        return item

    def drain(self) -> list[Item]:
        """Take everything out at once."""
        items = [item for lane in self._lanes.values() for item in lane]
        self._lanes.clear()
        self._count = asyncio.Semaphore(0)
        return items
