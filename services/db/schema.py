"""Brings the database to the newest schema, by the migrations; run at every start.

alembic costs 11 MB and a quarter of a second, so it is imported only when there is something to
do: the newest revision is read from the files, the database's own from its version table.
"""

import re
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from services.db.engine import BEGIN, open_engine
from services.db.errors import StorageUnavailable

MIGRATIONS = Path(__file__).parents[2] / "migrations"

_REVISION = re.compile(r"^revision = ['\"](\w+)", re.MULTILINE)
_FOLLOWED = re.compile(r"^down_revision = ['\"](\w+)", re.MULTILINE)
_LOCK_KEY = 0x74756E6573
"""Any number that other programs on the same PostgreSQL do not use."""


async def upgrade(database_url: str) -> None:
    """Apply the migrations that the database lacks; quick when there are none.

    Raises:
        StorageUnavailable: the database cannot be opened or changed.
    """
    try:
        engine = open_engine(database_url)
    except OSError as error:
        raise StorageUnavailable(f"The database cannot be opened: {error}") from error
    try:
        async with engine.connect() as connection:
            current = await connection.run_sync(_revision)
        if current != newest_revision():
            writing = engine.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
            async with writing.begin() as connection:
                await connection.run_sync(_migrate)
    except (DBAPIError, OSError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise StorageUnavailable(f"The database cannot be opened: {reason}") from error
    finally:
        await engine.dispose()


def newest_revision() -> str:
    """Return the revision that the code needs: the one that no other follows."""
    texts = [file.read_text(encoding="utf-8") for file in (MIGRATIONS / "versions").glob("*.py")]
    revisions: set[str] = {name for content in texts for name in _REVISION.findall(content)}
    followed: set[str] = {name for content in texts for name in _FOLLOWED.findall(content)}
    (newest,) = revisions - followed
    return newest


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar()
    return revision


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        # several bot processes may start at once; the lock goes with the transaction
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
