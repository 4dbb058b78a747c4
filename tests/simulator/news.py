"""Waiting for something to become true, checked only when something has changed."""

import asyncio
from collections.abc import Callable


class News:
    """A bell: whoever changes something rings, whoever waits looks again."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Let everybody who waits look again."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def until[T](self, look: Callable[[], T | None], within: float) -> T | None:
        """Return what `look` finds first, or None when it finds nothing in `within` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while (found := look()) is None and (left := deadline - loop.time()) > 0:
            waiting: asyncio.Future[None] = loop.create_future()
            self._waiting.add(waiting)
            try:
                await asyncio.wait_for(waiting, left)
            except TimeoutError:
                continue
            finally:
                self._waiting.discard(waiting)
        return found
