"""What a guild's player looks like from outside: the values that commands and menus read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import overload, override

from services.audio.track import Track


class Where(StrEnum):
    """Which end of the queue a track goes to."""

    END = "end"
    FRONT = "front"


class LoopMode(StrEnum):
    """What happens with a track that has ended; stored by value."""

    OFF = "off"
    TRACK = "track"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True)
class QueuedTrack:
    """A track with its place in one guild's queue; the same track may stand there twice."""

    entry_id: str
    track: Track


class QueuedTracks(Sequence[QueuedTrack]):
    """Many queued tracks, made one by one when they are looked at (a playlist may have 10,000)."""

    def __init__(self, entries: range, tracks: Sequence[Track]) -> None:
        self._entries = entries
        self._tracks = tracks

    @override
    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> QueuedTrack: ...

    @overload
    def __getitem__(self, index: slice) -> "QueuedTracks": ...

    @override
    def __getitem__(self, index: int | slice) -> "QueuedTrack | QueuedTracks":
        if isinstance(index, slice):
            return QueuedTracks(self._entries[index], self._tracks[index])
        return QueuedTrack(str(self._entries[index]), self._tracks[index])

    @override
    def __iter__(self) -> Iterator[QueuedTrack]:
        for entry, track in zip(self._entries, self._tracks, strict=True):
            yield QueuedTrack(str(entry), track)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """A window on the queue; pages count from 1, positions too."""

    entries: tuple[QueuedTrack, ...]
    page: int
    """The page shown: the nearest one that exists."""
    pages: int
    """At least 1, also for an empty queue."""
    first: int
    """Position in the queue of the first entry shown."""
    total: int
    total_ms: int
    """Length of all queued tracks whose length is known, without the current one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerView:
    """The player of a guild at one instant."""

    current: QueuedTrack | None
    position_ms: int
    paused: bool
    paused_by: int | None
    """Discord user id of who paused it."""
    volume: int
    """Per cent, 0 to 500."""
    loop: LoopMode
    queue_length: int
    voice_channel_id: int | None
    text_channel_id: int | None
    """Where the player's own messages go: the channel of the command that brought it."""
    silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipOutcome:
    """What a skip did."""

    skipped: QueuedTrack
    """What was playing."""
    count: int
    """How many were skipped, the current one included."""
    next: QueuedTrack | None
    """What plays now; None when the queue has ended."""
    undo: int
    """Under which number it can be undone for a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What a change of the queue did."""

    track: Track
    """The track that it was about; of several, the first."""
    count: int
    """How many tracks were affected."""
    undo: int
    """Under which number it can be undone for a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What stands in the queue under some words."""

    entries: tuple[tuple[int, QueuedTrack], ...]
    """The first that fit, each with its position (from 1)."""
    total: int
    """How many fit."""
