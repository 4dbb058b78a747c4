"""Tells what happened in one guild's player: in order, and only once it is stored."""

import contextlib
from collections import deque
from collections.abc import Callable

from services.audio.journal import Journal
from services.audio.player_events import PlayerEvent
from services.background import BackgroundTasks
from services.db.errors import StorageUnavailable


class Announcer:
    """The way of one guild's events to the members."""

    def __init__(
        self,
        guild_id: int,
        journal: Journal,
        *,
        tasks: BackgroundTasks,
        announce: Callable[[PlayerEvent], None],
    ) -> None:
        self._guild_id = guild_id
        self._journal = journal
        self._tasks = tasks
        self._announce = announce
        self._waiting: deque[PlayerEvent] = deque()
        self._telling = False

    def tell(self, event: PlayerEvent) -> None:
        """Announce the event when everything changed so far is on disk, or cannot be."""
        self._waiting.append(event)
        if not self._telling:
            self._telling = True
            self._tasks.start(self._tell_all(), name=f"announce in guild {self._guild_id}")

    async def _tell_all(self) -> None:
        try:
            while self._waiting:
                # it plays all the same; the journal goes on trying
                with contextlib.suppress(StorageUnavailable):
                    await self._journal.stored(self._guild_id)
                self._announce(self._waiting.popleft())
        finally:
            self._telling = False
