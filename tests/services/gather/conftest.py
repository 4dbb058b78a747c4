"""Databases for gatherings: made by the migrations once, copied for each test."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.db.engine import open_engine
from services.db.schema import upgrade
from services.db.unit_of_work import UnitOfWork


def url_of(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gather") / "empty.db"
    asyncio.run(upgrade(url_of(path)))
    return path


@pytest.fixture
def database_path(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path / "gather.db"))


@pytest.fixture
async def database(database_path: Path) -> AsyncIterator[UnitOfWork]:
    unit_of_work = UnitOfWork(open_engine(url_of(database_path)))
    yield unit_of_work
    await unit_of_work.close()
