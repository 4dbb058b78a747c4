"""Tracks with their places in a queue: what is stored of it, and what an undo brings back."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.audio.track import Track

SLICE = 250
"""How many entries are handled before the event loop gets its turn (below 2 ms)."""


async def in_slices(slices: Iterator[None]) -> None:
    """Go through `slices`, letting the event loop turn in between."""
    for _ in slices:
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class PlacedTrack:
    """Where an entry stands now; `order_key` None marks the current track."""

    entry_id: int
    order_key: int | None
    track: Track


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueChanges:
    """What became of a queue since the last time: first cleared, then removed, then placed."""

    cleared: bool = False
    removed: tuple[int, ...] = ()
    placed: tuple[PlacedTrack, ...] = ()
    more: bool = False
    """There is more to tell; ask again."""


class QueueOrder:
    """The order that a queue had at some time."""

    def __init__(self, keys: Sequence[int], ids: Mapping[int, int], *, before: int) -> None:
        self._keys = keys
        self._ids = ids
        self.before = before
        """Entries with this id or a higher one have come since."""

    def __iter__(self) -> Iterator[int]:
        return (self._ids[key] for key in self._keys)


class DroppedTracks:
    """Tracks that left a queue together, in their order, each with its old place.

    A cleared queue hands over its own deque and dicts, so that nothing is copied; they are worked
    through in slices, whether the tracks are brought back or forgotten (to free 100,000 tracks in
    one go would take 30 ms).
    """

    def __init__(
        self,
        keys: deque[int] | None = None,
        ids: dict[int, int] | None = None,
        tracks: dict[int, Track] | None = None,
        *,
        rest: tuple[dict[int, Any], ...] = (),
    ) -> None:
        self._keys: deque[int] = deque() if keys is None else keys
        self._ids = {} if ids is None else ids  # by key
        self._tracks = {} if tracks is None else tracks  # by id
        self._rest = rest

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def first(self) -> Track | None:
        """The track that stood first."""
        return self._tracks[self._ids[self._keys[0]]] if self._keys else None

    def add(self, entry: int, key: int, track: Track) -> None:
        """Take one in, behind those that are here; keys must rise."""
        self._keys.append(key)
        self._ids[key] = entry
        self._tracks[entry] = track

    def batches(self, *, backwards: bool = False) -> Iterator[list[PlacedTrack]]:
        """Give the tracks away in slices, from the first or from the last; each slice in order."""
        while self._keys:
            take = self._keys.pop if backwards else self._keys.popleft
            keys = [take() for _ in range(min(SLICE, len(self._keys)))]
            if backwards:
                keys.reverse()
            yield [self._given_away(key) for key in keys]

    def _given_away(self, key: int) -> PlacedTrack:
        entry = self._ids.pop(key)
        return PlacedTrack(entry, key, self._tracks.pop(entry))

    def free(self) -> Iterator[None]:
        """Forget the tracks, in slices."""
        for _ in self.batches():
            yield
        for dropped in self._rest:
            while dropped:
                for _ in range(min(SLICE, len(dropped))):
                    dropped.popitem()
                yield
