"""A few warm extraction workers: an extraction never holds the bot's interpreter lock.

Each slot keeps one worker process alive and feeds it from a queue that is fair between lanes
(guilds). A worker that dies has its job given once more to a fresh one; a worker that takes too
long is killed, and its job has failed.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.adapters.address_guard import refusal
from bot.adapters.fair_queue import FairQueue
from bot.adapters.ytdlp_protocol import (
    HEADER,
    MAX_FRAME_BYTES,
    Frame,
    Job,
    WorkerConfig,
    encode,
)
from services.audio.errors import ExtractionReason
from services.audio.extraction_reasons import failure, failure_from_message
from services.background import BackgroundTasks

_log = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[2]
_SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "DATABASE_URL", "LAVALINK")
_START_SECONDS = 30
_JOBS_PER_WORKER = 500  # then it is replaced: extractors collect memory over time
_TRIES = 2
_RESTART_PAUSES = (0.0, 0.5, 2.0, 5.0, 15.0)  # seconds, by failures in a row


@dataclass(frozen=True, slots=True)
class JobResult:
    """A job's answer and the list entries that came ahead of it."""

    done: Frame
    entries: list[Frame]


class _WorkerDied(Exception):
    """The process ended, or said something that is no frame."""


@dataclass(slots=True, eq=False)
class _Wish:
    job: Job
    lane: int
    answer: "asyncio.Future[JobResult]"
    tries: int = field(default=0)


class WorkerPool:
    """`workers` processes for extraction; times are in seconds."""

    def __init__(
        self,
        config: WorkerConfig,
        *,
        workers: int,
        job_timeout: float = 15,
        total_timeout: float = 19,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`environment` is added to the bot's own, less its secrets."""
        self._config = config
        self._workers = workers
        self._job_timeout = job_timeout
        self._total_timeout = total_timeout
        self._environment = environment or {}
        self._wishes: FairQueue[_Wish] = FairQueue()
        self._tasks = BackgroundTasks("extraction")
        self._first_is_up = asyncio.Event()

    def start(self) -> None:
        """Start the workers, one after the other, beside the caller."""
        for number in range(self._workers):
            self._tasks.start(self._serve(number), name=f"worker {number}")

    async def close(self) -> None:
        """Kill the workers; who still waits for an answer is told that there is none."""
        await self._tasks.close()
        self._fail_all(ExtractionReason.UNREACHABLE)

    async def run(self, job: Job, *, lane: int) -> JobResult:
        """Have `job` done by the next free worker.

        Raises:
            AddressRefused: a page led to an address that may not be fetched.
            ExtractionFailed: the site does not give it, or took too long.
        """
        wish = _Wish(job, lane, asyncio.get_running_loop().create_future())
        self._wishes.put(lane, wish)
        try:
            async with asyncio.timeout(self._total_timeout):
                return await wish.answer
        except TimeoutError:
            raise failure(ExtractionReason.TIMED_OUT) from None

    async def _serve(self, number: int) -> None:
        """Keep one worker alive."""
        if number:  # a bot that starts has more to do than to start all workers at once
            await self._first_is_up.wait()
        failures = 0
        while True:
            await asyncio.sleep(_RESTART_PAUSES[min(failures, len(_RESTART_PAUSES) - 1)])
            try:
                async with contextlib.AsyncExitStack() as stack:
                    worker = await _Worker.start(self._config, self._child_environment())
                    stack.push_async_callback(worker.kill)
                    self._first_is_up.set()
                    failures = 0
                    await self._feed(worker)
            except (OSError, _WorkerDied) as error:
                failures += 1
                _log.warning("an extraction worker could not be started: %s", error)
                if failures >= _TRIES and not self._first_is_up.is_set():
                    self._fail_all(ExtractionReason.BROKEN)

    async def _feed(self, worker: "_Worker") -> None:
        """Give the worker jobs until it has to be replaced."""
        for _ in range(_JOBS_PER_WORKER):
            wish = await self._next_wish(worker)
            if wish is None:
                return
            if wish.answer.done():  # nobody waits any more
                continue
            if not await self._fulfil(wish, worker):
                return

    async def _next_wish(self, worker: "_Worker") -> _Wish | None:
        """Wait for a wish; None when the worker has died meanwhile."""
        getting = asyncio.ensure_future(self._wishes.get())
        dying = asyncio.ensure_future(worker.wait())
        try:
            await asyncio.wait({getting, dying}, return_when=asyncio.FIRST_COMPLETED)
            return getting.result() if getting.done() else None
        finally:
            getting.cancel()
            dying.cancel()

    async def _fulfil(self, wish: _Wish, worker: "_Worker") -> bool:
        """Do one job; False when the worker cannot go on."""
        wish.tries += 1
        try:
            async with asyncio.timeout(self._job_timeout):
                frame, entries = await worker.do(wish.job)
        except TimeoutError:
            self._fail(wish, failure(ExtractionReason.TIMED_OUT))
            return False
        except (OSError, _WorkerDied):
            if wish.tries < _TRIES:
                self._wishes.put_back(wish.lane, wish)
            else:
                _log.warning("a page crashes the extraction workers; it is given up")
                self._fail(wish, failure(ExtractionReason.BROKEN))
            return False
        except asyncio.CancelledError:
            self._fail(wish, failure(ExtractionReason.UNREACHABLE))
            raise
        if error := frame.get("error"):
            self._fail(wish, refusal() if error["refused"] else failure_from_message(error["said"]))
        elif not wish.answer.done():
            wish.answer.set_result(JobResult(frame["done"], entries))
        return True

    def _fail_all(self, reason: ExtractionReason) -> None:
        for wish in self._wishes.drain():
            self._fail(wish, failure(reason))

    def _fail(self, wish: _Wish, error: Exception) -> None:
        if not wish.answer.done():
            wish.answer.set_exception(error)

    def _child_environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not any(word in name.upper() for word in _SECRET_WORDS)
        }
        path = os.pathsep.join(filter(None, (str(_ROOT), inherited.get("PYTHONPATH"))))
        return {**inherited, "PYTHONPATH": path, **self._environment}


