"""Gets the next track ready while the current one plays, and hands it to the node.

The plan is made anew whenever the answer to "what follows?" may have changed: a track started, or
the queue or the loop mode was changed. A track whose audio cannot be got is tried once more a
little later and then reported, so that the queue skips it before its turn instead of falling
silent then.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from services.audio.countdown import Countdown
from services.audio.errors import NodeUnavailable, TrackUnplayable
from services.audio.outside import Outside
from services.audio.player_state import QueuedTrack
from services.audio.ports import NodeTrack
from services.errors import UserError

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What the node will play next by itself, and under which name."""

    play_id: str
    entry_id: str


class Handover:
    """Keeps the node one track ahead."""

    def __init__(
        self,
        guild_id: int,
        outside: Outside,
        *,
        following: Callable[[], QueuedTrack | None],
        failed: Callable[[QueuedTrack, UserError], None],
    ) -> None:
        self._guild_id = guild_id
        self._outside = outside
        self._following = following
        self._failed = failed
        self._handed: HandedOver | None = None
        self._ready: str | None = None
        self._failed_once: str | None = None
        self._retry = Countdown(_RETRY_SECONDS, self.plan, clock=outside.clock, tasks=outside.tasks)
        self._node_may_hold = False
        self._stale = False
        self._task: asyncio.Task[None] | None = None

    def plan(self) -> None:
        """Look again at what follows, and get that ready."""
        self._stale = True
        if self._task is None:
            self._task = self._outside.tasks.start(
                self._keep_ahead(), name=f"prepare the next track in guild {self._guild_id}"
            )

    def is_ready(self, entry: QueuedTrack) -> bool:
        """Whether the entry's audio was found already."""
        return self._ready == entry.entry_id

    def take(self) -> HandedOver | None:
        """Return what the node goes on with by itself now; it holds nothing more then."""
        handed, self._handed = self._handed, None
        if handed is not None:
            self._node_may_hold = False
        return handed

    def drop(self, play_id: str) -> None:
        """Take note that the node could not open what it was handed under that name."""
        if self._handed is not None and self._handed.play_id == play_id:
            self._handed = None

    def replaced(self) -> None:
        """Take note that something else plays now; the node may still hold what follows."""
        self._handed = None

    def inherited(self) -> None:
        """Take note that the node may hold something that an earlier process handed over."""
        self._node_may_hold = True

    def emptied(self) -> None:
        """Take note that the node holds nothing: it was stopped, or is gone."""
        self._handed = None
        self._node_may_hold = False

    def cancel(self) -> None:
        """Stop getting anything ready."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._retry.cancel()
        self._stale = False
        self.emptied()

    # ── the work ────────────────────────────────────────────────────────────
    async def _keep_ahead(self) -> None:
        try:
            while self._stale:
                self._stale = False
                await self._look()
        finally:
            if self._task is asyncio.current_task():
                self._task = None

    async def _look(self) -> None:
        entry = self._following()
        if entry is None:
            await self._hand_over(None)
            return
        if self._handed is not None and self._handed.entry_id == entry.entry_id:
            return
        if await self._prepare(entry) and not self._stale:
            await self._hand_over(entry)

    async def _prepare(self, entry: QueuedTrack) -> bool:
        try:
            await self._outside.media.prepare(entry.track)
        except NodeUnavailable:
            return False
        except UserError as error:
            _log.info("the next track is not ready: %s", error)
            if self._failed_once == entry.entry_id:
                self._failed_once = None
                self._failed(entry, error)
            else:
                self._failed_once = entry.entry_id
                self._retry.start()
            return False
        self._ready = entry.entry_id
        return True

    async def _hand_over(self, entry: QueuedTrack | None) -> None:
        if entry is None:
            self._handed = None
            if not self._node_may_hold:
                return
            self._node_may_hold = False
            await self._set_next(None)
            return
        play_id = f"{entry.entry_id}.{self._outside.new_play_number()}"
        track = NodeTrack(
            entry_id=play_id, link=self._outside.media.link(entry.track), title=entry.track.title
        )
        # said before it is done: the node may start it before it answers
        handed = self._handed = HandedOver(play_id, entry.entry_id)
        self._node_may_hold = True
        if not await self._set_next(track) and self._handed is handed:
            self._handed = None
            self._node_may_hold = False

    async def _set_next(self, track: NodeTrack | None) -> bool:
        try:
            return await self._outside.node.set_next(self._guild_id, track)
        except (NodeUnavailable, TrackUnplayable) as error:
            _log.info("the node takes no next track: %s", error)
            return False
