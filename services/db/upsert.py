"""Insert or change rows in one statement, on SQLite and PostgreSQL alike."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, RowMapping, Table
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
    columns = cast("Table", table.__table__)
    statement = _insert(session)(columns)
    key = _key(columns)
    changes: dict[str, ColumnElement[Any]] = {name: statement.excluded[name] for name in update}
    changes |= {name: columns.c[name] + statement.excluded[name] for name in add}
    await session.execute(
        statement.on_conflict_do_update(index_elements=key, set_=changes), list(rows)
    )


async def upsert_if(
    session: AsyncSession,
    table: type[Base],
    row: Mapping[str, Any],
    *,
    changes: Mapping[str, Any],
    only_if: ColumnElement[bool] | None = None,
) -> RowMapping | None:
    """Insert `row`; where its key stands already, make `changes` to that row if `only_if` holds.

    Return the row as it is then; None where the condition kept it. Of two that do this at the same
    instant, on any number of processes, the second one sees what the first one did.
    """
    columns = cast("Table", table.__table__)
    statement = (
        _insert(session)(columns)
        .values(dict(row))
        .on_conflict_do_update(index_elements=_key(columns), set_=dict(changes), where=only_if)
        .returning(*columns.columns)
    )
    return (await session.execute(statement)).mappings().one_or_none()


def _insert(session: AsyncSession) -> Any:
    return sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert


def _key(table: Table) -> list[str]:
    return [column.name for column in table.primary_key]
