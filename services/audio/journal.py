"""Writes players to disk behind the commands' backs, and says when that is done.

Changes happen in memory, at once; a player that changed tells the journal so. One writer takes
what all changed players have to tell and stores it in one transaction, so a hundred guilds that
change at the same time cost one. Whoever must not speak before it is stored waits in `stored`.
What the database does not take goes back to its player, is told to those who wait, and is tried
again, a little later each time. A very large change is stored in several transactions, each on
its own, so that the others do not wait for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Protocol

from services.audio.player_store import PlayerDelta, PlayerStore
from services.background import BackgroundTasks
from services.clock import Clock
from services.db.errors import StorageUnavailable

_log = logging.getLogger(__name__)

_PAUSES = (0.2, 0.5, 1.0)
"""Seconds between tries while the database does not answer."""
_PATIENCE_SECONDS = 8
_LARGE = 500
"""A change of more queue entries than this is stored in a transaction of its own."""
_TOGETHER = 200
"""So many players share a transaction."""
_FAILED = "This could not be saved. Try again in a moment."


class Changing(Protocol):
    """Something whose changes are stored."""

    @property
    def guild_id(self) -> int:
        """The guild it belongs to."""
        ...

    def take_changes(self) -> tuple[PlayerDelta, bool]:
        """Return what changed, and whether there is more to tell."""
        ...

    def give_back(self, delta: PlayerDelta) -> None:
        """Take changes back that could not be stored."""
        ...


class _Entry:
    """How far one player's changes have been noted and stored."""

    def __init__(self) -> None:
        self.noted = 0
        self.stored = 0
        self.waiting: list[tuple[int, asyncio.Future[None]]] = []

    def reached(self, version: int) -> None:
        self.stored = version
        for wanted, future in self.waiting:
            if wanted <= version and not future.done():
                future.set_result(None)
        self.waiting = [item for item in self.waiting if item[0] > version]

    def failed(self, error: StorageUnavailable) -> None:
        for _, future in self.waiting:
            if not future.done():
                future.set_exception(error)
        self.waiting = []


class Journal:
    """The write-behind store of all players in this process."""

    def __init__(self, store: PlayerStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._tasks = BackgroundTasks("journal")
        self._changed: dict[int, Changing] = {}
        self._entries: dict[int, _Entry] = {}
        self._writer: asyncio.Task[None] | None = None
        self._pause: asyncio.Future[None] | None = None
        self._closing = False
        self.problem: str | None = None
        """What keeps changes from being stored, as one sentence; None while all is well."""

    def note(self, player: Changing) -> None:
        """Store the player's changes soon."""
        self._changed[player.guild_id] = player
        self._entries.setdefault(player.guild_id, _Entry()).noted += 1
        if self._writer is None:
            self._writer = self._tasks.start(self._write_all(), name="write")

    async def stored(self, guild_id: int) -> None:
        """Return when all that was noted of the guild so far is on disk.

        Raises:
            StorageUnavailable: the database does not take it now; it will be tried again.
        """
        entry = self._entries.get(guild_id)
        if entry is None or entry.stored >= entry.noted:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry.waiting.append((entry.noted, done))
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await done
        except TimeoutError:
            raise StorageUnavailable(_FAILED) from None

    async def close(self) -> None:
        """Store what is left, if the database takes it now, and end."""
        self._closing = True
        if self._pause is not None:
            self._pause.cancel()
        if self._writer is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await asyncio.shield(self._writer)
        await self._tasks.close()
        for guild_id in self._changed:
            _log.error("the player of guild %s could not be stored", guild_id)

    # ── the writer ──────────────────────────────────────────────────────────
    async def _write_all(self) -> None:
        failures = 0
        try:
            while self._changed:
                if await self._write_some():
                    failures = 0
                    continue
                if self._closing:
                    return
                await self._wait(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1
        finally:
            self._writer = None

    async def _wait(self, seconds: float) -> None:
        """Wait before the next try; the end of the journal makes it the last one, at once."""
        self._pause = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({self._pause})
        finally:
            self._pause.cancel()
            self._pause = None

    async def _write_some(self) -> bool:
        """Store the changes of the players that wait longest; False when it failed."""
        small: list[tuple[Changing, PlayerDelta, int]] = []
        good = True
        for guild_id in list(self._changed)[:_TOGETHER]:
            player = self._changed.pop(guild_id)
            version = self._entries[guild_id].noted
            delta, more = player.take_changes()
            if more:
                self._changed[guild_id] = player
                version = self._entries[guild_id].stored
            if len(delta.queue.placed) > _LARGE:
                good = await self._write([(player, delta, version)]) and good
            else:
                small.append((player, delta, version))
        if small and not await self._write(small):
            good = False
        return good

    async def _write(self, batch: Sequence[tuple[Changing, PlayerDelta, int]]) -> bool:
        try:
            await self._store.write([delta for _, delta, _ in batch])
        except StorageUnavailable as error:
            self._failed(batch, error)
            return False
        except asyncio.CancelledError:
            self._failed(batch, StorageUnavailable(_FAILED))
            raise
        except Exception as error:  # noqa: BLE001 -- a background task: one fault must not end it
            # one guild's fault must not cost the others: find out whose it is
            if len(batch) > 1:
                return all([await self._write([item]) for item in batch])
            _log.exception("the player of guild %s cannot be stored", batch[0][0].guild_id)
            self._failed(batch, StorageUnavailable(_FAILED), because=error)
            return False
        for player, _, version in batch:
            self._entries[player.guild_id].reached(version)
        if self.problem is not None:
            self.problem = None
            _log.info("players are stored again")
        return True

    def _failed(
        self,
        batch: Sequence[tuple[Changing, PlayerDelta, int]],
        error: StorageUnavailable,
        *,
        because: Exception | None = None,
    ) -> None:
        if because is None:
            if self.problem is None:  # once, not with every try
                _log.warning("players of %d guilds are not stored yet: %s", len(batch), error)
            self.problem = error.sentence
        for player, delta, _ in batch:
            player.give_back(delta)
            self._changed[player.guild_id] = player
            self._entries[player.guild_id].failed(error)
