"""Work that a command may break off: to find a track's audio may take many seconds."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from services.audio.player_state import QueuedTrack


class Interrupted(Exception):
    """A stop, a skip or a leave came before the track had started."""


class Opening:
    """One start at a time, which can be interrupted from outside."""

    def __init__(self) -> None:
        self._work: asyncio.Task[None] | None = None
        self._entry: QueuedTrack | None = None

    def interrupt(self) -> QueuedTrack | None:
        """Break off what is under way; return what was being started."""
        if self._work is None:
            return None
        self._work.cancel()
        return self._entry

    async def run(self, entry: QueuedTrack, work: Coroutine[Any, Any, None]) -> None:
        """Do the work.

        Raises:
            Interrupted: it was broken off by `interrupt`.
        """
        self._entry = entry
        task = self._work = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task})
        finally:
            self._work = None
            task.cancel()
        if task.cancelled():
            raise Interrupted
        task.result()
