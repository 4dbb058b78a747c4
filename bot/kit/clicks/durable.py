"""Consumers of clicks that need no memory of the message, so that they outlive a restart."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.kit.clicks.click import Click
from bot.kit.clicks.custom_id import has_prefix
from bot.kit.clicks.delivery import delivered
from bot.kit.clicks.notices import Notices
from services.background import BackgroundTasks

type ClickConsumer = Callable[[Click], Awaitable[None]]

_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Durable:
    """A consumer of all clicks whose custom id begins with `prefix`."""

    prefix: str
    consumer: ClickConsumer
    decides: bool


class DurableConsumers:
    """Calls consumers: one click after the other on each message, messages side by side."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._tasks = BackgroundTasks("durable clicks")
        self._registered: list[Durable] = []
        self._waiting: dict[int, deque[tuple[Durable, Click]]] = {}
        self._workers: set[asyncio.Task[None]] = set()

    def register(self, prefix: str, consumer: ClickConsumer, *, decides: bool) -> None:
        """Send all clicks under `prefix` to `consumer`.

        Raises:
            ValueError: the prefix has a consumer already.
        """
        if any(durable.prefix == prefix for durable in self._registered):
            raise ValueError(f"two consumers for clicks under {prefix!r}")
        self._registered.append(Durable(prefix, consumer, decides))
        self._registered.sort(key=lambda durable: len(durable.prefix), reverse=True)

    def find(self, custom_id: str) -> Durable | None:
        """Return the consumer with the longest prefix that fits."""
        return next((d for d in self._registered if has_prefix(custom_id, d.prefix)), None)

    def deliver(self, durable: Durable, click: Click) -> None:
        """Queue the click behind the others on its message."""
        line = self._waiting.get(click.message_id)
        if line is not None:
            line.append((durable, click))
            return
        self._waiting[click.message_id] = deque([(durable, click)])
        worker = self._tasks.start(self._work(click.message_id), name=durable.prefix)
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def close(self) -> None:
        """Let decisions that are being stored finish, for at most two seconds."""
        if self._workers:
            await asyncio.wait(set(self._workers), timeout=_CLOSE_SECONDS)
        await self._tasks.close()

    async def _work(self, message_id: int) -> None:
        line = self._waiting[message_id]
        try:
            while line:
                durable, click = line.popleft()
                await self._consume(durable, click)
        finally:
            del self._waiting[message_id]

    async def _consume(self, durable: Durable, click: Click) -> None:
        if not await delivered(durable.consumer(click), to=f"clicks on {durable.prefix}"):
            self._notices.failed(click)
