"""A player store in memory that keeps what a database would keep."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.audio.placed_tracks import PlacedTrack
from services.audio.player_store import PlayerDelta, PlayerRecord, StoredPlayer
from services.audio.track import Track
from services.db.errors import StorageUnavailable


@dataclass
class _Guild:
    record: PlayerRecord
    entries: dict[int, PlacedTrack] = field(default_factory=dict)
    history: list[Track] = field(default_factory=list)


class MemoryStore:
    """Stores at once, unless `failing`."""

    def __init__(self) -> None:
        self.guilds: dict[int, _Guild] = {}
        self.failing = False
        self.writes: list[int] = []
        """How many players each transaction held."""

    async def load(self) -> Sequence[StoredPlayer]:
        return [
            StoredPlayer(
                guild.record,
                sorted(
                    guild.entries.values(),
                    key=lambda item: (item.order_key is not None, item.order_key or 0),
                ),
            )
            for guild in self.guilds.values()
        ]

    async def write(self, deltas: Sequence[PlayerDelta]) -> None:
        if self.failing:
            raise StorageUnavailable("The disk with the database is full.")
        self.writes.append(len(deltas))
        for delta in deltas:
            self._write(delta)

    async def history(self, guild_id: int, *, limit: int) -> tuple[Track, ...]:
        guild = self.guilds.get(guild_id)
        return () if guild is None else tuple(reversed(guild.history[-limit:]))

    def _write(self, delta: PlayerDelta) -> None:
        guild = self.guilds.setdefault(delta.record.guild_id, _Guild(delta.record))
        guild.record = delta.record
        if delta.queue.cleared:
            guild.entries.clear()
        for entry in delta.queue.removed:
            guild.entries.pop(entry, None)
        for item in delta.queue.placed:
            guild.entries[item.entry_id] = item
        guild.history.extend(line.track for line in delta.played)
