"""The real bot as a process of its own, which tests start, kill and start again.

async with BotProcess(discord) as bot:  # started and ready
    await bot.kill()  # as a power cut does
    await bot.start()  # with the same DATA_DIR
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from tests.simulator.simulator import Simulator

_ROOT = Path(__file__).resolve().parents[2]
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "COVERAGE_PROCESS_START")
_POLL_SECONDS = 0.02
_TAIL_LINES = 60
_NODE_ENDS_SECONDS = 3.0


class BotProcess:
    """`python -m bot` against a simulator.

    Args:
        discord: The simulator; it must have been started.
        data_dir: DATA_DIR; a temporary folder, deleted at the end, where none is given.
        environment: Settings beside or instead of `discord.environment()`.
    """

    def __init__(
        self,
        discord: Simulator,
        *,
        data_dir: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._discord = discord
        self._folder = Path(tempfile.mkdtemp(prefix="bot-process-"))
        self.data_dir = data_dir or self._folder / "data"
        self.environment = {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            "PYTHONPATH": str(_ROOT),
            "PYTHONUNBUFFERED": "1",
            "DATA_DIR": str(self.data_dir),
            **discord.environment(),
            **(environment or {}),
        }
        self._log_path = self._folder / "bot.log"
        self._process: asyncio.subprocess.Process | None = None
        self._node_pids: set[int] = set()
        self.started_at = 0.0
        """When the process was last started (monotonic seconds)."""

    # ── life ────────────────────────────────────────────────────────────────

    async def __aenter__(self) -> Self:
        try:
            await self.start()
            await self.ready()
        except BaseException as error:
            error.add_note(self.log_tail())
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            error.add_note(self.log_tail())
        await self.close()

    async def start(self) -> None:
        """Start the process; it need not be ready when this returns."""
        if self.running:
            raise RuntimeError("the bot runs already")
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.started_at = time.monotonic()
        with self._log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                cwd=self._folder,  # no `.env` of the checkout is read
                env=self.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def ready(self, *, within: float = 30.0) -> None:
        """Wait until the bot has logged in, says it is healthy, and its commands are registered.

        Raises:
            AssertionError: It ended, or took longer; the text has the end of its log.
        """
        deadline = time.monotonic() + within
        async with aiohttp.ClientSession() as http:
            while not await self._is_ready(http):
                if not self.running:
                    raise AssertionError(f"The bot ended: {self.status}.\n{self.log_tail()}")
                if time.monotonic() > deadline:
                    raise AssertionError(
                        f"The bot was not ready within {within:g} s; "
                        f"{self._discord.account()}\n{self.log_tail()}"
                    )
                await asyncio.sleep(_POLL_SECONDS)

    async def _is_ready(self, http: aiohttp.ClientSession) -> bool:
        sessions = self._discord.gateway.live_sessions
        registered = self._discord.world.application.in_scope(None)
        return bool(sessions and registered) and await self._is_healthy(http)

    async def _is_healthy(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.status_url}/healthz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def kill(self) -> None:
        """End the process by SIGKILL; what it started lives on for as long as it likes."""
        self._remember_node()
        await self._end(signal.SIGKILL)

    async def terminate(self, *, within: float = 15.0) -> int:
        """Ask the process to end (SIGTERM) and return its exit status.

        Raises:
            AssertionError: It did not end in time.
        """
        self._remember_node()
        if self._process is not None and self.running:
            self._process.terminate()
        return await self.ended(within=within)

    async def ended(self, *, within: float = 15.0) -> int:
        """Wait until the process has ended by itself and return its exit status.

        Raises:
            AssertionError: It runs on.
        """
        assert self._process is not None
        try:
            async with asyncio.timeout(within):
                return await self._process.wait()
        except TimeoutError:
            message = f"The bot still runs after {within:g} s.\n{self.log_tail()}"
            raise AssertionError(message) from None

    async def restart(self) -> None:
        """Kill the process, start it again with the same DATA_DIR, wait until it is ready."""
        await self.kill()
        await self.start()
        await self.ready()

    async def close(self) -> None:
        """End the process and everything that it started."""
        if self._process is not None and self.running:
            self._process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5.0):
                    await self._process.wait()
        await self._end(signal.SIGKILL)
        await asyncio.to_thread(self._end_nodes)
        shutil.rmtree(self._folder, ignore_errors=True)

    # ── what one sees of it ─────────────────────────────────────────────────

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.returncode if self._process else None

    @property
    def node_pid(self) -> int | None:
        """The process id of the embedded node, None where there is none."""
        try:
            return int(json.loads((self.data_dir / "node.json").read_text())["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def status_url(self) -> str:
        """Where `/healthz` and `/metrics` are."""
        return f"http://{self.environment['STATUS_BIND']}"

    @property
    def log(self) -> str:
        """Everything that it has printed."""
        try:
            return self._log_path.read_text(errors="replace")
        except OSError:
            return ""

    def log_tail(self) -> str:
        """Return the end of its log, with a heading."""
        return "── end of the bot's log ──\n" + "\n".join(self.log.splitlines()[-_TAIL_LINES:])

    # ── own ─────────────────────────────────────────────────────────────────

    async def _end(self, number: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            process.send_signal(number)
            await process.wait()
        elif number is signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)

    def _remember_node(self) -> None:
        """Note the node's id: the next bot may start another one and forget this."""
        if (pid := self.node_pid) is not None:
            self._node_pids.add(pid)

    def _end_nodes(self) -> None:
        """End embedded nodes that outlived their bots."""
        self._remember_node()
        for pid in self._node_pids:
            self._end_node(pid)

    def _end_node(self, pid: int) -> None:
        """End a node; only if the id is still a node's."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + _NODE_ENDS_SECONDS
            with contextlib.suppress(ProcessLookupError):
                if _is_node(pid):
                    os.kill(pid, number)
            while _is_node(pid) and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)


def _is_node(pid: int) -> bool:
    """Tell whether the process still is an audio node: its id may be somebody else's by now."""
    if Path("/proc/self").exists():
        try:
            return b"bot.node" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
    command = ["ps", "-o", "args=", "-p", str(pid)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- fixed words
    return "bot.node" in listed.stdout
