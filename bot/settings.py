"""The settings of one bot process, read from the environment and `.env` and checked at start."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

EXIT_CONFIG = 78
"""Exit status for missing or wrong settings (EX_CONFIG of sysexits.h)."""


class SettingsError(Exception):
    """A setting is missing or wrong; the text is one line: which, and how to get it right."""


def _comma_separated(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


CommaSeparated = Annotated[tuple[str, ...], NoDecode]
"""A list written with commas, as people write it in `.env`."""


class Settings(BaseSettings):
    """Everything an admin can set; each field is the environment variable in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    discord_token: SecretStr
    discord_api_url: str = "https://discord.com/api/v10"
    database_url: SecretStr = SecretStr("")
    data_dir: Path = Path("data")
    lavalink_urls: CommaSeparated = ()
    media_bind: str = "127.0.0.1:0"
    media_url: str = ""
    allow_hosts: CommaSeparated = ()
    ssl_cert_file: Path | None = None
    spotify_client_id: str = ""
    spotify_client_secret: SecretStr = SecretStr("")
    spotify_api_url: str = "https://api.spotify.com/v1"
    spotify_token_url: str = "https://accounts.spotify.com/api/token"  # noqa: S105 -- an address
    ytdlp_search: str = "ytsearch"
    ytdlp_plugin_dirs: CommaSeparated = ()
    ytdlp_cookies: Path | None = None
    ytdlp_workers: int = Field(default=2, ge=1, le=32)
    prefix: str = Field(default="!", min_length=1, max_length=5)
    timezone: str = "UTC"
    max_track_minutes: int = Field(default=60, ge=1)
    max_cached_minutes: int = Field(default=10, ge=0)
    cache_max_mb: int = Field(default=2048, ge=0)
    max_download_mb: int = Field(default=100, ge=1)
    idle_leave_seconds: float = Field(default=300, gt=0)
    alone_leave_seconds: float = Field(default=30, gt=0)
    status_bind: str = "127.0.0.1:8080"
    shard_ids: Annotated[tuple[int, ...], NoDecode] = ()
    shard_count: int | None = Field(default=None, ge=1)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"

    @field_validator(
        "lavalink_urls", "allow_hosts", "ytdlp_plugin_dirs", "shard_ids", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return _comma_separated(value)

    @field_validator("discord_token")
    @classmethod
    def _token(cls, value: SecretStr) -> SecretStr:
        token = value.get_secret_value().strip().removeprefix("Bot ")
        if not token or any(character.isspace() for character in token):
            raise ValueError("it must be the bot token, without spaces")
        return SecretStr(token)

    @field_validator("discord_api_url", "spotify_api_url", "spotify_token_url", "media_url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("it must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("lavalink_urls")
    @classmethod
    def _lavalink_url(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            if not url.startswith(("http://", "https://")):
                raise ValueError("write each as http://:password@host:2333")
        return value

    @field_validator("media_bind", "status_bind")
    @classmethod
    def _bind(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004 -- the last port
            raise ValueError("write it as address:port, for example 127.0.0.1:8080")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("write it as in the tz database, for example Europe/Berlin") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not url.startswith(("sqlite+aiosqlite:", "postgresql+asyncpg:")):
            raise ValueError(
                "write sqlite+aiosqlite:///path or postgresql+asyncpg://user:password@host/name"
            )
        return value

    @property
    def resolved_database_url(self) -> str:
        """The database's address: the one that was set, else SQLite in the data folder."""
        return self.database_url.get_secret_value() or (
            f"sqlite+aiosqlite:///{(self.data_dir / 'bot.sqlite3').resolve()}"
        )


_HINTS = {
    "DISCORD_TOKEN": "copy it from the Discord developer portal (your application, Bot, "
    "Reset Token) into .env as DISCORD_TOKEN=...",
}


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: the first thing that is missing or wrong, in one line.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = str(first["loc"][0]).upper()
        problem = (
            "is missing" if first["type"] == "missing" else f"is wrong: {_reason(first['msg'])}"
        )
        hint = _HINTS.get(name, "correct it in .env or in the environment")
        raise SettingsError(f"{name} {problem}; {hint}") from None


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".")
