"""Migrations: they make what the models say, and can be run by several at once."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from services.db.engine import open_engine
from services.db.errors import StorageUnavailable
from services.db.models import Base
from services.db.schema import MIGRATIONS, newest_revision, upgrade


def differences(connection: Connection) -> list[object]:
    """Return what is not as the models say; an index over an expression only by its name."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    found = compare_metadata(context, Base.metadata)
    indexes: dict[str, list[object]] = {}
    for item in found:
        if item[0] in {"add_index", "remove_index"}:
            indexes.setdefault(item[1].name, []).append(item)
    same = [item for items in indexes.values() if len(items) == 2 for item in items]
    return [item for item in found if item not in same]


async def test_migrations_make_exactly_the_tables_of_the_models(database_url: str) -> None:
    engine = open_engine(database_url)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


async def test_upgrade_of_a_database_that_is_up_to_date_changes_nothing(database_url: str) -> None:
    await upgrade(database_url)
    await upgrade(database_url)


async def test_upgrades_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'bot.sqlite3'}"
    await asyncio.gather(*(upgrade(url) for _ in range(4)))
    engine = open_engine(url)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert {"player", "queue_entry", "play_history", "guild_settings"} <= set(names)
    await engine.dispose()


async def test_upgrade_in_a_folder_that_is_missing_makes_it(tmp_path: Path) -> None:
    await upgrade(f"sqlite+aiosqlite:///{tmp_path / 'new' / 'folder' / 'bot.sqlite3'}")


async def test_upgrade_in_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable, match="cannot be opened"):
        await upgrade(f"sqlite+aiosqlite:///{tmp_path / 'file' / 'bot.sqlite3'}")


def test_newest_revision_is_the_one_that_the_migrations_end_with() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [newest_revision()]
