"""Guild settings in the database: one row for each guild that has set something."""

from sqlalchemy import select

from services.db.models import GuildSettingsRow
from services.db.unit_of_work import UnitOfWork
from services.db.upsert import upsert
from services.guild_settings.settings import GuildOverrides


class GuildSettingsRepository:
    """Reads all settings at start, and stores one guild's after each change."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def list_all(self) -> dict[int, GuildOverrides]:
        """Return the settings of all guilds that have set something.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        query = select(
            GuildSettingsRow.guild_id, GuildSettingsRow.prefix, GuildSettingsRow.timezone
        )
        async with self._unit_of_work.read() as session:
            rows = (await session.execute(query)).all()
        return {
            row.guild_id: GuildOverrides(prefix=row.prefix, timezone=row.timezone) for row in rows
        }

    async def save(self, guild_id: int, overrides: GuildOverrides) -> None:
        """Store one guild's settings.

        Raises:
            StorageUnavailable: the database does not take it.
        """
        row = {
            "guild_id": guild_id,
            "prefix": overrides.prefix,
            "timezone": overrides.timezone,
        }
        async with self._unit_of_work.write() as session:
            await upsert(session, GuildSettingsRow, [row], update=("prefix", "timezone"))
