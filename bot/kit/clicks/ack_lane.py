"""Acknowledges interactions inside Discord's window; nothing else in the program does.

An HTTP client of its own, because the library's adapter sleeps a second on a 5xx, waits out rate
limits and shares a hundred connections with everything else. Here no request waits for another
one: connections are not limited, some are kept warm (a cold TLS connection costs up to 2 s in a
burst), and the request leaves in the same turn of the event loop in which the interaction arrived
(an eager task). A request that is not answered soon gets a second one beside it, since a kept
connection may have died unnoticed; whichever is answered first counts.
"""

import asyncio
import json
import logging
import ssl
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from yarl import URL

from bot.kit.clicks.ack_rules import (
    HEDGE_SECONDS,
    WINDOW_SECONDS,
    Acknowledged,
    Again,
    Lost,
    Verdict,
    judge,
    pause_before,
)
from bot.kit.clicks.discord_http import new_session, read_reply
from services.background import BackgroundTasks
from services.clock import Clock

_log = logging.getLogger(__name__)

_WARM_EVERY_SECONDS = 30.0
_WARM_TIMEOUT_SECONDS = 5.0
_START_SECONDS = 1.0
_LAST_WORDS_SECONDS = 2.5


class AckMeter(Protocol):
    """Counts what happens to interactions."""

    def interaction_acknowledged(self, seconds: float) -> None:
        """Count an acknowledgement, `seconds` after the arrival."""
        ...

    def interaction_missed(self, cause: str) -> None:
        """Count an interaction whose member read "This interaction failed"."""
        ...


class Acknowledger(Protocol):
    """Sends interaction callbacks."""

    async def start(self) -> None:
        """Get ready."""
        ...

    def send(
        self, interaction_id: int, token: str, *, callback: Mapping[str, Any], received_at: float
    ) -> asyncio.Future[bool]:
        """Start a callback at once; the future says whether Discord has it."""
        ...

    async def close(self) -> None:
        """Finish what is under way."""
        ...


@dataclass(frozen=True, slots=True)
class _Call:
    url: URL
    body: bytes
    received_at: float


