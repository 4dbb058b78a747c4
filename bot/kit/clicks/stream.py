"""The clicks on one message, already acknowledged, in the order in which they were made."""

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from bot.kit.clicks.click import Click
from services.clock import Clock


class StreamClosed(Exception):
    """No further click comes: the stream was closed."""


class ClickStream:
    """Waits for clicks; holds no task, so there is nothing to leave behind.

    Clicks stay in the stream until they are taken, also over cancelled or timed-out waits.
    """

    def __init__(self, message_id: int, *, clock: Clock, on_close: Callable[[], None]) -> None:
        self.message_id = message_id
        self._clock = clock
        self._on_close = on_close
        self._clicks: deque[Click] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether delivery has ended."""
        return self._closed

    def push(self, click: Click) -> None:
        """Hand a click over; for the router alone."""
        if not self._closed:
            self._clicks.append(click)
            self._changed.set()

    async def next(self) -> Click:
        """Wait for the next click.

        Raises:
            StreamClosed: the stream is closed, or was closed meanwhile.
        """
        while True:
            if self._closed:
                raise StreamClosed
            if self._clicks:
                return self._clicks.popleft()
            self._changed.clear()
            await self._changed.wait()

    async def next_within(self, seconds: float) -> Click | None:
        """Wait for the next click, at most `seconds`; None when there was none.

        Raises:
            StreamClosed: the stream is closed, or was closed meanwhile.
        """
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        wake = self._changed.set
        timer.add_done_callback(lambda _: wake())
        try:
            while not self._closed and not self._clicks and not timer.done():
                self._changed.clear()
                await self._changed.wait()
        finally:
            timer.cancel()
        if self._closed:
            raise StreamClosed
        return self._clicks.popleft() if self._clicks else None

    def drain(self) -> list[Click]:
        """Take all clicks that wait already, in click order, without waiting."""
        taken = list(self._clicks)
        self._clicks.clear()
        return taken

    def close(self) -> None:
        """End delivery; what nobody took is dropped. Closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        self._clicks.clear()
        self._changed.set()
        self._on_close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
