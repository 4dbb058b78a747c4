"""Players in the database: queues in batches, the history by its index."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import batched
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.audio.placed_tracks import PlacedTrack
from services.audio.player_state import LoopMode
from services.audio.player_store import PlayerDelta, PlayerRecord, StoredPlayer
from services.audio.track import Source, Track
from services.db.models import HistoryRow, PlayerRow, QueueRow
from services.db.unit_of_work import UnitOfWork
from services.db.upsert import upsert

_ROWS_AT_ONCE = 200
"""So many rows are made and read before the event loop gets its turn (below 3 ms)."""
_MAX_BIGINT = 2**63 - 1

_PLAYER = cast("Table", PlayerRow.__table__)
_QUEUE = cast("Table", QueueRow.__table__)
_HISTORY = cast("Table", HistoryRow.__table__)
_TRACK_COLUMNS = (
    "url",
    "title",
    "source",
    "requested_by",
    "artist",
    "duration_ms",
    "is_live",
    "artwork_url",
)
_PLAYER_STATE = tuple(column.name for column in _PLAYER.columns if column.name != "guild_id")


class PlayerRepository:
    """The player store on SQLite or PostgreSQL."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def load(self) -> Sequence[StoredPlayer]:
        """Return all players with their queues."""
        async with self._unit_of_work.read() as session:
            rows = (await session.execute(select(*_PLAYER.columns))).mappings().all()
            queues = await _load_queues(session)
        return [StoredPlayer(_record(row), queues.get(row["guild_id"], [])) for row in rows]

    async def write(self, deltas: Sequence[PlayerDelta]) -> None:
        """Store all of `deltas` in one transaction."""
        async with self._unit_of_work.write() as session:
            await upsert(
                session,
                PlayerRow,
                [_player_row(item.record) for item in deltas],
                update=_PLAYER_STATE,
            )
            for delta in deltas:
                await _write_queue(session, delta)
            played = [
                {"guild_id": delta.record.guild_id, "played_at": line.at, **_track_row(line.track)}
                for delta in deltas
                for line in delta.played
            ]
            if played:
                await session.execute(insert(_HISTORY), played)

    async def history(self, guild_id: int, *, limit: int) -> tuple[Track, ...]:
        """Return what was played last in the guild, the newest first."""
        query = (
            select(*(_HISTORY.c[name] for name in _TRACK_COLUMNS))
            .where(_HISTORY.c.guild_id == guild_id)
            .order_by(_HISTORY.c.id.desc())
            .limit(limit)
        )
        async with self._unit_of_work.read() as session:
            rows = (await session.execute(query)).mappings().all()
        return tuple(map(_track, rows))


async def _write_queue(session: AsyncSession, delta: PlayerDelta) -> None:
    guild_id, changes = delta.record.guild_id, delta.queue
    if changes.cleared:
        await session.execute(delete(_QUEUE).where(_QUEUE.c.guild_id == guild_id))
    if changes.removed:
        statement = delete(_QUEUE).where(
            _QUEUE.c.guild_id == guild_id, _QUEUE.c.entry_id == bindparam("gone")
        )
        for some in batched(changes.removed, _ROWS_AT_ONCE):
            await session.execute(statement, [{"gone": entry} for entry in some])
    for items in batched(changes.placed, _ROWS_AT_ONCE):
        rows = [_queue_row(guild_id, item) for item in items]
        await upsert(session, QueueRow, rows, update=("order_key",))


async def _load_queues(session: AsyncSession) -> dict[int, list[PlacedTrack]]:
    """Read all queues, each in the order of its keys, the current track first."""
    query = select(*_QUEUE.columns).order_by(
        _QUEUE.c.guild_id, _QUEUE.c.order_key.is_not(None), _QUEUE.c.order_key
    )
    queues: dict[int, list[PlacedTrack]] = {}
    result = await session.stream(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    async for rows in result.mappings().partitions():
        for row in rows:
            placed = PlacedTrack(row["entry_id"], row["order_key"], _track(row))
            queues.setdefault(row["guild_id"], []).append(placed)
        await asyncio.sleep(0)
    return queues


# ── rows and values ─────────────────────────────────────────────────────────
def _record(row: Mapping[Any, Any]) -> PlayerRecord:
    values = {str(name): row[name] for name in (*_PLAYER_STATE, "guild_id")}
    return PlayerRecord(**{**values, "loop": LoopMode(row["loop"])})


def _player_row(record: PlayerRecord) -> dict[str, Any]:
    row = {name: getattr(record, name) for name in (*_PLAYER_STATE, "guild_id")}
    return {**row, "loop": record.loop.value}


def _queue_row(guild_id: int, item: PlacedTrack) -> dict[str, Any]:
    return {
        "guild_id": guild_id,
        "entry_id": item.entry_id,
        "order_key": item.order_key,
        **_track_row(item.track),
    }


def _track_row(track: Track) -> dict[str, Any]:
    return {
        "url": _storable(track.url),
        "title": _storable(track.title),
        "source": track.source.value,
        "requested_by": track.requested_by,
        "artist": _storable(track.artist),
        "duration_ms": None if track.duration_ms is None else min(track.duration_ms, _MAX_BIGINT),
        "is_live": track.is_live,
        "artwork_url": _storable(track.artwork_url),
    }


def _track(row: Mapping[Any, Any]) -> Track:
    return Track(
        url=row["url"],
        title=row["title"],
        source=Source(row["source"]),
        requested_by=row["requested_by"],
        artist=row["artist"],
        duration_ms=row["duration_ms"],
        is_live=row["is_live"],
        artwork_url=row["artwork_url"],
    )


def _storable(text: str | None) -> str | None:
    """Take out what a database refuses: NUL (PostgreSQL) and halves of surrogate pairs (both)."""
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode()