class AckLane:
    """Sends interaction callbacks, each within 2.5 s of its interaction's arrival.

    `api_url` is Discord's REST base. `warm` connections are opened by `start` and kept warm.
    """

    def __init__(
        self,
        *,
        api_url: str,
        ssl_context: ssl.SSLContext | None,
        clock: Clock,
        meter: AckMeter,
        warm: int = 16,
    ) -> None:
        self._api_url = api_url.rstrip("/")
        self._ssl_context = ssl_context
        self._clock = clock
        self._meter = meter
        self._warm = warm
        self._session: aiohttp.ClientSession | None = None
        self._tasks = BackgroundTasks("ack lane")
        self._under_way: set[asyncio.Task[bool]] = set()

    async def start(self) -> None:
        """Open the warm connections; a slow or unreachable Discord is not waited for long."""
        warm = asyncio.Event()
        self._tasks.start(self._keep_warm(warm), name="keep connections warm")
        with suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                await warm.wait()

    def send(
        self, interaction_id: int, token: str, *, callback: Mapping[str, Any], received_at: float
    ) -> asyncio.Task[bool]:
        """Start a callback at once, with no await before it; the task says whether it arrived."""
        url = f"{self._api_url}/interactions/{interaction_id}/{token}/callback"
        call = _Call(URL(url, encoded=True), json.dumps(callback).encode(), received_at)
        task = _eagerly(self._deliver(call), name=f"acknowledge {interaction_id}")
        if not task.done():
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return task

    async def close(self) -> None:
        """Let what is under way finish within its window, then close the connections."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=_LAST_WORDS_SECONDS)
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._tasks.close()
        if self._session is not None:
            await self._session.close()

    # ── one acknowledgement ─────────────────────────────────────────────────
    async def _deliver(self, call: _Call) -> bool:
        verdict = await _Delivery(self._attempt, call, self._clock).run()
        if isinstance(verdict, Acknowledged):
            self._meter.interaction_acknowledged(self._clock.monotonic() - call.received_at)
            return True
        self._meter.interaction_missed(verdict.cause)
        _log.warning(
            "an interaction was not acknowledged: %s, after %.2f s",
            verdict.cause,
            self._clock.monotonic() - call.received_at,
        )
        return False

    async def _attempt(self, call: _Call) -> Verdict:
        try:
            async with self._open_session().post(call.url, data=call.body) as response:
                reply = await read_reply(response)
        except (aiohttp.ClientError, OSError) as error:
            _log.info("an acknowledgement is tried again: %s", type(error).__name__)
            return Again("connection")
        verdict = judge(reply.status, reply.code, reply.retry_after)
        if not isinstance(verdict, Acknowledged):
            _log.info("a callback was answered %d (code %d)", reply.status, reply.code)
        return verdict

    # ── connections ─────────────────────────────────────────────────────────
    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = new_session(self._ssl_context, total=None)
        return self._session

    async def _keep_warm(self, warm: asyncio.Event) -> None:
        while True:
            await self._warm_up()
            warm.set()
            await self._clock.sleep(_WARM_EVERY_SECONDS)

    async def _warm_up(self) -> None:
        """Make that many requests at the same time: each takes, or opens, a connection."""
        await asyncio.gather(*(self._touch() for _ in range(self._warm)))

    async def _touch(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_WARM_TIMEOUT_SECONDS)
        try:
            url = f"{self._api_url}/gateway"
            async with self._open_session().get(url, timeout=timeout) as response:
                await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            _log.debug("no warm connection: %s", type(error).__name__)


class _Attempt(Protocol):
    def __call__(self, call: _Call) -> Coroutine[Any, Any, Verdict]: ...


class _Delivery:
    """The attempts of one callback, until one of them decides or the window closes."""

    def __init__(self, attempt: _Attempt, call: _Call, clock: Clock) -> None:
        self._attempt = attempt
        self._call = call
        self._clock = clock
        self._deadline = call.received_at + WINDOW_SECONDS
        self._running: set[asyncio.Task[Verdict]] = set()
        self._repetitions = 0
        self._last_cause = "timed_out"

    async def run(self) -> Acknowledged | Lost:
        try:
            return await self._run()
        finally:
            for task in self._running:
                task.cancel()

    async def _run(self) -> Acknowledged | Lost:
        self._begin()
        while (left := self._deadline - self._clock.monotonic()) > 0:
            finished = await self._wait(min(left, HEDGE_SECONDS))
            if not finished:
                if self._clock.monotonic() < self._deadline:
                    self._begin()
                continue
            for task in finished:
                verdict = task.result()
                if not isinstance(verdict, Again):
                    return verdict
                self._last_cause = verdict.cause
                if not self._running:
                    await self._pause(verdict)
        return Lost(self._last_cause)

    def _begin(self) -> None:
        self._running.add(_eagerly(self._attempt(self._call), name="callback"))

    async def _pause(self, verdict: Again) -> None:
        """Wait as long as asked, but not beyond the window; then try again."""
        self._repetitions += 1
        wanted = pause_before(self._repetitions) if verdict.after is None else verdict.after
        left = self._deadline - self._clock.monotonic()
        if wanted >= left:
            self._deadline = self._clock.monotonic()
            return
        if wanted > 0:
            await self._clock.sleep(wanted)
        self._begin()

    async def _wait(self, seconds: float) -> set[asyncio.Task[Verdict]]:
        """Return the attempts that ended, after `seconds` at the latest; forget those."""
        finished = {task for task in self._running if task.done()}
        if not finished:
            timer = asyncio.ensure_future(self._clock.sleep(seconds))
            try:
                await asyncio.wait({*self._running, timer}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                timer.cancel()
            finished = {task for task in self._running if task.done()}
        self._running -= finished
        return finished


def _eagerly[T](work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """Start a task that runs until its first wait before this returns."""
    loop = asyncio.get_running_loop()
    return asyncio.Task(work, loop=loop, name=name, eager_start=True)
