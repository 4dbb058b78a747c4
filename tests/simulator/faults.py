"""What can go wrong at Discord, on demand."""

import asyncio
import fnmatch
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

type Failure = Literal["reset", "429", "shared-429", "cloudflare"] | int
"""An HTTP status (5xx), a connection that is reset, or a kind of rate limit."""

CALLBACK = "POST /interactions/*/*/callback"


@dataclass
class _Planned:
    route: str
    failure: Failure
    times: int
    retry_after: float
    after_processing: bool


class Stall:
    """A request that Discord leaves waiting: the moment to kill a bot, or to look at it."""

    def __init__(self, route: str, *, after_processing: bool) -> None:
        self.route = route
        self.after_processing = after_processing
        self._reached = asyncio.Event()
        self._released = asyncio.Event()

    async def reached(self, *, within: float = 10.0) -> None:
        """Wait until the request is there.

        Raises:
            AssertionError: It did not come.
        """
        try:
            async with asyncio.timeout(within):
                await self._reached.wait()
        except TimeoutError:
            raise AssertionError(f"No {self.route!r} came within {within:g} s.") from None

    def release(self) -> None:
        """Let the request go on."""
        self._released.set()

    async def hold(self) -> None:
        """Wait in the request's place."""
        self._reached.set()
        await self._released.wait()


@dataclass(frozen=True)
class Planned:
    """A failure that the next request gets."""

    failure: Failure
    retry_after: float
    after_processing: bool


class GatewayFaults(Protocol):
    """What the gateway can be made to do."""

    def cut(self) -> None: ...
    def close(self, code: int) -> None: ...
    def ask_for_heartbeat(self) -> None: ...
    def ask_to_reconnect(self) -> None: ...
    def invalidate(self, *, resumable: bool) -> None: ...


class Faults:
    """Switches and blows; routes are patterns such as "POST /channels/*/messages"."""

    def __init__(self) -> None:
        self.heartbeats_unanswered = False
        """Swallow gateway heartbeats."""
        self.voice_server_first = False
        """Send VOICE_SERVER_UPDATE before VOICE_STATE_UPDATE."""
        self.refuse_connections = False
        """Refuse new gateway connections."""
        self.gateway: GatewayFaults
        self._latencies: dict[str, float] = {}
        self._planned: list[_Planned] = []
        self._stalls: list[Stall] = []
        self._stalled: list[Stall] = []
        self._held_voice: list[Callable[[], None]] | None = None

    # ── REST ────────────────────────────────────────────────────────────────

    def latency(self, seconds: float, route: str = CALLBACK) -> None:
        """Give a route a round trip of so many seconds: half before, half after it is handled."""
        self._latencies.pop(route, None)
        if seconds:
            self._latencies[route] = seconds

    def fail(
        self,
        route: str,
        failure: Failure = 500,
        *,
        times: int = 1,
        retry_after: float = 0.3,
        after_processing: bool = False,
    ) -> None:
        """Let the next requests to a route fail.

        Args:
            route: The pattern; "*" is everything.
            failure: An HTTP status, "reset", "429", "shared-429" or "cloudflare".
            times: How many requests.
            retry_after: Seconds, told by a 429.
            after_processing: Do what was asked, and lose only the answer.
        """
        self._planned.append(_Planned(route, failure, times, retry_after, after_processing))

    def stall(self, route: str, *, after_processing: bool = False) -> Stall:
        """Let the next request to a route wait, before or after it is carried out."""
        stall = Stall(route, after_processing=after_processing)
        self._stalls.append(stall)
        return stall

    def heal(self) -> None:
        """End everything that was planned or switched on; voice events kept back are sent."""
        self._latencies.clear()
        self._planned.clear()
        for stall in (*self._stalls, *self._stalled):
            stall.release()
        self._stalls.clear()
        self._stalled.clear()
        self.heartbeats_unanswered = False
        self.refuse_connections = False
        self.voice_server_first = False
        self.release_voice_events()

    def latency_of(self, request: str) -> float:
        """Return the round trip of a request, "METHOD /path"."""
        for pattern, seconds in self._latencies.items():
            if fnmatch.fnmatchcase(request, pattern):
                return seconds
        return 0.0

    def next_failure(self, request: str) -> Planned | None:
        """Take the failure that is planned for a request, "METHOD /path"."""
        for plan in self._planned:
            if fnmatch.fnmatchcase(request, plan.route):
                plan.times -= 1
                if plan.times <= 0:
                    self._planned.remove(plan)
                return Planned(plan.failure, plan.retry_after, plan.after_processing)
        return None

    def next_stall(self, request: str) -> Stall | None:
        """Take the stall that is planned for a request, "METHOD /path"."""
        for stall in self._stalls:
            if fnmatch.fnmatchcase(request, stall.route):
                self._stalls.remove(stall)
                self._stalled.append(stall)
                return stall
        return None

    # ── gateway ─────────────────────────────────────────────────────────────

    def drop_gateway(self) -> None:
        """Cut the bot's gateway connections at TCP level."""
        self.gateway.cut()

    def close_gateway(self, code: int) -> None:
        """Close the bot's gateway connections with a code."""
        self.gateway.close(code)

    def ask_to_reconnect(self) -> None:
        """Send op 7."""
        self.gateway.ask_to_reconnect()

    def ask_for_heartbeat(self) -> None:
        """Send op 1."""
        self.gateway.ask_for_heartbeat()

    def invalidate_session(self, *, resumable: bool = False) -> None:
        """Send op 9."""
        self.gateway.invalidate(resumable=resumable)

    # ── voice events ────────────────────────────────────────────────────────

    def hold_voice_events(self) -> None:
        """Keep back the bot's own voice events until `release_voice_events`."""
        self._held_voice = self._held_voice or []

    def release_voice_events(self) -> None:
        """Send what was kept back."""
        held, self._held_voice = self._held_voice or [], None
        for send in held:
            send()

    def delay_voice_events(self, seconds: float) -> None:
        """Keep the bot's own voice events back for a while."""
        self.hold_voice_events()
        asyncio.get_running_loop().call_later(seconds, self.release_voice_events)

    def hold_voice(self, send: Callable[[], None]) -> None:
        """Send a voice event, now or when it is released."""
        if self._held_voice is None:
            send()
        else:
            self._held_voice.append(send)
