"""What waits to happen in one guild's player: in its order, one thing at a time, under its lock."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from services.audio.opening import Interrupted
from services.background import BackgroundTasks

_log = logging.getLogger(__name__)

type Action = Callable[[], Awaitable[None]]


class Inbox:
    """Runs actions under the guild's lock; one that fails is logged, and the next one runs."""

    def __init__(self, guild_id: int, lock: asyncio.Lock, *, tasks: BackgroundTasks) -> None:
        self._guild_id = guild_id
        self._lock = lock
        self._tasks = tasks
        self._waiting: deque[Action] = deque()
        self._running = False

    def post(self, action: Action) -> None:
        """Run the action after those that were posted before; may be called at any time."""
        self._waiting.append(action)
        if not self._running:
            self._running = True
            self._tasks.start(self._run(), name=f"inbox of guild {self._guild_id}")

    async def _run(self) -> None:
        try:
            while self._waiting:
                action = self._waiting.popleft()
                async with self._lock:
                    await self._guarded(action)
        finally:
            self._running = False

    async def _guarded(self, action: Action) -> None:
        try:
            await action()
        except Interrupted:
            _log.debug("a start in guild %s was interrupted", self._guild_id)
        except Exception:  # noqa: BLE001 -- a background task: one fault must not end it
            _log.exception("an event of guild %s was not handled", self._guild_id)
