"""What both HTTP clients of the click stream share: sessions, our name, how replies read."""

import json
import ssl
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import aiohttp

USER_AGENT = f"DiscordBot (https://github.com/nextcord/nextcord, {version('nextcord')})"
"""Discord refuses requests that do not name themselves so ("User Agent")."""

_KEEP_ALIVE_SECONDS = 120.0
_DNS_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Reply:
    """What Discord answered."""

    status: int
    code: int = 0
    """Discord's JSON error code; 0 where there is none."""
    message: str = ""
    retry_after: float | None = None
    """Seconds to wait after a 429, where it says so."""
    payload: Any = None

    @property
    def accepted(self) -> bool:
        """Whether the request did what it should."""
        return 200 <= self.status < 300  # noqa: PLR2004 -- HTTP's success class


def new_session(
    ssl_context: ssl.SSLContext | None, *, total: float | None
) -> aiohttp.ClientSession:
    """Open a session without a limit of connections; `total` seconds bound one request."""
    connector = aiohttp.TCPConnector(
        limit=0,
        keepalive_timeout=_KEEP_ALIVE_SECONDS,
        ttl_dns_cache=_DNS_SECONDS,
        ssl=ssl_context if ssl_context is not None else True,
    )
    return aiohttp.ClientSession(
        connector=connector,
        headers={"User-Agent": USER_AGENT, "Content-Type": "application/json"},
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=total),
    )


async def read_reply(response: aiohttp.ClientResponse) -> Reply:
    """Read an answer to its end, so that its connection can be used again."""
    raw = await response.read()
    try:
        payload = json.loads(raw) if raw else None
    except ValueError:
        payload = None  # a proxy's page in HTML
    details = payload if isinstance(payload, dict) else {}
    return Reply(
        status=response.status,
        code=_integer(details.get("code")),
        message=str(details.get("message", "")),
        retry_after=_seconds(details.get("retry_after", response.headers.get("Retry-After"))),
        payload=payload,
    )


def _integer(value: object) -> int:
    return value if isinstance(value, int) else 0


def _seconds(value: object) -> float | None:
    if not isinstance(value, str | int | float):
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        return None
