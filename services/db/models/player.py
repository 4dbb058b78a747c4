"""The players: what each guild plays, what is queued there, and what was played."""

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.db.models.base import Base
from services.db.types import RowId, UtcDateTime


class _TrackColumns:
    """A track, spelled out; the same in the queue and in the history."""

    url: Mapped[str]
    title: Mapped[str]
    source: Mapped[str]
    requested_by: Mapped[int] = mapped_column(BigInteger)
    artist: Mapped[str | None]
    duration_ms: Mapped[int | None] = mapped_column(BigInteger)
    is_live: Mapped[bool]
    artwork_url: Mapped[str | None]


class PlayerRow(Base):
    """One guild's player."""

    __tablename__ = "player"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    voice_channel_id: Mapped[int | None] = mapped_column(BigInteger)
    text_channel_id: Mapped[int | None] = mapped_column(BigInteger)
    current_entry_id: Mapped[int | None] = mapped_column(BigInteger)
    play_id: Mapped[str | None]
    """Under which name the node knows what it plays."""
    position_ms: Mapped[int] = mapped_column(BigInteger)
    paused: Mapped[bool]
    paused_by: Mapped[int | None] = mapped_column(BigInteger)
    volume: Mapped[int]
    loop: Mapped[str]
    silent: Mapped[bool]


class QueueRow(_TrackColumns, Base):
    """One queued track, or the current one.

    `order_key` is sparse, so that an insert at either end writes this row only; NULL marks the
    current track, which has left the queue.
    """

    __tablename__ = "queue_entry"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    order_key: Mapped[int | None] = mapped_column(BigInteger)


class HistoryRow(_TrackColumns, Base):
    """One track that was played."""

    __tablename__ = "play_history"
    __table_args__ = (Index("ix_play_history_guild_id_id", "guild_id", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    guild_id: Mapped[int] = mapped_column(BigInteger)
    played_at: Mapped[datetime] = mapped_column(UtcDateTime)
