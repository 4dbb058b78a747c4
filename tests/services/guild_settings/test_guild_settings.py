"""Prefix and time zone of a guild: what is allowed, what is kept."""

from zoneinfo import ZoneInfo

import pytest

from services.db.unit_of_work import UnitOfWork
from services.errors import Refusal
from services.guild_settings.guild_settings_service import GuildSettingsService
from services.guild_settings.repository import GuildSettingsRepository
from services.guild_settings.settings import check_prefix, check_timezone


async def service(unit_of_work: UnitOfWork) -> GuildSettingsService:
    made = GuildSettingsService(
        GuildSettingsRepository(unit_of_work), default_prefix="!", default_timezone="UTC"
    )
    await made.load()
    return made


async def test_guild_that_has_set_nothing_has_the_defaults(unit_of_work: UnitOfWork) -> None:
    settings = await service(unit_of_work)
    assert settings.prefix(1) == "!"
    assert settings.prefix(None) == "!"
    assert settings.get(1).timezone == ZoneInfo("UTC")


async def test_setting_holds_over_a_restart_and_for_its_guild_only(
    unit_of_work: UnitOfWork,
) -> None:
    settings = await service(unit_of_work)
    await settings.set_prefix(1, " ?? ")
    await settings.set_timezone(1, "europe/berlin")
    for again in (settings, await service(unit_of_work)):
        assert again.prefix(1) == "??"
        assert again.get(1).timezone == ZoneInfo("Europe/Berlin")
        assert again.prefix(2) == "!"


async def test_setting_can_be_taken_back(unit_of_work: UnitOfWork) -> None:
    settings = await service(unit_of_work)
    await settings.set_prefix(1, "?")
    await settings.set_prefix(1, None)
    assert settings.prefix(1) == "!"
    assert (await service(unit_of_work)).prefix(1) == "!"


@pytest.mark.parametrize("prefix", ["", "  ", "toolong", "a b", "/", "@x", "<@1>", "\u200b", "\n"])
def test_prefix_that_cannot_work_is_refused(prefix: str) -> None:
    with pytest.raises(Refusal):
        check_prefix(prefix)


@pytest.mark.parametrize("prefix", ["!", "?", "..", "bot!", "♪"])
def test_prefix_that_works_is_taken(prefix: str) -> None:
    assert check_prefix(prefix) == prefix


@pytest.mark.parametrize("name", ["", "Berlin", "../etc/passwd", "UTC+1", "Europe/"])
def test_time_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(Refusal):
        check_timezone(name)


def test_time_zone_is_found_however_it_is_written() -> None:
    assert check_timezone("america/new york").key == "America/New_York"
