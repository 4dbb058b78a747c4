"""HTTP for addresses that members typed: the address guard holds at every hop.

The guard sits in the resolver of the connection pool, so the addresses it has checked are the very
ones that are connected to; a host that is a number itself never reaches a resolver and is checked
before. Redirects are followed here, one by one, each as if it had been typed.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import override

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.adapters.address_guard import AddressGuard, refusal
from services.audio.errors import AddressRefused, ExtractionReason
from services.audio.extraction_reasons import failure

_MAX_REDIRECTS = 8
_REDIRECTS = {301, 302, 303, 307, 308}
_NEEDS_QUOTING = frozenset(' "<>\\^`{|}')
_USER_AGENT = "Mozilla/5.0 (compatible; tunes; +https://docs.discord.com)"


class GuardedResolver(AbstractResolver):
    """Resolves names to addresses that may be connected to, and refuses all others."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Look `host` up.

        Raises:
            AddressRefused: one of its addresses is private; such a name is not trusted at all.
            OSError: it does not resolve.
        """
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM
        )
        results = []
        for kind, _, proto, _, address in found:
            numeric = str(address[0])
            if not self._guard.permits(host, port, numeric):
                raise refusal()
            results.append(
                ResolveResult(
                    hostname=host,
                    host=numeric,
                    port=port,
                    family=kind,
                    proto=proto,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        return results

    @override
    async def close(self) -> None:
        """Nothing is held."""


class GuardedHttp:
    """Fetches public http and https addresses; times are in seconds."""

    def __init__(
        self, guard: AddressGuard, *, connect_timeout: float = 6, idle_timeout: float = 12
    ) -> None:
        self._guard = guard
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=connect_timeout, sock_read=idle_timeout
        )
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def get(
        self, url: str, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a GET, follow redirects, and yield the answer, whatever its status.

        Errors of reading the body inside of the block are translated as well.

        Raises:
            AddressRefused: the address or one it redirects to may not be fetched.
            ExtractionFailed: no answer (unreachable, or timed out).
        """
        try:
            answer = await self._follow(url, headers)
            try:
                yield answer
            finally:
                # unread bytes are not worth reading: drop the connection
                answer.close()
        except TimeoutError:
            raise failure(ExtractionReason.TIMED_OUT) from None
        except (aiohttp.ClientError, OSError) as error:
            raise failure(ExtractionReason.UNREACHABLE) from error

    async def _follow(self, url: str, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        session = self._opened()
        target = self._checked(_parse(url))
        headers = {"User-Agent": _USER_AGENT, **headers, "Accept-Encoding": "identity"}
        for _ in range(_MAX_REDIRECTS):
            answer = await session.get(target, headers=headers, allow_redirects=False)
            location = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or not location:
                return answer
            answer.release()
            redirected = self._checked(target.join(_parse(location)))
            if redirected.origin() != target.origin():
                headers.pop("Cookie", None)
                headers.pop("Authorization", None)
            target = redirected
        raise failure(ExtractionReason.UNREACHABLE)

    def _checked(self, url: URL) -> URL:
        if url.scheme not in {"http", "https"} or not url.host:
            raise AddressRefused("Only addresses that begin with http:// or https:// are fetched.")
        if url.user is not None or url.password is not None:
            raise AddressRefused("An address with a user name or password in it is not fetched.")
        self._guard.check_host(url.host, url.port or 0)
        return url

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=GuardedResolver(self._guard), limit=0, ttl_dns_cache=30
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,  # a proxy would connect where the guard cannot look
            )
        return self._session


def _parse(url: str) -> URL:
    # a well-formed address is sent as it is: signed ones break when their escapes are respelled
    well_formed = url.isascii() and url.isprintable() and not _NEEDS_QUOTING.intersection(url)
    try:
        return URL(url, encoded=well_formed)
    except ValueError:
        raise AddressRefused("That is not a valid web address.") from None
