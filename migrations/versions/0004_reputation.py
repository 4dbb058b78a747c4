"""Reputation: entries, standings with their counts, cooldowns."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_Counted = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Moment = sa.DateTime(timezone=True)


def _key(name: str, kind: sa.types.TypeEngine[int] | None = None) -> sa.Column[int]:
    return sa.Column(name, kind or sa.BigInteger(), autoincrement=False, nullable=False)


def _entries() -> None:
    op.create_table(
        "reputation_entry",
        sa.Column("id", _Counted, autoincrement=True, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("giver_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", _Moment, nullable=False),
        sa.Column("windows", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reputation_entry"),
    )
    op.create_index(
        "ix_reputation_entry_target", "reputation_entry", ["guild_id", "target_id", "number"]
    )
    op.create_index(
        "ix_reputation_entry_leaving",
        "reputation_entry",
        ["windows", "at"],
        sqlite_where=sa.text("windows > 0"),
        postgresql_where=sa.text("windows > 0"),
    )


def upgrade() -> None:
    _entries()
    op.create_table(
        "reputation_standing",
        _key("guild_id"),
        _key("span", sa.SmallInteger()),
        _key("user_id"),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "span", "user_id", name="pk_reputation_standing"),
    )
    op.create_index(
        "uq_reputation_standing_rank",
        "reputation_standing",
        ["guild_id", "span", sa.literal_column("total DESC"), "seat"],
        unique=True,
    )
    op.create_table(
        "reputation_count",
        _key("guild_id"),
        _key("span", sa.SmallInteger()),
        _key("height", sa.SmallInteger()),
        _key("slot", sa.Integer()),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "span", "height", "slot", name="pk_reputation_count"),
    )
    op.create_table(
        "reputation_cooldown",
        _key("guild_id"),
        _key("giver_id"),
        _key("target_id"),
        sa.Column("since", _Moment, nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "giver_id", "target_id", name="pk_reputation_cooldown"),
    )
    op.create_table(
        "reputation_board",
        _key("guild_id"),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", name="pk_reputation_board"),
    )


def downgrade() -> None:
    op.drop_table("reputation_board")
    op.drop_table("reputation_cooldown")
    op.drop_table("reputation_count")
    op.drop_index("uq_reputation_standing_rank", table_name="reputation_standing")
    op.drop_table("reputation_standing")
    op.drop_index("ix_reputation_entry_leaving", table_name="reputation_entry")
    op.drop_index("ix_reputation_entry_target", table_name="reputation_entry")
    op.drop_table("reputation_entry")
