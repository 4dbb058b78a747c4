"""A wait that ends in an action unless it is called off or started anew."""

import asyncio
from collections.abc import Callable

from services.background import BackgroundTasks
from services.clock import Clock


class Countdown:
    """Calls `action` when it was started and then left alone for `seconds`."""

    def __init__(
        self, seconds: float, action: Callable[[], None], *, clock: Clock, tasks: BackgroundTasks
    ) -> None:
        self._seconds = seconds
        self._action = action
        self._clock = clock
        self._tasks = tasks
        self._due = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether the action is going to happen."""
        return self._task is not None

    def start(self) -> None:
        """Begin to count, or begin anew; cheap enough for every push."""
        self._due = self._clock.monotonic() + self._seconds
        if self._task is None:
            self._task = self._tasks.start(self._run(), name="countdown")

    def put_off(self) -> None:
        """Begin anew if it runs."""
        if self._task is not None:
            self.start()

    def cancel(self) -> None:
        """Call it off."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while (left := self._due - self._clock.monotonic()) > 0:
            await self._clock.sleep(left)
        self._task = None
        self._action()
