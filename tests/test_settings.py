"""A wrong setting ends the start with one line that names it and says how to get it right."""

import pytest

from bot.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)


def test_settings_with_a_token_only_use_sqlite_in_the_data_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "Bot abc.def")
    settings = load_settings()
    assert settings.discord_token.get_secret_value() == "abc.def"
    assert settings.resolved_database_url.endswith("/data/bot.sqlite3")


def test_settings_without_a_token_say_where_to_get_one() -> None:
    with pytest.raises(SettingsError, match=r"DISCORD_TOKEN is missing; .*developer portal"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "mysql://u:hunter2@host/db", "DATABASE_URL is wrong: write sqlite"),
        ("LAVALINK_URLS", "host:2333", "LAVALINK_URLS is wrong: write each as http"),
        ("TIMEZONE", "Mars/Olympus", "TIMEZONE is wrong: write it as in the tz database"),
        ("STATUS_BIND", "8080", "STATUS_BIND is wrong: write it as address:port"),
        ("YTDLP_WORKERS", "0", "YTDLP_WORKERS is wrong"),
    ],
)
def test_settings_wrong_value_is_named_and_never_printed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "abc")
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_settings_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "abc")
    monkeypatch.setenv("ALLOW_HOSTS", "127.0.0.1:8000, localhost")
    monkeypatch.setenv("SHARD_IDS", "0,2")
    settings = load_settings()
    assert settings.allow_hosts == ("127.0.0.1:8000", "localhost")
    assert settings.shard_ids == (0, 2)
