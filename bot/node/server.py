"""The node as a whole: its threads, its sessions and the port it listens on."""

import asyncio
import contextlib
import json
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from bot.node.machine import settle_memory
from bot.node.player import Engine
from bot.node.routes import VERSION, Routes
from bot.node.sender import Sender
from bot.node.sessions import Sessions
from bot.node.workers import DecodeWorkers, reader_threads

_log = logging.getLogger(__name__)

_SWITCH_SECONDS: Final = 0.0005
"""How long a thread may hold the interpreter when the sender thread wants it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """How one node process runs.

    `exit_without_client` ends the process when no client was there for so many seconds.
    """

    host: str = "127.0.0.1"
    port: int = 0
    password: str
    address_file: Path | None = None
    exit_without_client: float | None = None
    update_seconds: float = 5.0
    stuck_seconds: float = 10.0


class NodeServer:
    """A running node."""

    def __init__(self, settings: NodeSettings) -> None:
        self._settings = settings
        sender = Sender()
        self._engine = Engine(
            readers=reader_threads(),
            workers=DecodeWorkers(right_of_way=sender.right_of_way),
            sender=sender,
            stuck_seconds=settings.stuck_seconds,
        )
        self._sessions = Sessions(
            self._engine,
            update_seconds=settings.update_seconds,
            lonely_seconds=settings.exit_without_client,
        )
        application = Routes(self._sessions, password=settings.password).application()
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        self._regular: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Return the port that was bound."""
        port: int = self._runner.addresses[0][1]
        return port

    async def start(self) -> None:
        """Listen, and tell where in the address file.

        Raises:
            OSError: the address is taken, or the file cannot be written.
        """
        sys.setswitchinterval(_SWITCH_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._settings.host, self._settings.port).start()
        self._engine.sender.start()
        self._regular = asyncio.create_task(self._sessions.look_after(), name="regular work")
        settle_memory()
        if self._settings.address_file is not None:
            self._write_address(self._settings.address_file)
        _log.info("the node listens on %s:%s", self._settings.host, self.port)

    async def until_lonely(self) -> None:
        """Return when no client was there for as long as the settings allow; else never."""
        await self._sessions.lonely.wait()
        _log.info("no client for %s s: the node ends", self._settings.exit_without_client)

    async def close(self) -> None:
        """End all players, say good-bye to clients and stop listening."""
        if self._regular is not None:
            self._regular.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._regular
        await self._sessions.close()
        await self._runner.cleanup()
        self._engine.sender.close()
        self._engine.workers.close()
        self._engine.readers.shutdown(wait=False, cancel_futures=True)
        self._remove_address()

    # ── address file ────────────────────────────────────────────────────────
    def _write_address(self, path: Path) -> None:
        """Write it whole or not at all, readable by the owner only: it has the password."""
        content = json.dumps(
            {
                "host": self._settings.host,
                "port": self.port,
                "password": self._settings.password,
                "pid": os.getpid(),
                "version": VERSION,
            }
        )
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)
        draft.replace(path)

    def _remove_address(self) -> None:
        path = self._settings.address_file
        if path is None:
            return
        with contextlib.suppress(OSError, ValueError, KeyError):
            if json.loads(path.read_text())["pid"] == os.getpid():
                path.unlink()
