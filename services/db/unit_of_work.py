"""One transaction: the only place that commits, and that knows how a database fails.

A write on SQLite takes its turn: the process has one writer at a time, which begins with
`BEGIN IMMEDIATE`. So writers of this process never wait in the driver, and a writer of another
process is waited for (busy timeout) instead of failing in the middle of the transaction.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from services.db.engine import BEGIN
from services.db.errors import StorageUnavailable

_SQLITE_FAILURES = {
    5: "The database is locked by another program. Try again in a moment.",  # SQLITE_BUSY
    6: "The database is locked by another program. Try again in a moment.",  # SQLITE_LOCKED
    8: "The database cannot be written: its file is read-only.",  # SQLITE_READONLY
    10: "The disk with the database does not work.",  # SQLITE_IOERR
    11: "The database file is damaged.",  # SQLITE_CORRUPT
    13: "The disk with the database is full.",  # SQLITE_FULL
    14: "The database file cannot be opened.",  # SQLITE_CANTOPEN
    26: "The database file is damaged.",  # SQLITE_NOTADB
}
"""Primary result codes (sqlite.org/rescode.html) that are not ours to mend."""

_POSTGRES_FAILURES = {
    "08": "The database does not answer. Try again in a moment.",
    "28": "The database refuses the bot's password.",
    "40": "The database was too busy. Try again.",
    "53": "The database has no room left.",
    "55": "The database was too busy. Try again.",
    "57": "The database is shutting down. Try again in a moment.",
}
"""Classes of SQLSTATE (postgresql.org/docs/current/errcodes-appendix.html)."""

_SILENT = "The database does not answer. Try again in a moment."


class UnitOfWork:
    """Makes transactions on one database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Run the body in a transaction: committed at its end, rolled back by any error.

        Raises:
            StorageUnavailable: the database does not take it; nothing was written.
        """
        if not self._sqlite:
            async with self._transaction({}) as session:
                yield session
            return
        async with self._turn, self._transaction({BEGIN: "BEGIN IMMEDIATE"}) as session:
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Run the body on one unchanging view of the data.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        # PostgreSQL would otherwise show each statement the newest state
        unchanging = {BEGIN: "BEGIN"} if self._sqlite else {"isolation_level": "REPEATABLE READ"}
        async with self._transaction(unchanging) as session:
            yield session

    async def check(self) -> None:
        """Ask the database for an answer.

        Raises:
            StorageUnavailable: it gives none.
        """
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    @asynccontextmanager
    async def _transaction(self, options: dict[str, str]) -> AsyncIterator[AsyncSession]:
        try:
            async with AsyncSession(self._engine, expire_on_commit=False) as session:
                await session.connection(execution_options=options)
                yield session
                await session.commit()
        except DBAPIError as error:
            if (sentence := _outside_failure(error)) is None:
                raise
            raise StorageUnavailable(sentence) from error
        except (PoolTimeout, OSError) as error:
            raise StorageUnavailable(_SILENT) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


def _outside_failure(error: DBAPIError) -> str | None:
    """Say what is wrong with the database, or None when the statement is."""
    if error.connection_invalidated:
        return _SILENT
    cause: BaseException | None = error.orig
    while cause is not None:
        if (code := getattr(cause, "sqlite_errorcode", None)) is not None:
            return _SQLITE_FAILURES.get(code & 0xFF)
        if (state := getattr(cause, "sqlstate", None)) is not None:
            return _POSTGRES_FAILURES.get(state[:2])
        cause = cause.__cause__
    return None
