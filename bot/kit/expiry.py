"""Deletes status messages when their time is over, at the latest when the bot stops."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.kit.outbox import Undelivered
from services.background import BackgroundTasks
from services.clock import Clock

_log = logging.getLogger(__name__)

type Deletion = Callable[[], Awaitable[None]]

_CLOSE_SECONDS = 2.0


class Expiry:
    """Deletions that are due later; those still due at the end happen then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks = BackgroundTasks("expiry")
        self._due: dict[asyncio.Task[None], Deletion] = {}

    def schedule(self, seconds: float, deletion: Deletion) -> asyncio.Task[None]:
        """Call `deletion` after `seconds`; cancel the returned task to keep the message."""
        task = self._tasks.start(self._later(seconds, deletion), name="delete a message")
        self._due[task] = deletion
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._due.pop(task, None)

    async def _later(self, seconds: float, deletion: Deletion) -> None:
        await self._clock.sleep(seconds)
        await _attempt(deletion)

    async def close(self) -> None:
        """Delete at once what would have been deleted later, for at most two seconds.

        To be called while the connections are still open.
        """
        due = list(self._due.values())
        await self._tasks.close()
        work = (_attempt(deletion) for deletion in due)
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                outcomes = await asyncio.gather(*work, return_exceptions=True)
        except TimeoutError:
            _log.info("some status messages were left behind")
            return
        for error in filter(None, outcomes):
            _log.warning("a status message was left behind", exc_info=error)


async def _attempt(deletion: Deletion) -> None:
    try:
        await deletion()
    except Undelivered as error:
        _log.info("a message was kept: %s", error)
