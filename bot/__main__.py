"""The command line: `python -m bot` runs the bot, set up by the environment and `.env`."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys

from bot.log import start_logging
from bot.settings import EXIT_CONFIG, Settings, SettingsError, load_settings
from services.errors import UserError

_END_SECONDS = 9.0
"""SIGTERM promises an end within 10 s."""


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


async def _run(settings: Settings) -> int:
    """Run the bot until a signal ends it; return the process's exit status."""
    import nextcord

    from bot.app import App

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        loop.call_later(_END_SECONDS, _end_at_once)

    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, end)
    try:
        await App(settings).run(stop)
    except nextcord.LoginFailure:
        return _refuse_to_start(
            "DISCORD_TOKEN is wrong: Discord does not know it; copy the token again from the "
            "developer portal (your application, Bot, Reset Token)"
        )
    except nextcord.PrivilegedIntentsRequired:
        return _refuse_to_start(
            "Discord refuses the bot's intents: switch on Server Members Intent and Message "
            "Content Intent in the developer portal (your application, Bot)"
        )
    except (UserError, OSError) as error:
        return _refuse_to_start(str(error))
    return 0


def _end_at_once() -> None:
    """End although something hangs: whoever asked for the end kills us in a second anyway."""
    logging.getLogger(__name__).error("the end took too long, because something hangs")
    logging.shutdown()
    os._exit(1)


def _refuse_to_start(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return EXIT_CONFIG


def main() -> int:
    """Run the bot; the status is 78 when a setting is missing or wrong."""
    argparse.ArgumentParser(prog="python -m bot", description=__doc__).parse_args()
    try:
        settings = load_settings()
        _prepare(settings)
    except SettingsError as error:
        return _refuse_to_start(str(error))
    return asyncio.run(_run(settings))


if __name__ == "__main__":
    sys.exit(main())