class _Worker:
    """One process and its two pipes."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, config: WorkerConfig, environment: Mapping[str, str]) -> "_Worker":
        """Start a process and wait until yt-dlp is loaded.

        Raises:
            OSError: no process can be started.
            _WorkerDied: it ended, or did not get ready.
        """
        worker = cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot.adapters.ytdlp_worker",
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=dict(environment),
                start_new_session=True,  # so that it can be killed with all it has started
            )
        )
        try:
            async with asyncio.timeout(_START_SECONDS):
                await worker._greet(config)
        except TimeoutError:
            await worker.kill()
            raise _WorkerDied("it did not get ready") from None
        except BaseException:
            await worker.kill()
            raise
        return worker

    async def do(self, job: Job) -> tuple[Frame, list[Frame]]:
        """Return the last frame of the answer, and the entries that came before it.

        Raises:
            _WorkerDied: the process ended before it had answered.
        """
        self._write(encode(job))
        entries: list[Frame] = []
        while True:
            frame = await self._frame()
            if "entries" not in frame:
                return frame, entries
            entries += frame["entries"]
            await asyncio.sleep(0)  # the next parts may be here already: one at a time

    async def wait(self) -> None:
        """Return when the process has ended."""
        await self._process.wait()

    async def kill(self) -> None:
        """End the process, and the JavaScript runtime that it may be running."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def _greet(self, config: WorkerConfig) -> None:
        self._write(encode(config))
        greeting = await self._frame()
        if "failed" in greeting:
            raise _WorkerDied(greeting["failed"])

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None, "started with pipes"
        self._process.stdin.write(data)

    async def _frame(self) -> Frame:
        assert self._process.stdout is not None, "started with pipes"
        try:
            (length,) = HEADER.unpack(await self._process.stdout.readexactly(HEADER.size))
            if length > MAX_FRAME_BYTES:
                raise _WorkerDied("it sent too much")
            frame: Frame = json.loads(await self._process.stdout.readexactly(length))
        except asyncio.IncompleteReadError:
            raise _WorkerDied("it ended by itself") from None
        return frame
