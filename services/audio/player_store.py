"""What a player needs of the disk: a port, and the values that go through it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.audio.placed_tracks import PlacedTrack, QueueChanges
from services.audio.player_state import LoopMode
from services.audio.track import Track


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerRecord:
    """A guild's player without its queue."""

    guild_id: int
    voice_channel_id: int | None
    text_channel_id: int | None
    current_entry_id: int | None
    play_id: str | None
    """Under which name the node knows what it plays."""
    position_ms: int
    paused: bool
    paused_by: int | None
    volume: int
    loop: LoopMode
    silent: bool


@dataclass(frozen=True, slots=True)
class Played:
    """A line of the history."""

    track: Track
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerDelta:
    """What became of one guild's player since it was stored last; stored as a whole."""

    record: PlayerRecord
    queue: QueueChanges
    played: tuple[Played, ...]


@dataclass(frozen=True, slots=True)
class StoredPlayer:
    """A player as it was when the process ended; `queue` in the order of keys."""

    record: PlayerRecord
    queue: Sequence[PlacedTrack]


class PlayerStore(Protocol):
    """Keeps players over restarts."""

    async def load(self) -> Sequence[StoredPlayer]:
        """Return all players.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        ...

    async def write(self, deltas: Sequence[PlayerDelta]) -> None:
        """Store all of `deltas` in one transaction.

        Raises:
            StorageUnavailable: the database does not take it; nothing was stored.
        """
        ...

    async def history(self, guild_id: int, *, limit: int) -> tuple[Track, ...]:
        """Return what was played last in the guild, the newest first.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        ...
