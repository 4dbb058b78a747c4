"""When a request to Discord may leave: sliding windows, one for each route and its major id.

Discord limits a route for each channel, guild or webhook separately ("Rate Limits", top-level
resources), over a sliding window: five messages may leave at once, the sixth when the first is
five seconds old. nextcord 3.2 forgets the top-level id, so that all channels of all guilds share
one allowance, and assumes windows that begin anew all at once, which costs 429s.

Here every `(method, route, top-level ids)` has a window of its own, that remembers when its
requests ended. What Discord says is believed where it is stricter than our own count: fewer
requests remaining (another process used the same bucket) or a 429. Methods are counted apart,
because Discord does so for sending and editing though their bucket may have the same name. What
was learned of a route in one channel is the first guess for the next channel.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from services.clock import Clock

_GLOBAL_LIMIT = 50
_GLOBAL_SECONDS = 1.08
"""Discord's second, and some for requests that travel at different speeds."""

_WINDOWS_KEPT = 2000


@dataclass(frozen=True, slots=True)
class Key:
    """What Discord counts apart."""

    method: str
    route: str
    """The path with its parameters' names in place of their values."""
    major: tuple[object, ...]
    """The channel, guild or webhook, where the path has one."""


@dataclass(frozen=True, slots=True)
class Headers:
    """What an answer says of the window."""

    limit: int
    remaining: int
    reset_after: float


def read_headers(headers: Mapping[str, str]) -> Headers | None:
    """Return what Discord says of the window; None where the route has none."""
    with suppress(KeyError, ValueError):
        return Headers(
            limit=max(1, int(headers["X-RateLimit-Limit"])),
            remaining=int(headers["X-RateLimit-Remaining"]),
            reset_after=float(headers["X-RateLimit-Reset-After"]),
        )
    return None


class Window:
    """At most `limit` requests in any `seconds`; an unknown limit lets one out at a time."""

    def __init__(self, clock: Clock, *, limit: int | None = None, seconds: float = 0.0) -> None:
        self._clock = clock
        self.limit = limit
        self.seconds = seconds
        self._unlimited = False
        self._in_flight = 0
        self._ended: deque[float] = deque()
        self._blocked_until = 0.0
        self._turn = asyncio.Lock()
        self._one_ended = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether forgetting this window loses nothing."""
        self._forget_old()
        free = self._clock.monotonic() >= self._blocked_until
        return free and not self._in_flight and not self._ended and not self._turn.locked()

    @property
    def open(self) -> bool:
        """Whether a request could leave at once."""
        return not self._turn.locked() and self._wait_seconds() == 0

    async def enter(self) -> None:
        """Wait until a request may leave, in the order of asking."""
        async with self._turn:
            while (seconds := self._wait_seconds()) != 0:
                if seconds is None:
                    self._one_ended.clear()
                    await self._one_ended.wait()
                else:
                    await self._clock.sleep(seconds)
            self._in_flight += 1

    def leave(self, said: Headers | None, *, answered: bool = True) -> None:
        """Note that a request ended, and what its answer said."""
        self._in_flight -= 1
        now = self._clock.monotonic()
        if answered:
            self._ended.append(now)
            self._learn(said, now)
        self._one_ended.set()

    def refused(self, retry_after: float) -> None:
        """Note a 429: a request may leave in `retry_after` seconds at the earliest."""
        self._forget_old()
        now = self._clock.monotonic()
        self._blocked_until = max(self._blocked_until, now + retry_after)
        if self.limit is not None and len(self._ended) >= self.limit:
            self.seconds = max(self.seconds, now + retry_after - self._ended[-self.limit])

    def _learn(self, said: Headers | None, now: float) -> None:
        if said is None:
            self._unlimited = self.limit is None
            return
        self._unlimited = False
        self.limit = said.limit
        self.seconds = max(self.seconds, said.reset_after)
        self._forget_old()
        ours = len(self._ended) + self._in_flight
        self._ended.extend([now] * (said.limit - said.remaining - ours))

    def _wait_seconds(self) -> float | None:
        """Return how long to wait; None: until a request ends."""
        now = self._clock.monotonic()
        if now < self._blocked_until:
            return self._blocked_until - now
        if self._unlimited:
            return 0.0
        self._forget_old()
        if self._in_flight + len(self._ended) < (self.limit or 1):
            return 0.0
        return self._ended[0] + self.seconds - now if self._ended else None

    def _forget_old(self) -> None:
        now = self._clock.monotonic()
        while self._ended and self._ended[0] + self.seconds <= now:
            self._ended.popleft()


class RateLimits:
    """All windows of one bot account, and the 50 requests a second that it has altogether."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[Key, Window] = {}
        self._learned: dict[tuple[str, str], Window] = {}
        self._account_blocked_until = 0.0
        self._started: deque[float] = deque()
        self._account_turn = asyncio.Lock()

    def window(self, key: Key) -> Window:
        """Return the window of a route and top-level id."""
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= _WINDOWS_KEPT:
                self._windows = {k: w for k, w in self._windows.items() if not w.idle}
            like = self._learned.get((key.method, key.route))
            window = Window(
                self._clock,
                limit=like.limit if like else None,
                seconds=like.seconds if like else 0.0,
            )
            self._windows[key] = window
        return window

    @property
    def kept(self) -> int:
        """How many windows are remembered."""
        return len(self._windows)

    def learned(self, key: Key, window: Window) -> None:
        """Let windows of the same route, but another channel, begin with what is known."""
        self._learned[key.method, key.route] = window

    async def enter_account(self) -> None:
        """Wait until the account as a whole may send a further request."""
        async with self._account_turn:
            while (seconds := self._account_wait()) > 0:
                await self._clock.sleep(seconds)
            self._started.append(self._clock.monotonic())

    def account_refused(self, retry_after: float) -> None:
        """Note a global 429."""
        until = self._clock.monotonic() + retry_after
        self._account_blocked_until = max(self._account_blocked_until, until)

    def _account_wait(self) -> float:
        now = self._clock.monotonic()
        while self._started and self._started[0] + _GLOBAL_SECONDS <= now:
            self._started.popleft()
        wait = self._account_blocked_until - now
        if len(self._started) >= _GLOBAL_LIMIT:
            wait = max(wait, self._started[0] + _GLOBAL_SECONDS - now)
        return wait
