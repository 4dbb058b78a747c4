"""Gatherings: the open ones, what happened in them, and who attended all there ever were."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.db.models.base import Base
from services.db.types import RowId, UtcDateTime


class GatheringRow(Base):
    """One gathering; a guild has at most one that is open."""

    __tablename__ = "gathering"
    __table_args__ = (
        Index(
            "uq_gathering_guild_id_open",
            "guild_id",
            unique=True,
            sqlite_where=text("phase <> 'closed'"),
            postgresql_where=text("phase <> 'closed'"),
        ),
        Index(
            "ix_gathering_id_unfinished",
            "id",
            sqlite_where=text("NOT done"),
            postgresql_where=text("NOT done"),
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    guild_id: Mapped[int] = mapped_column(BigInteger)
    voice_channel_id: Mapped[int] = mapped_column(BigInteger)
    text_channel_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    author_id: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the check-in begins, or began."""
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    phase: Mapped[str]
    ending: Mapped[str | None]
    done: Mapped[bool]
    """Closed, and everything said about it."""
    state: Mapped[str]
    """The rest, as JSON (`services/gather/codec.py`)."""


class GatheringEventRow(Base):
    """Something that happened to a gathering; kept for 30 days."""

    __tablename__ = "gathering_event"
    __table_args__ = (Index("ix_gathering_event_at", "at"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    guild_id: Mapped[int] = mapped_column(BigInteger)
    gathering_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("gathering.id", ondelete="CASCADE")
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str]
    details: Mapped[str]


class AttendanceRow(Base):
    """One expected member of one gathering; the index answers statistics without the table."""

    __tablename__ = "attendance"
    __table_args__ = (
        Index(
            "ix_attendance_member",
            "guild_id",
            "user_id",
            "held_at",
            "outcome",
            "late_s",
        ),
    )

    gathering_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("gathering.id"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    guild_id: Mapped[int] = mapped_column(BigInteger)
    held_at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str]
    late_s: Mapped[int]
    arrived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_join: Mapped[datetime | None] = mapped_column(UtcDateTime)
    present_s: Mapped[int]


class AttendanceTallyRow(Base):
    """How often a member ever had an outcome: totals are kept, not counted."""

    __tablename__ = "attendance_tally"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    late_s: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    times: Mapped[int]
