"""Insert or change rows in one statement, on SQLite and PostgreSQL alike."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from services.db.models import Base


async def upsert(
    session: AsyncSession,
    table: type[Base],
    rows: Sequence[Mapping[str, Any]],
    *,
    update: Sequence[str] = (),
    add: Sequence[str] = (),
) -> None:
    """Insert `rows`; where the primary key stands already, change the columns `update`.

    To the numbers in the columns `add` the row's own are added instead.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    columns = cast("Table", table.__table__)
    statement = insert(columns)
    key = [column.name for column in columns.primary_key]
    changes: dict[str, ColumnElement[Any]] = {name: statement.excluded[name] for name in update}
    changes |= {name: columns.c[name] + statement.excluded[name] for name in add}
    await session.execute(
        statement.on_conflict_do_update(index_elements=key, set_=changes), list(rows)
    )
