"""Reminders: what is due when, who has it open, and how many each member may still have."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.db.models.base import Base
from services.db.types import RowId, UtcDateTime

_OPEN = text("closed_at IS NULL")
_LEASED = text("lease_until IS NOT NULL")
_SNOOZE = text("closed_at IS NULL AND snooze_of IS NOT NULL")


class ReminderRow(Base):
    """One reminder; it stays when it is done, for its snooze buttons."""

    __tablename__ = "reminder"
    __table_args__ = (
        Index("ix_reminder_due", "due_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_reminder_leased", "lease_until", sqlite_where=_LEASED, postgresql_where=_LEASED),
        Index(
            "uq_reminder_snooze",
            "snooze_of",
            "snooze_occurrence",
            "scheduled_by",
            unique=True,
            sqlite_where=_SNOOZE,
            postgresql_where=_SNOOZE,
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    guild_id: Mapped[int] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger)
    link_channel_id: Mapped[int] = mapped_column(BigInteger)
    link_message_id: Mapped[int | None] = mapped_column(BigInteger)
    """The message that led to it."""
    scheduled_by: Mapped[int] = mapped_column(BigInteger)
    targets: Mapped[str]
    """Ids, separated by commas."""
    note: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    zone: Mapped[str]
    repeats: Mapped[str | None]
    occurrence: Mapped[int]
    """How often it has fired."""
    snooze_of: Mapped[int | None] = mapped_column(BigInteger)
    """Which reminder was snoozed, and which occurrence of it."""
    snooze_occurrence: Mapped[int | None]
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Until then a process is busy firing it."""
    lease_by: Mapped[str | None]
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When this occurrence was first taken to be fired."""
    claimed_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The same, where that was another process or an earlier try; NULL for the first."""
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ReminderPersonRow(Base):
    """Somebody who scheduled an open reminder, or is reminded by it."""

    __tablename__ = "reminder_person"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    reminder_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("reminder.id"), primary_key=True, autoincrement=False
    )


class ReminderQuotaRow(Base):
    """How many open reminders a member has scheduled, and got from others."""

    __tablename__ = "reminder_quota"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    scheduled: Mapped[int]
    received: Mapped[int]
