"""Many changes of state, few edits: at most one is under way, and the last state always lands."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.kit.clicks.delivery import delivered
from services.clock import Clock

_log = logging.getLogger(__name__)

_RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Pauses after a failed edit; the last one repeats until a newer state replaces this one."""


class LastState[State]:
    """Shows states by edits that are at least `every` seconds apart.

    Discord takes five edits in five seconds in a channel, hence one second by default; where it
    depends on what was shown last, `every` is asked after each edit. An edit that raises one of
    `ends` (the message is gone) ends the editor; any other failure is tried again, and one of
    `expected` costs a line in the log instead of a traceback.
    """

    def __init__(
        self,
        edit: Callable[[State], Awaitable[object]],
        *,
        clock: Clock,
        ends: tuple[type[Exception], ...] = (),
        expected: tuple[type[Exception], ...] = (),
        every: float | Callable[[], float] = 1.0,
    ) -> None:
        self._edit = edit
        self._clock = clock
        self._ends = ends
        self._expected = expected
        self._every = every if callable(every) else lambda: every
        self._wanted: list[State] = []  # none or one
        self._worker: asyncio.Task[None] | None = None
        self._free_at = clock.monotonic()
        self._closed = False

    @property
    def ended(self) -> bool:
        """Whether no state is shown any more."""
        return self._closed

    def show(self, state: State) -> None:
        """Make `state` the one that will stand in the end; return at once."""
        if self._closed:
            return
        self._wanted = [state]
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(
                self._work(), name="show the last state"
            )

    async def settled(self) -> None:
        """Wait until the newest state is shown, or the editor has ended."""
        while self._worker is not None and not self._worker.done():
            await asyncio.wait((self._worker,))

    async def close(self) -> None:
        """End without showing what is not shown yet; await `settled` first to have it shown."""
        self._closed = True
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    async def _work(self) -> None:
        failures = 0
        while self._wanted and not self._closed:
            await self._clock.sleep(self._free_at - self._clock.monotonic())
            state = self._wanted.pop()
            if await self._shown(state):
                failures = 0
                self._free_at = self._clock.monotonic() + self._every()
                continue
            if not self._wanted:
                self._wanted = [state]
            pause = _RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)]
            self._free_at = self._clock.monotonic() + max(self._every(), pause)
            failures += 1

    async def _shown(self, state: State) -> bool:
        refused: list[Exception] = []
        done = await delivered(self._show_once(state, refused), to="an edit, tried again")
        return done and not refused

    async def _show_once(self, state: State, refused: list[Exception]) -> None:
        try:
            await self._edit(state)
        except self._ends:
            self._closed = True
        except self._expected as error:
            _log.warning("an edit is tried again: %s", error)
            refused.append(error)
