"""Opens the database: which pragmas and pool make SQLite safe and quick, and PostgreSQL plain.

SQLite runs in WAL mode with `synchronous=NORMAL`: a transaction that was committed survives the
end of the process in any form (`kill -9` included), and a loss of power can cost the last
transactions but never the database (sqlite.org/wal.html). Python's own transaction handling is
switched off, because it begins late and then fails at once, without waiting, when another
connection wrote in between; `unit_of_work` says BEGIN itself.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

BEGIN = "begin_statement"
"""Execution option of a connection: how SQLite begins its transaction."""

_BUSY_TIMEOUT_MS = 2_000
_CONNECTIONS = 4
_WAIT_FOR_CONNECTION_SECONDS = 10


def open_engine(url: str) -> AsyncEngine:
    """Return an engine for `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`; connects lazily.

    Raises:
        OSError: the folder for SQLite's file cannot be made.
    """
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return create_async_engine(
            url,
            pool_size=_CONNECTIONS,
            pool_pre_ping=True,
            pool_timeout=_WAIT_FOR_CONNECTION_SECONDS,
        )
    if address.database and address.database != ":memory:":
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url, pool_size=_CONNECTIONS, max_overflow=0, pool_timeout=_WAIT_FOR_CONNECTION_SECONDS
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        for pragma in (
            f"busy_timeout={_BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()  # the pool does not know it yet
        raise
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN"))
