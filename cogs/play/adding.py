"""Puts what was found into the queue and starts it; what cannot start is taken out again."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from services.audio.errors import NothingPlaying
from services.audio.player_service import PlayerService
from services.audio.player_state import PlayerView, QueuedTrack, Where
from services.audio.track import Playlist, Track
from services.errors import Refusal

_SLICE = 200
"""Tracks taken back between two turns of the event loop."""


class How(Enum):
    """Where a new track goes."""

    LAST = "last"
    FIRST = "first"
    NOW = "now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of the tracks."""

    found: Track | Playlist
    how: How
    started: bool
    """Whether one of them plays now."""
    position: int
    """Where the first of them stands in the queue, from 1, as long as it has not started."""


class Adding:
    """The way of new tracks into a guild's player."""

    def __init__(self, player: PlayerService) -> None:
        self._player = player

    async def add(self, guild_id: int, found: Track | Playlist, how: How) -> Added:
        """Queue what was found and see to it that something plays.

        Raises what `PlayerService.kick_off_playback` does, and a `Refusal` when somebody stopped
        the music meanwhile; the queue is without the new tracks then.
        """
        tracks = found.tracks if isinstance(found, Playlist) else (found,)
        before = self._player.view(guild_id)
        if how is How.NOW:
            await self._player.play_now(guild_id, tracks[0])
            self._player.push_tracks(guild_id, tracks[1:], Where.FRONT)
            started = True
        else:
            where = Where.FRONT if how is How.FIRST else Where.END
            entries = self._player.push_tracks(guild_id, tracks, where)
            try:
                started = await self._start(guild_id, how, before)
            except Exception:
                await self._take_back(guild_id, entries)
                raise
        after = await self._certain(guild_id)
        position = _position(how, before, after)
        return Added(found=found, how=how, started=started, position=position)

    async def _start(self, guild_id: int, how: How, before: PlayerView) -> bool:
        paused = before.current is not None and before.paused
        if paused and how is How.LAST:
            with suppress(NothingPlaying):  # somebody else was quicker
                await self._player.resume(guild_id)
        replace = paused and how is How.FIRST
        return await self._player.kick_off_playback(guild_id, replace=replace) is not None

    async def _certain(self, guild_id: int) -> PlayerView:
        """Return the player as it is after the start, or after a stop that came between."""
        view = self._player.view(guild_id)
        if view.current is not None:
            return view
        # a stop or skip is under way; this waits its turn behind it, and starts what is left
        await self._player.kick_off_playback(guild_id)
        view = self._player.view(guild_id)
        if view.current is None and not view.queue_length:
            raise Refusal("Somebody stopped the music before this could start.")
        return view

    async def _take_back(self, guild_id: int, entries: Iterable[QueuedTrack]) -> None:
        for number, entry in enumerate(entries, start=1):
            self._player.take_back(guild_id, entry.entry_id)
            if number % _SLICE == 0:
                await asyncio.sleep(0)


def _position(how: How, before: PlayerView, after: PlayerView) -> int:
    """Return where the first new track stands, from 1."""
    if how is How.FIRST:
        return 1
    left = before.current is None and after.current is not None  # the head plays meanwhile
    return max(1, before.queue_length + 1 - left)
