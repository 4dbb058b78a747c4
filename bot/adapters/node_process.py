"""The embedded audio node as the bot's child: found, started, watched, started again, ended.

The node must not die with a bot that is killed: it runs in its own session, and its address file
(`node.json` in the data folder, for the owner's eyes only) lets the next bot find it, so the music
plays on. It ends itself when no bot came for a minute, and at once with a bot that stops cleanly.

A node that died is started again on its old port with its old password: clients just reconnect.
"""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp

from services.audio.errors import NodeUnavailable
from services.background import BackgroundTasks

_log = logging.getLogger(__name__)

_PROJECT: Final = Path(__file__).resolve().parents[2]
_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.01
_CHECK_SECONDS: Final = 2.0
_ADOPTED_CHECK_SECONDS: Final = 0.5
_ANSWER_SECONDS: Final = 3.0
_MISSED_CHECKS: Final = 3
"""So many missed answers in a row are a node that hangs."""
_PAUSES: Final = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_STEADY_SECONDS: Final = 5.0
"""A node that ran so long has proved itself: the next start is immediate again."""
_HANDED_ON: Final = (
    *("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV"),
)
"""The node needs none of the bot's secrets, so it gets only these of the bot's environment."""
_MEMORY_HINTS: Final = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""glibc's default of an arena for each thread keeps what ended players used."""


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """Where the node listens, and what it wants to hear first."""

    uri: str
    password: str = field(repr=False)
    pid: int


