"""The far end of a download: one medium on somebody's server, readable from any position.

A connection that breaks is taken up again where it broke, by Range where the server can, else by
reading over what is known; a link that has expired meanwhile (403, 404, 410) is found anew first.
Only after several attempts in a row without one new byte is the medium given up.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp

from bot.adapters.guarded_http import GuardedHttp
from services.audio.errors import ExtractionFailed, ExtractionReason
from services.audio.extraction_reasons import failure, failure_from_status

RETRY_PAUSES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""How long to wait before each further attempt, in seconds."""

_EXPIRED = {401, 403, 404, 410}
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_FILENAME = re.compile(r"filename\*?=(?:UTF-8'')?\"?([^\";]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAddress:
    """Where the bytes of a medium can be fetched for now."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    chunk_bytes: int | None = None
    """Largest range to ask for at once, where the server slows larger ones down."""
    is_segmented: bool = False
    """`url` is an HLS playlist, not the sound itself."""
    duration_ms: int | None = None
    is_live: bool = False
    expires_at: float | None = None
    """Unix time in seconds; None where the link lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaHead:
    """What the first answer says of a medium."""

    length: int | None
    can_seek: bool
    content_type: str
    filename: str | None
    is_live: bool
    fetch_all: bool = False
    """It has an end, but can be sought only once all of it is here: fetch it in one go."""


class _LinkExpired(ExtractionFailed):
    """The server did not know the link any more; a fresh one has been found."""


Locate = Callable[[], Awaitable[StreamAddress]]
"""Finds the medium's address, anew at each call."""


class HttpUpstream:
    """A medium behind http(s)."""

    def __init__(
        self,
        http: GuardedHttp,
        address: StreamAddress,
        *,
        locate: Locate | None,
        retry_pauses: Sequence[float] = RETRY_PAUSES,
    ) -> None:
        """Read `address`; once it has expired, what `locate` finds (None: it cannot expire)."""
        self._pauses = retry_pauses
        self._http = http
        self._address = address
        self._locate = locate
        self._head: MediaHead | None = None
        self._validator: str | None = None
        self._first: AsyncExitStack | None = None
        self._first_answer: aiohttp.ClientResponse | None = None

    async def open(self) -> MediaHead:
        """Send the first request; its body is what the first `read(0)` yields.

        Raises:
            AddressRefused: the address may not be fetched.
            ExtractionFailed: it cannot be fetched.
        """
        try:
            return await self._open()
        except _LinkExpired:
            return await self._open()

    async def read(self, position: int) -> AsyncGenerator[bytes]:
        """Yield the bytes from `position` to the end.

        Raises:
            AddressRefused: a fresh link leads to an address that may not be fetched.
            ExtractionFailed: it broke and could not be taken up again.
        """
        attempts = 0
        while not self._is_end(position):
            start, body = position, self._connection(position)
            try:
                async for data in body:
                    yield data
                    position += len(data)
                    attempts = 0
                if self._known().length is None:
                    return
                self._check_progress(start, position)
            except ExtractionFailed:
                if attempts >= len(self._pauses) or not self._can_resume(position):
                    raise
                await asyncio.sleep(self._pauses[attempts])
                attempts += 1
            finally:
                await body.aclose()

    async def close(self) -> None:
        """Drop the first answer where nobody read it."""
        if self._first is not None:
            first, self._first = self._first, None
            await first.aclose()

    async def _open(self) -> MediaHead:
        async with AsyncExitStack() as stack:
            answer = await stack.enter_async_context(self._ask(0))
            if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # an empty file
                raise failure(ExtractionReason.NOT_AUDIO)
            await self._check(answer)
            self._head = _read_head(answer)
            self._validator = _validator(answer)
            self._first_answer = answer
            self._first = stack.pop_all()
        return self._head

    async def _check(self, answer: aiohttp.ClientResponse) -> None:
        """Raise what an error status means, with a fresh address in place where that may help."""
        if answer.status < HTTPStatus.BAD_REQUEST:
            return
        error = failure_from_status(answer.status)
        if answer.status in _EXPIRED and self._locate is not None:
            self._address = await self._locate()
            raise _LinkExpired(error.sentence, reason=error.reason)
        raise error

    def _known(self) -> MediaHead:
        assert self._head is not None, "open() comes first"
        return self._head

    def _is_end(self, position: int) -> bool:
        length = self._known().length
        return length is not None and position >= length

    def _can_resume(self, position: int) -> bool:
        return position == 0 or self._known().can_seek or self._known().length is not None

    async def _connection(self, position: int) -> AsyncGenerator[bytes]:
        """Yield what one connection gives."""
        async with self._body_at(position) as body:
            async for data in body:
                yield data

    def _check_progress(self, start: int, position: int) -> None:
        if position == start:  # an empty answer where there should be bytes is as good as a break
            raise failure(ExtractionReason.UNREACHABLE)

    @asynccontextmanager
    async def _body_at(self, position: int) -> AsyncIterator[AsyncIterator[bytes]]:
        if position == 0 and self._first is not None and self._first_answer is not None:
            first, self._first = self._first, None
            async with first:
                yield self._first_answer.content.iter_any()
            return
        async with self._ask(position) as answer:
            await self._check(answer)
            yield _skip(answer.content.iter_any(), self._surplus(answer, position))

    @asynccontextmanager
    async def _ask(self, position: int) -> AsyncIterator[aiohttp.ClientResponse]:
        size = self._address.chunk_bytes
        last = "" if size is None else str(position + size - 1)
        headers = {**self._address.headers, "Range": f"bytes={position}-{last}"}
        if position and self._validator and self._address.expires_at is None:
            headers["If-Range"] = self._validator
        async with self._http.get(self._address.url, headers) as answer:
            yield answer

    def _surplus(self, answer: aiohttp.ClientResponse, position: int) -> int:
        """Return how many bytes of the answer come before `position`.

        Raises:
            ExtractionFailed: the answer is about something else than the first one was.
        """
        head = _read_head(answer)
        if head.length != self._known().length:
            raise failure(ExtractionReason.UNREACHABLE)
        surplus = position - _first_position(answer)
        if surplus < 0 or (surplus and head.length is None):
            raise failure(ExtractionReason.UNREACHABLE)
        return surplus


def _read_head(answer: aiohttp.ClientResponse) -> MediaHead:
    encoded = answer.headers.get("Content-Encoding", "identity") != "identity"
    partial = answer.status == HTTPStatus.PARTIAL_CONTENT
    length = None if encoded else _total(answer) if partial else answer.content_length
    disposition = _FILENAME.search(answer.headers.get("Content-Disposition", ""))
    return MediaHead(
        length=length,
        can_seek=partial and length is not None,
        content_type=answer.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
        filename=disposition[1].strip() if disposition else None,
        # SHOUTcast and Icecast name the station, and only they do
        is_live=length is None and any(name.lower().startswith("icy-") for name in answer.headers),
    )


def _total(answer: aiohttp.ClientResponse) -> int | None:
    found = _CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
    return int(found[3]) if found and found[3] != "*" else None


def _first_position(answer: aiohttp.ClientResponse) -> int:
    if answer.status != HTTPStatus.PARTIAL_CONTENT:
        return 0
    found = _CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else 0


def _validator(answer: aiohttp.ClientResponse) -> str | None:
    etag = answer.headers.get("ETag")
    if etag and not etag.startswith("W/"):  # RFC 9110, 13.1.5: If-Range wants a strong one
        return etag
    return answer.headers.get("Last-Modified")


async def _skip(body: AsyncIterator[bytes], surplus: int) -> AsyncIterator[bytes]:
    async for data in body:
        if surplus >= len(data):
            surplus -= len(data)
        else:
            yield data[surplus:]
            surplus = 0
