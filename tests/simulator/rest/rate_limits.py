"""Discord's rate limits: sliding windows per bucket, and 50 requests a second for all.

A bucket is a route's hash and the ids of the channel, guild or webhook in its path ("major ids").
A request that is refused costs nothing. Some limits do not show in the headers ("hidden"), and
some are shared with other bots (scope "shared", which do not count as invalid requests).
"""

import hashlib
import math
from collections import deque
from dataclasses import dataclass
from functools import lru_cache

from tests.simulator.clock import Clock
from tests.simulator.errors import Json

_GLOBAL_REQUESTS, _GLOBAL_SECONDS = 50, 1.0
_INVALID_REQUESTS, _INVALID_SECONDS = 10_000, 600.0


@dataclass(frozen=True)
class Limit:
    """So many requests in so many seconds; `bucket` names those that share it.

    `code` is the JSON error code in its refusals, 0 for none.
    """

    bucket: str
    count: int
    seconds: float
    hidden: bool = False
    shared: bool = False
    code: int = 0


@dataclass(frozen=True)
class Refusal:
    """A 429."""

    headers: dict[str, str]
    body: Json
    counts_as_invalid: bool


class RateLimiter:
    """Counts requests, and says when one is too many."""

    def __init__(self, clock: Clock) -> None:
        self.enabled = True
        self.hits: list[str] = []
        """The buckets that refused a request, in the order of refusals."""
        self._clock = clock
        self._windows: dict[tuple[str, str], deque[float]] = {}
        self._global: deque[float] = deque()
        self._invalid: deque[float] = deque()

    @property
    def invalid_requests(self) -> int:
        """Requests in the last ten minutes that count towards a ban (401, 403, 429)."""
        _drop(self._invalid, self._clock.monotonic() - _INVALID_SECONDS)
        return len(self._invalid)

    @property
    def banned(self) -> bool:
        """Whether Cloudflare answers instead of Discord."""
        return self.enabled and self.invalid_requests >= _INVALID_REQUESTS

    def count_invalid(self) -> None:
        """Note a 401, 403 or 429."""
        self._invalid.append(self._clock.monotonic())

    def take_global(self) -> Refusal | None:
        """Count a request against the 50 a second."""
        if not self.enabled:
            return None
        now = self._clock.monotonic()
        _drop(self._global, now - _GLOBAL_SECONDS)
        if len(self._global) < _GLOBAL_REQUESTS:
            self._global.append(now)
            return None
        self.hits.append("global")
        wait = self._global[0] + _GLOBAL_SECONDS - now
        headers = {
            "Retry-After": str(math.ceil(wait)),
            "X-RateLimit-Global": "true",
            "X-RateLimit-Scope": "global",
        }
        return Refusal(headers, _body(wait, everywhere=True), counts_as_invalid=True)

    def take(self, limits: tuple[Limit, ...], major: str) -> tuple[dict[str, str], Refusal | None]:
        """Count a request; return the headers of its answer, and a refusal if it is too many."""
        now = self._clock.monotonic()
        headers: dict[str, str] = {}
        windows = [self._window(limit, major, now) for limit in limits]
        for limit, window in zip(limits, windows, strict=True):
            if self.enabled and len(window) >= limit.count:
                self.hits.append(f"{limit.bucket} {major}")
                return {}, self._refuse(limits[0], limit, window, now)
        for limit, window in zip(limits, windows, strict=True):
            window.append(now)
            if not limit.hidden:
                left = limit.count - len(window) if self.enabled else limit.count - 1
                headers = self._headers(limit, left, window[0] + limit.seconds - now)
        return headers, None

    def refuse_once(self, limits: tuple[Limit, ...], wait: float, *, shared: bool) -> Refusal:
        """Make up a refusal (a fault)."""
        limit = limits[0] if limits else Limit("made up", 5, 5)
        headers = self._headers(limit, limit.count - 1 if shared else 0, wait)
        headers["Retry-After"] = str(math.ceil(wait))
        headers["X-RateLimit-Scope"] = "shared" if shared else "user"
        return Refusal(headers, _body(wait, shared=shared), counts_as_invalid=not shared)

    def _refuse(self, shown: Limit, limit: Limit, window: deque[float], now: float) -> Refusal:
        wait = max(0.001, window[0] + limit.seconds - now)
        if limit.hidden:
            headers = self._headers(shown, max(1, shown.count - 1), shown.seconds)
        else:
            headers = self._headers(limit, 0, wait)
        headers["Retry-After"] = str(math.ceil(wait))
        headers["X-RateLimit-Scope"] = "shared" if limit.shared else "user"
        body = _body(wait, shared=limit.shared)
        if limit.code:
            body["code"] = limit.code
        return Refusal(headers, body, counts_as_invalid=not limit.shared)

    def _window(self, limit: Limit, major: str, now: float) -> deque[float]:
        window = self._windows.setdefault((limit.bucket, major), deque())
        _drop(window, now - limit.seconds)
        return window

    def _headers(self, limit: Limit, left: int, reset_after: float) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(limit.count),
            "X-RateLimit-Remaining": str(max(0, left)),
            "X-RateLimit-Reset": f"{self._clock.wall() + reset_after:.3f}",
            "X-RateLimit-Reset-After": f"{reset_after:.3f}",
            "X-RateLimit-Bucket": bucket_hash(limit.bucket),
        }


@lru_cache(maxsize=1024)
def bucket_hash(bucket: str) -> str:
    """Return the opaque name of a bucket, without its major ids."""
    return hashlib.md5(bucket.encode(), usedforsecurity=False).hexdigest()


def _drop(window: deque[float], before: float) -> None:
    while window and window[0] <= before:
        window.popleft()


def _body(wait: float, *, shared: bool = False, everywhere: bool = False) -> Json:
    text = "The resource is being rate limited." if shared else "You are being rate limited."
    return {"message": text, "retry_after": round(wait, 3), "global": everywhere}