class NodeProcess:
    """The embedded node, kept running from `start` to `close`.

    Args:
        data_dir: where `node.json` is kept.
        environment: added to the node's environment (`SSL_CERT_FILE` for example).
        options: further arguments of `python -m bot.node`.
        linger_seconds: for how long the node waits for a bot before it ends itself.
        on_restarted: called each time the node was started again.
        on_moved: called when it then listens at another address (its old port was taken).
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        environment: Mapping[str, str] | None = None,
        options: tuple[str, ...] = (),
        linger_seconds: float = 60.0,
        on_restarted: Callable[[NodeAddress], None] | None = None,
        on_moved: Callable[[NodeAddress], None] | None = None,
    ) -> None:
        self._file = data_dir.resolve() / "node.json"
        self._environment = dict(environment or {})
        self._options = (*options, "--exit-without-client", str(linger_seconds))
        self._on_restarted = on_restarted
        self._on_moved = on_moved
        self._password = secrets.token_urlsafe(24)
        self._address: NodeAddress | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._last_lines: deque[str] = deque(maxlen=5)
        self._tasks = BackgroundTasks("node process")
        self._closing = asyncio.Event()

    @property
    def address(self) -> NodeAddress | None:
        """Return where the node listens; None before the start."""
        return self._address

    @property
    def adopted(self) -> bool:
        """Whether the running node was started by an earlier bot."""
        return self._address is not None and self._child is None

    async def start(self) -> NodeAddress:
        """Find a node that an earlier bot has left, or start one; then keep it running.

        Raises:
            NodeUnavailable: it cannot be started.
        """
        found = await self._find()
        if found is not None:
            _log.info("an earlier bot's audio node still runs: using it")
            self._password, self._address = found.password, found
        else:
            self._address = await self._launch(port=0)
        self._tasks.start(self._keep_running(), name="keep the node running")
        return self._address

    async def problem(self) -> str | None:
        """Return what is wrong with the node, in a sentence; None: nothing."""
        if self._address is None:
            return "the audio node was not started"
        if not await _answers(self._address):
            return "the audio node does not answer"
        return None

    async def close(self) -> None:
        """End the node at once."""
        self._closing.set()
        if self._address is not None:
            await self._end(self._address)
        await self._tasks.close()

    # ── finding ─────────────────────────────────────────────────────────────
    def _read_file(self) -> NodeAddress | None:
        try:
            data = json.loads(self._file.read_text())
            return NodeAddress(
                uri=f"http://{data['host']}:{int(data['port'])}",
                password=str(data["password"]),
                pid=int(data["pid"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    async def _find(self) -> NodeAddress | None:
        address = self._read_file()
        if address is None or not await _answers(address):
            return None
        return address

    # ── starting ────────────────────────────────────────────────────────────
    async def _launch(self, *, port: int) -> NodeAddress:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.unlink(missing_ok=True)
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot.node", "--log-format", "json", *self._options),
            cwd=_PROJECT,
            env=self._child_environment(port),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._child = child
        self._last_lines.clear()
        lines = self._tasks.start(self._pass_on_lines(child), name="pass the node's log on")
        try:
            async with asyncio.timeout(_START_SECONDS):
                address = await self._until_ready(child)
        except TimeoutError:
            await _kill(child)
            raise NodeUnavailable("The audio node did not start in time.") from None
        if address is None:
            await asyncio.wait({lines})
            reason = " ".join(self._last_lines) or f"exit status {child.returncode}"
            raise NodeUnavailable(f"The audio node cannot start: {reason}")
        return address

    def _child_environment(self, port: int) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
        return {
            **kept,
            **_MEMORY_HINTS,
            **self._environment,
            "NODE_PASSWORD": self._password,
            "NODE_PORT": str(port),
            "NODE_ADDRESS_FILE": str(self._file),
        }

    async def _until_ready(self, child: asyncio.subprocess.Process) -> NodeAddress | None:
        """Wait for the node's address file; None: the node has ended."""
        while child.returncode is None:
            address = self._read_file()
            if address is not None and address.pid == child.pid:
                return address
            await asyncio.sleep(_LOOK_SECONDS)
        return None

    async def _pass_on_lines(self, child: asyncio.subprocess.Process) -> None:
        """Hand the node's log lines to the bot's loggers of the same names."""
        assert child.stderr is not None
        async for raw in child.stderr:
            line = raw.decode(errors="replace").rstrip()
            try:
                record = json.loads(line)
                level = logging.getLevelNamesMapping()[record["level"]]
                logging.getLogger(record["logger"]).log(level, "%s", record["message"])
            except (ValueError, KeyError, TypeError):
                self._last_lines.append(line)
                logging.getLogger("bot.node").warning("%s", line)

    # ── watching ────────────────────────────────────────────────────────────
    async def _keep_running(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while not self._closing.is_set():
            began = loop.time()
            await self._until_gone()
            if self._closing.is_set():
                return
            if loop.time() - began > _STEADY_SECONDS:
                failures = 0
            _log.warning("the audio node is gone: starting it again")
            while not self._closing.is_set():
                await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1
                if await self._start_again():
                    break

    async def _start_again(self) -> bool:
        before = self._address
        for port in (_port(before), 0):
            try:
                self._address = await self._launch(port=port)
            except NodeUnavailable as error:
                _log.warning("%s", error)
                continue
            if self._on_restarted is not None:
                self._on_restarted(self._address)
            is_elsewhere = before is None or before.uri != self._address.uri
            if is_elsewhere and self._on_moved is not None:
                self._on_moved(self._address)
            return True
        return False

    async def _until_gone(self) -> None:
        """Return when the node has ended; one that hangs is ended."""
        child, missed = self._child, 0
        while missed < _MISSED_CHECKS:
            if child is None:  # an adopted one: only its answer tells that it lives
                await asyncio.sleep(_ADOPTED_CHECK_SECONDS)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(child.wait(), _CHECK_SECONDS)
                    return
            answers = self._address is not None and await _answers(self._address)
            missed = 0 if answers else missed + 1
        if child is not None:
            _log.warning("the audio node hangs: ending it")
            await _kill(child)

    # ── ending ──────────────────────────────────────────────────────────────
    async def _end(self, address: NodeAddress) -> None:
        child = self._child
        if child is None:
            # only a node that still answers is surely the one with this process id
            if await _answers(address):
                with contextlib.suppress(OSError):
                    os.kill(address.pid, signal.SIGTERM)
                await _until_silent(address)
            return
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        try:
            await asyncio.wait_for(child.wait(), _STOP_SECONDS)
        except TimeoutError:
            await _kill(child)


async def _kill(child: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.kill()
    await child.wait()


async def _until_silent(address: NodeAddress) -> None:
    for _ in range(round(_STOP_SECONDS / _LOOK_SECONDS)):
        if not await _answers(address):
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def _answers(address: NodeAddress) -> bool:
    """Ask the node for its version; False: nobody is there, or somebody else."""
    timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
    headers = {"Authorization": address.password}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(f"{address.uri}/version", headers=headers) as response,
        ):
            return response.status == HTTPStatus.OK
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


def _port(address: NodeAddress | None) -> int:
    return 0 if address is None else int(address.uri.rpartition(":")[2])
