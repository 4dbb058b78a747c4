"""Plays what was played before: the previous track, or one that was skipped by mistake.

The track that it takes the place of is not lost: it comes again right after. Everything here runs
under the guild's lock.
"""

from services.audio.errors import NothingPlaying
from services.audio.placed_tracks import DroppedTracks
from services.audio.playback import Playback
from services.audio.player_state import QueuedTrack, Where
from services.audio.track_queue import TrackQueue
from services.audio.trail import Trail
from services.audio.undo_log import Skipped


class GoingBack:
    """The way back of one guild's player; it raises what `Playback.start` raises."""

    def __init__(self, queue: TrackQueue, playback: Playback) -> None:
        self._queue = queue
        self._playback = playback
        self.trail = Trail()

    async def previous(self) -> QueuedTrack:
        """Play the track before the current one; see `PlayerService.previous`."""
        current = self._queue.current
        track = self.trail.before(current)
        if track is None:
            raise NothingPlaying("Nothing was played before this.")
        entry = self._queue.push(track, Where.FRONT)
        await self._play(entry)
        self.trail.step_back(current)
        return entry

    async def unskip(self, change: Skipped) -> QueuedTrack:
        """Play a skipped track from where it was, and then what was passed over with it."""
        self._queue.put_front([change.entry])
        await self._play(change.entry, start_ms=change.position_ms, before=change.passed)
        return change.entry

    async def _play(
        self, entry: QueuedTrack, *, start_ms: int = 0, before: DroppedTracks | None = None
    ) -> None:
        """Play a queued entry; `before` and then the replaced track follow it."""
        replaced = self._queue.current
        try:
            await self._playback.play_instead(entry, start_ms=start_ms)
        except BaseException:
            self._queue.remove(entry.entry_id)
            raise
        if replaced is not None:
            self._queue.put_front([replaced])
        for batch in (before or DroppedTracks()).batches(backwards=True):
            self._queue.put_front([QueuedTrack(str(p.entry_id), p.track) for p in batch])
