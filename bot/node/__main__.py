"""`python -m bot.node`: the embedded audio node as a process of its own.

Every argument has an environment variable; the password should be given only there, because other
users of the machine can read command lines.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import sys
import threading
from pathlib import Path
from typing import Final, TextIO, override

_HELP: Final = "The embedded audio node: speaks Lavalink's v4 protocol, needs no Java."
_EXIT_FAILED: Final = 1


class _JsonLines(logging.Formatter):
    """One JSON object a line, for the bot that started the node."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        return json.dumps({"level": record.levelname, "logger": record.name, "message": text})


class _QuietHandler(logging.StreamHandler[TextIO]):
    """Writes to a bot that may be gone: then lines are lost, and nothing else happens."""

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.node", description=_HELP)

    def option(name: str, default: str | None, text: str) -> None:
        variable = "NODE_" + name.upper().replace("-", "_")
        value = os.environ.get(variable, default)
        parser.add_argument(f"--{name}", default=value, help=f"{text} ({variable})")

    option("host", "127.0.0.1", "address to listen on")
    option("port", "0", "port to listen on; 0: any free one")
    option("password", None, "what clients must send; default: a random one")
    option("address-file", None, "where to write address, password and process id")
    option("exit-without-client", None, "end after so many seconds without a client")
    option("update-seconds", "5", "seconds between two playerUpdates")
    option("stuck-seconds", "10", "seconds without sound until TrackStuck")
    option("log-level", "INFO", "DEBUG, INFO, WARNING or ERROR")
    option("log-format", "console", "console or json")
    return parser.parse_args()


def _start_logging(arguments: argparse.Namespace) -> None:
    handler = _QuietHandler(sys.stderr)
    if arguments.log_format == "json":
        handler.setFormatter(_JsonLines())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.setLevel(arguments.log_level)
    root.addHandler(handler)
    for noisy in ("aiohttp", "asyncio", "libav"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def _load_libav() -> None:
    """Load FFmpeg beside everything else: the largest part of the start."""
    import av
    import av.logging

    av.logging.set_level(None)


async def _run(arguments: argparse.Namespace) -> int:
    from bot.node.server import NodeServer, NodeSettings

    node = NodeServer(
        NodeSettings(
            host=arguments.host,
            port=int(arguments.port),
            password=arguments.password or secrets.token_urlsafe(24),
            address_file=Path(arguments.address_file) if arguments.address_file else None,
            exit_without_client=float(arguments.exit_without_client)
            if arguments.exit_without_client
            else None,
            update_seconds=float(arguments.update_seconds),
            stuck_seconds=float(arguments.stuck_seconds),
        )
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop.set)
    try:
        await node.start()
    except OSError as error:
        print(f"the node cannot start: {error}", file=sys.stderr)  # noqa: T201 -- a program's last words
        return _EXIT_FAILED
    stopped = asyncio.create_task(stop.wait())
    lonely = asyncio.create_task(node.until_lonely())
    await asyncio.wait({stopped, lonely}, return_when=asyncio.FIRST_COMPLETED)
    for task in (stopped, lonely):
        task.cancel()
    await node.close()
    return 0


def main() -> int:
    """Run a node until it is told to end, or is not needed any more."""
    threading.Thread(target=_load_libav, daemon=True).start()
    arguments = _arguments()
    _start_logging(arguments)
    return asyncio.run(_run(arguments))


if __name__ == "__main__":
    sys.exit(main())
