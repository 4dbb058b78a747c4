"""Reminders, whom they concern, and how many are open."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_Counted = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Moment = sa.DateTime(timezone=True)


def _partial_index(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(
        name,
        "reminder",
        columns,
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _reminders() -> None:
    op.create_table(
        "reminder",
        sa.Column("id", _Counted, autoincrement=True, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("link_channel_id", sa.BigInteger(), nullable=False),
        sa.Column("link_message_id", sa.BigInteger(), nullable=True),
        sa.Column("scheduled_by", sa.BigInteger(), nullable=False),
        sa.Column("targets", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", _Moment, nullable=False),
        sa.Column("due_at", _Moment, nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("repeats", sa.String(), nullable=True),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("snooze_of", sa.BigInteger(), nullable=True),
        sa.Column("snooze_occurrence", sa.Integer(), nullable=True),
        sa.Column("lease_until", _Moment, nullable=True),
        sa.Column("lease_by", sa.String(), nullable=True),
        sa.Column("claimed_at", _Moment, nullable=True),
        sa.Column("claimed_before", _Moment, nullable=True),
        sa.Column("closed_at", _Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reminder"),
    )
    _partial_index("ix_reminder_due", ["due_at", "id"], "closed_at IS NULL")
    _partial_index("ix_reminder_leased", ["lease_until"], "lease_until IS NOT NULL")
    _partial_index(
        "uq_reminder_snooze",
        ["snooze_of", "snooze_occurrence", "scheduled_by"],
        "closed_at IS NULL AND snooze_of IS NOT NULL",
        unique=True,
    )


def upgrade() -> None:
    _reminders()
    op.create_table(
        "reminder_person",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reminder_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["reminder_id"], ["reminder.id"], name="fk_reminder_person_reminder_id"
        ),
        sa.PrimaryKeyConstraint("guild_id", "user_id", "reminder_id", name="pk_reminder_person"),
    )
    op.create_table(
        "reminder_quota",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scheduled", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "user_id", name="pk_reminder_quota"),
    )


def downgrade() -> None:
    op.drop_table("reminder_quota")
    op.drop_table("reminder_person")
    op.drop_index("uq_reminder_snooze", table_name="reminder")
    op.drop_index("ix_reminder_leased", table_name="reminder")
    op.drop_index("ix_reminder_due", table_name="reminder")
    op.drop_table("reminder")
