"""The command line: `python -m bot` runs the bot, set up by the environment and `.env`."""

import argparse
import asyncio
import sys

from bot.log import start_logging
from bot.settings import EXIT_CONFIG, Settings, SettingsError, load_settings


def _prepare(settings: Settings) -> None:
    secrets = (
        settings.discord_token.get_secret_value(),
        settings.spotify_client_secret.get_secret_value(),
    )
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        start_logging(
            settings.data_dir / "logs",
            level=settings.log_level,
            style=settings.log_format,
            secrets=secrets,
        )
    except OSError as error:
        raise SettingsError(
            f"DATA_DIR is wrong: {settings.data_dir} cannot be written ({error.strerror}); "
            "name a folder that this user may write"
        ) from None


def main() -> int:
    """Run the bot; the status is 78 when a setting is missing or wrong."""
    argparse.ArgumentParser(prog="python -m bot", description=__doc__).parse_args()
    try:
        settings = load_settings()
        _prepare(settings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return EXIT_CONFIG
    from bot import app  # after the settings: a wrong one is told at once

    return asyncio.run(app.run(settings))


if __name__ == "__main__":
    sys.exit(main())
