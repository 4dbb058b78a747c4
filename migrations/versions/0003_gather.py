"""Gatherings, their events, the attendance ledger and its totals."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None

_Counted = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Moment = sa.DateTime(timezone=True)


def _gatherings() -> None:
    op.create_table(
        "gathering",
        sa.Column("id", _Counted, autoincrement=True, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("voice_channel_id", sa.BigInteger(), nullable=False),
        sa.Column("text_channel_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _Moment, nullable=False),
        sa.Column("starts_at", _Moment, nullable=False),
        sa.Column("closed_at", _Moment, nullable=True),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("ending", sa.String(), nullable=True),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gathering"),
    )
    op.create_index(
        "uq_gathering_guild_id_open",
        "gathering",
        ["guild_id"],
        unique=True,
        sqlite_where=sa.text("phase <> 'closed'"),
        postgresql_where=sa.text("phase <> 'closed'"),
    )
    op.create_index(
        "ix_gathering_id_unfinished",
        "gathering",
        ["id"],
        sqlite_where=sa.text("NOT done"),
        postgresql_where=sa.text("NOT done"),
    )
    op.create_table(
        "gathering_event",
        sa.Column("id", _Counted, autoincrement=True, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("gathering_id", sa.BigInteger(), nullable=False),
        sa.Column("at", _Moment, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("details", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["gathering_id"],
            ["gathering.id"],
            name="fk_gathering_event_gathering_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_gathering_event"),
    )
    op.create_index("ix_gathering_event_at", "gathering_event", ["at"])


def upgrade() -> None:
    _gatherings()
    op.create_table(
        "attendance",
        sa.Column("gathering_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("held_at", _Moment, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("late_s", sa.Integer(), nullable=False),
        sa.Column("arrived_at", _Moment, nullable=True),
        sa.Column("first_join", _Moment, nullable=True),
        sa.Column("present_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["gathering_id"], ["gathering.id"], name="fk_attendance_gathering_id"
        ),
        sa.PrimaryKeyConstraint("gathering_id", "user_id", name="pk_attendance"),
    )
    op.create_index(
        "ix_attendance_member",
        "attendance",
        ["guild_id", "user_id", "held_at", "outcome", "late_s"],
    )
    op.create_table(
        "attendance_tally",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("late_s", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "guild_id", "user_id", "outcome", "late_s", name="pk_attendance_tally"
        ),
    )


def downgrade() -> None:
    op.drop_table("attendance_tally")
    op.drop_table("attendance")
    op.drop_table("gathering_event")
    op.drop_table("gathering")
