"""A database for every test that needs one: made by the migrations once, then copied."""

import os
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from services.db.engine import open_engine
from services.db.schema import upgrade
from services.db.unit_of_work import UnitOfWork

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "")  # postgresql+asyncpg://user:password@host/name
_TEMPLATE = f"template_{uuid.uuid4().hex[:12]}"
_made: set[str] = set()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the migrated SQLite file is, or is going to be."""
    return tmp_path_factory.mktemp("database") / "template.sqlite3"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def database_url(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path
) -> AsyncIterator[str]:
    """The address of a database of this test's own."""
    if request.param == "sqlite":
        if "sqlite" not in _made:
            _made.add("sqlite")
            await upgrade(f"sqlite+aiosqlite:///{sqlite_template}")
        path = tmp_path / "bot.sqlite3"
        shutil.copyfile(sqlite_template, path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    if not POSTGRES:
        pytest.skip("TEST_POSTGRES_URL names no PostgreSQL")
    name = f"test_{uuid.uuid4().hex[:12]}"
    if _TEMPLATE not in _made:
        _made.add(_TEMPLATE)
        await _postgres(f'CREATE DATABASE "{_TEMPLATE}"')
        await upgrade(_address(_TEMPLATE))
    await _postgres(f'CREATE DATABASE "{name}" TEMPLATE "{_TEMPLATE}"')
    yield _address(name)
    await _postgres(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def unit_of_work(database_url: str) -> AsyncIterator[UnitOfWork]:
    """Transactions on a database of this test's own."""
    unit_of_work = UnitOfWork(open_engine(database_url))
    yield unit_of_work
    await unit_of_work.close()


def _address(name: str) -> str:
    return make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)


async def _postgres(statement: str) -> None:
    engine = create_async_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
