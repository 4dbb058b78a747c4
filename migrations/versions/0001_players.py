"""Players, queues, history and guild settings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_Counted = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _track_columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("artist", sa.String(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("artwork_url", sa.String(), nullable=True),
    )


def upgrade() -> None:
    op.create_table(
        "player",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("voice_channel_id", sa.BigInteger(), nullable=True),
        sa.Column("text_channel_id", sa.BigInteger(), nullable=True),
        sa.Column("current_entry_id", sa.BigInteger(), nullable=True),
        sa.Column("play_id", sa.String(), nullable=True),
        sa.Column("position_ms", sa.BigInteger(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("paused_by", sa.BigInteger(), nullable=True),
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.Column("loop", sa.String(), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", name="pk_player"),
    )
    op.create_table(
        "queue_entry",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("order_key", sa.BigInteger(), nullable=True),
        *_track_columns(),
        sa.PrimaryKeyConstraint("guild_id", "entry_id", name="pk_queue_entry"),
    )
    op.create_table(
        "play_history",
        sa.Column("id", _Counted, autoincrement=True, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("played_at", sa.DateTime(timezone=True), nullable=False),
        *_track_columns(),
        sa.PrimaryKeyConstraint("id", name="pk_play_history"),
    )
    op.create_index("ix_play_history_guild_id_id", "play_history", ["guild_id", "id"])
    op.create_table(
        "guild_settings",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("prefix", sa.String(), nullable=True),
        sa.Column("timezone", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("guild_id", name="pk_guild_settings"),
    )


def downgrade() -> None:
    op.drop_table("guild_settings")
    op.drop_index("ix_play_history_guild_id_id", table_name="play_history")
    op.drop_table("play_history")
    op.drop_table("queue_entry")
    op.drop_table("player")
