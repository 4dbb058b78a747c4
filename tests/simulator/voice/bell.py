"""Waiting in a coroutine for what threads bring about."""

import asyncio
import time
from collections.abc import Callable


class Bell:
    """Wakes coroutines of any event loop from any thread."""

    def __init__(self) -> None:
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def ring(self) -> None:
        """Wake all who wait."""
        for loop, event in tuple(self._waiting):
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def until[T](self, look: Callable[[], T | None], deadline: float) -> T | None:
        """Return the first thing that `look` finds, None when the monotonic deadline passes."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        self._waiting.add(entry)
        try:
            while (found := look()) is None and (rest := deadline - time.monotonic()) > 0:
                try:
                    await asyncio.wait_for(entry[1].wait(), rest)
                except TimeoutError:
                    return look()
                entry[1].clear()
            return found
        finally:
            self._waiting.discard(entry)
