"""Transactions: all or nothing, and a sentence when the database fails."""

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import IntegrityError

from services.db.engine import open_engine
from services.db.errors import StorageUnavailable
from services.db.models import GuildSettingsRow
from services.db.unit_of_work import UnitOfWork


async def prefixes(unit_of_work: UnitOfWork) -> list[str | None]:
    async with unit_of_work.read() as session:
        query = select(GuildSettingsRow.prefix).order_by(GuildSettingsRow.guild_id)
        return list(await session.scalars(query))


async def test_write_that_ends_well_is_kept(unit_of_work: UnitOfWork) -> None:
    async with unit_of_work.write() as session:
        session.add(GuildSettingsRow(guild_id=1, prefix="?"))
    assert await prefixes(unit_of_work) == ["?"]


async def test_write_that_fails_leaves_nothing_behind(unit_of_work: UnitOfWork) -> None:
    async def failing() -> None:
        async with unit_of_work.write() as session:
            session.add(GuildSettingsRow(guild_id=1, prefix="?"))
            await session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        await failing()
    assert await prefixes(unit_of_work) == []


async def test_statement_that_breaks_a_rule_is_no_outside_failure(
    unit_of_work: UnitOfWork,
) -> None:
    async def twice() -> None:
        async with unit_of_work.write() as session:
            for _ in range(2):
                statement = "INSERT INTO guild_settings (guild_id) VALUES (1)"
                await session.execute(text(statement))

    with pytest.raises(IntegrityError):
        await twice()


async def test_read_sees_one_state_whatever_is_written_meanwhile(unit_of_work: UnitOfWork) -> None:
    query = select(GuildSettingsRow.prefix)
    async with unit_of_work.read() as reading:
        assert list(await reading.scalars(query)) == []
        async with unit_of_work.write() as session:
            session.add(GuildSettingsRow(guild_id=1, prefix="?"))
        assert list(await reading.scalars(query)) == []
    assert await prefixes(unit_of_work) == ["?"]


async def test_writers_at_once_all_get_their_turn(unit_of_work: UnitOfWork) -> None:
    async def write(guild_id: int) -> None:
        async with unit_of_work.write() as session:
            seen = len(list(await session.scalars(select(GuildSettingsRow.guild_id))))
            session.add(GuildSettingsRow(guild_id=guild_id, prefix=str(seen)))

    await asyncio.gather(*(write(guild_id) for guild_id in range(50)))
    assert len(await prefixes(unit_of_work)) == 50


# ── SQLite ──────────────────────────────────────────────────────────────────
@pytest.fixture
async def sqlite(tmp_path: Path) -> Path:
    path = tmp_path / "plain.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE guild_settings (guild_id INTEGER, prefix, timezone)")
    connection.close()
    return path


def on(path: Path) -> UnitOfWork:
    return UnitOfWork(open_engine(f"sqlite+aiosqlite:///{path}"))


async def add(unit_of_work: UnitOfWork, *, prefix: str = "?") -> None:
    async with unit_of_work.write() as session:
        await session.execute(
            text("INSERT INTO guild_settings VALUES (1, :prefix, NULL)"), {"prefix": prefix}
        )


async def test_database_locked_by_another_program_is_told_and_works_later(sqlite: Path) -> None:
    unit_of_work = on(sqlite)
    await add(unit_of_work)
    other = sqlite3.connect(sqlite, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable, match="locked"):
        await add(unit_of_work)
    other.execute("ROLLBACK")
    other.close()
    await add(unit_of_work)
    await unit_of_work.close()


async def test_disk_that_is_full_is_told_and_works_later(sqlite: Path) -> None:
    unit_of_work = on(sqlite)
    await add(unit_of_work)
    async with unit_of_work.read() as session:
        pages = (await session.execute(text("PRAGMA page_count"))).scalar_one()
    # SQLite's own limit answers exactly as a full disk does
    limits = [f"PRAGMA max_page_count={pages}", "PRAGMA max_page_count=100000"]
    for limit, fails in zip(limits, (True, False), strict=True):
        async with unit_of_work.read() as session:
            await session.execute(text(limit))
        if fails:
            with pytest.raises(StorageUnavailable, match="full"):
                await add(unit_of_work, prefix="x" * 100_000)
        else:
            await add(unit_of_work, prefix="x" * 100_000)
    await unit_of_work.close()


async def test_database_file_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    path.write_text("this is no database, only a text that is long enough " * 20)
    unit_of_work = on(path)
    with pytest.raises(StorageUnavailable, match="damaged"):
        await add(unit_of_work)
    await unit_of_work.close()


async def test_sqlite_survives_its_process_by_a_write_ahead_log(sqlite: Path) -> None:
    unit_of_work = on(sqlite)
    async with unit_of_work.read() as session:
        found = {
            name: (await session.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1}
    await unit_of_work.close()


@pytest.mark.postgres
async def test_postgres_that_does_not_answer_is_told() -> None:
    url = os.environ.get("TEST_POSTGRES_URL", "")
    if not url:
        pytest.skip("TEST_POSTGRES_URL names no PostgreSQL")
    dead = make_url(url).set(port=1).render_as_string(hide_password=False)
    unit_of_work = UnitOfWork(open_engine(dead))
    with pytest.raises(StorageUnavailable, match="does not answer"):
        await add(unit_of_work)
    await unit_of_work.close()
