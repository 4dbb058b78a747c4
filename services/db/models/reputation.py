"""Reputation: every change, how members stand, and counts that find any rank quickly."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, SmallInteger, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from services.db.models.base import Base
from services.db.types import RowId, UtcDateTime


class ReputationEntryRow(Base):
    """One change that a member made to another's reputation."""

    __tablename__ = "reputation_entry"
    __table_args__ = (
        Index("ix_reputation_entry_target", "guild_id", "target_id", "number"),
        Index(
            "ix_reputation_entry_leaving",
            "windows",
            "at",
            sqlite_where=text("windows > 0"),
            postgresql_where=text("windows > 0"),
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    guild_id: Mapped[int] = mapped_column(BigInteger)
    target_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int]
    """Counts the target's entries from 1 without gaps, so that a page is a range of numbers."""
    giver_id: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    windows: Mapped[int] = mapped_column(SmallInteger)
    """How many of the windows that move with time it still counts in; the shortest goes first."""


class ReputationStandingRow(Base):
    """How a member stands in one window of time; only members with entries in it have one."""

    __tablename__ = "reputation_standing"
    __table_args__ = (
        Index(
            "uq_reputation_standing_rank",
            "guild_id",
            "span",
            desc("total"),
            "seat",
            unique=True,
        ),
    )

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    span: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    """Days; 0 is for ever."""
    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    total: Mapped[int]
    entries: Mapped[int]
    seat: Mapped[int]
    """Counts the members with the same total from 1 without gaps."""


class ReputationCountRow(Base):
    """How many members have a total in a range (`services/reputation/ladder.py`)."""

    __tablename__ = "reputation_count"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    span: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    height: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    members: Mapped[int]


class ReputationCooldownRow(Base):
    """When a member last changed another one's reputation."""

    __tablename__ = "reputation_cooldown"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    giver_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    target_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    since: Mapped[datetime] = mapped_column(UtcDateTime)


class ReputationBoardRow(Base):
    """One row for each guild, which every change writes first: so they come one after another."""

    __tablename__ = "reputation_board"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    changes: Mapped[int] = mapped_column(BigInteger)
