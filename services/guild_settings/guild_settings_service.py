"""Answers at once what is set in a guild: the prefix is asked for with every message."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from services.guild_settings.repository import GuildSettingsRepository
from services.guild_settings.settings import (
    GuildOverrides,
    GuildSettings,
    check_prefix,
    check_timezone,
)

_NOTHING_SET = GuildOverrides()


class GuildSettingsService:
    """Settings of all guilds, kept in memory and written through."""

    def __init__(
        self,
        repository: GuildSettingsRepository,
        *,
        default_prefix: str,
        default_timezone: str,
    ) -> None:
        self._repository = repository
        self._default = GuildSettings(prefix=default_prefix, timezone=ZoneInfo(default_timezone))
        self._overrides: dict[int, GuildOverrides] = {}
        self._in_force: dict[int, GuildSettings] = {}

    async def load(self) -> None:
        """Read all settings; before the first message arrives.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        for guild_id, overrides in (await self._repository.list_all()).items():
            self._remember(guild_id, overrides)

    def get(self, guild_id: int) -> GuildSettings:
        """Return what is in force in the guild."""
        return self._in_force.get(guild_id, self._default)

    def prefix(self, guild_id: int | None) -> str:
        """Return the prefix in the guild; without one (direct messages) the default."""
        return self._default.prefix if guild_id is None else self.get(guild_id).prefix

    async def set_prefix(self, guild_id: int, prefix: str | None) -> GuildSettings:
        """Change the prefix; None goes back to the default.

        Raises:
            Refusal: it cannot be a prefix.
            StorageUnavailable: it was not stored, and the old one stays.
        """
        value = None if prefix is None else check_prefix(prefix)
        return await self._save(guild_id, replace(self._of(guild_id), prefix=value))

    async def set_timezone(self, guild_id: int, name: str | None) -> GuildSettings:
        """Change the time zone; None goes back to the default.

        Raises:
            Refusal: there is no such zone.
            StorageUnavailable: it was not stored, and the old one stays.
        """
        value = None if name is None else check_timezone(name).key
        return await self._save(guild_id, replace(self._of(guild_id), timezone=value))

    def _of(self, guild_id: int) -> GuildOverrides:
        return self._overrides.get(guild_id, _NOTHING_SET)

    async def _save(self, guild_id: int, overrides: GuildOverrides) -> GuildSettings:
        await self._repository.save(guild_id, overrides)
        self._remember(guild_id, overrides)
        return self.get(guild_id)

    def _remember(self, guild_id: int, overrides: GuildOverrides) -> None:
        default = self._default
        zone = default.timezone if overrides.timezone is None else ZoneInfo(overrides.timezone)
        self._overrides[guild_id] = overrides
        self._in_force[guild_id] = GuildSettings(
            prefix=default.prefix if overrides.prefix is None else overrides.prefix, timezone=zone
        )
