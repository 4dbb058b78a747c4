"""A media file behind an http(s) link, as a file object that FFmpeg can read and seek in.

FFmpeg's own http client blocks where nobody can reach it, follows links wherever they lead and
hides whether a file ended or broke. This one can be cancelled from another thread at once, opens
nothing but http and https, and knows the difference:

- The first request already asks for a range. An answer 206 means that the server can continue
  anywhere: after a reset the next request asks for the rest, and a seek costs one request.
- A server that answers 200 to a range is read again from the start and the known part is thrown
  away, as long as the file's length is known and small enough. So files play on, and index tables
  at the end of a file are found, without any help of the server.
- A body that ends before its announced length is a broken connection, not the end.
"""

import contextlib
import http.client
import io
import logging
import socket
import ssl
import threading
from collections.abc import Mapping
from functools import cache
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

_log = logging.getLogger(__name__)

_REREAD_LIMIT: Final = 64 * 2**20
"""Bytes up to which a server without ranges is read again from the start to get somewhere."""
_SKIP_LIMIT: Final = 96 * 2**10
"""A short way forward is read over; a new request would take longer."""
_REDIRECTS: Final = 5
_PAUSES: Final = (0.0, 0.2, 0.5, 1.0, 2.0, 3.0)
"""Seconds before each new attempt after a break; any byte received starts the row again."""
_PLAYLIST_TYPES: Final = ("mpegurl", "dash+xml", "x-scpls")


class MediaUnreadable(Exception):
    """The media cannot be read (any more); the text is one sentence and names no link."""


class MediaMissing(MediaUnreadable):
    """The server says that there is nothing at the link."""


class _PastTheEnd(Exception):
    """The server has no byte at the position asked for."""


class HttpMedia:
    """A readable, mostly seekable file over http; read by one thread, cancelled from any.

    Args:
        link: http or https.
        timeout: Seconds without any byte after which the connection counts as broken.
    """

    def __init__(self, link: str, *, timeout: float = 10.0) -> None:
        self.name = "media"  # PyAV hands it to FFmpeg, which would guess formats by the suffix
        self._link = _checked(link)
        self._timeout = timeout
        self._position = 0
        self._length: int | None = None
        self._has_ranges = False
        self._response: http.client.HTTPResponse | None = None
        self._response_at = 0
        self._socket: socket.socket | None = None
        self._attempt = 0
        self._cancelled = threading.Event()
        self.failure: MediaUnreadable | None = None
        """Why reading ended early; FFmpeg takes some read errors for the end of the file."""

    @property
    def length(self) -> int | None:
        """Return the size in bytes; None where the server does not tell."""
        return self._length

    def connect(self) -> None:
        """Make the first request.

        Raises:
            MediaUnreadable: refused, not found, not http, or obviously no audio.
        """
        try:
            self._request(0)
        except MediaUnreadable as error:
            self._drop_response()
            self.failure = error
            raise
        except (OSError, http.client.HTTPException) as error:
            self._drop_response()
            self.failure = MediaUnreadable(_reason(error))
            raise self.failure from error

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Tell whether any byte can be reached."""
        if self._has_ranges:
            return True
        return self._length is not None and self._length <= _REREAD_LIMIT

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte; the request is made when it is read."""
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence == io.SEEK_END:
            if self._length is None:
                raise OSError("the length is not known")
            offset += self._length
        self._position = max(0, offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes; none at the end, and after a failure: see `failure`.

        It does not raise: FFmpeg takes some errors for the end of the file, and says so nowhere.
        """
        while self.failure is None and not self._at_end:
            try:
                data = self._read_some(size if size > 0 else 65536)
            except MediaUnreadable as error:
                self.failure = error
            except _PastTheEnd:
                self._length = self._position
            except (OSError, http.client.HTTPException) as error:
                self._prepare_next_attempt(error)
            else:
                if data:
                    self._attempt = 0
                    return data
                if self._length is None:
                    self._length = self._position
                elif not self._at_end:
                    self._prepare_next_attempt(None)
        return b""

    @property
    def _at_end(self) -> bool:
        return self._length is not None and self._position >= self._length

    def cancel(self) -> None:
        """Make a read that waits, and every later one, fail at once; from any thread."""
        self._cancelled.set()
        if (connection := self._socket) is not None:
            # the plain method: SSLSocket's own would tear down state that the reader uses
            with contextlib.suppress(OSError):  # it was closed meanwhile
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection; by the reading thread, or when none reads any more."""
        self._cancelled.set()
        self._drop_response()

    # ── requests ────────────────────────────────────────────────────────────
    def _read_some(self, size: int) -> bytes:
        self._raise_if_cancelled()
        response = self._response_here()
        data = response.read1(size)
        self._response_at += len(data)
        self._position = self._response_at
        return data

    def _response_here(self) -> http.client.HTTPResponse:
        """Return a response whose next byte is the one at the current position."""
        ahead = self._position - self._response_at
        if self._response is not None and 0 <= ahead <= _SKIP_LIMIT:
            self._throw_away(self._response, ahead)
            return self._response
        return self._request(self._position)

    def _request(self, position: int) -> http.client.HTTPResponse:
        self._drop_response()
        target, response = self._link, None
        for _ in range(_REDIRECTS + 1):
            response = self._ask(target, position)
            if response.status not in {301, 302, 303, 307, 308}:
                break
            location = response.getheader("Location") or ""
            target = _checked(urljoin(target.geturl(), location))
            self._drop_response()
        else:
            raise MediaUnreadable("it redirects too often")
        self._accept(response, position)
        return response

    def _ask(self, target: SplitResult, position: int) -> http.client.HTTPResponse:
        connection = _connection(target, timeout=self._timeout)
        try:
            connection.connect()
            self._socket = connection.sock
            self._raise_if_cancelled()
            path = (target.path or "/") + (f"?{target.query}" if target.query else "")
            connection.request("GET", path, headers=_headers(position))
            response = connection.getresponse()
        except BaseException:
            connection.close()
            self._socket = None
            raise
        self._response = response
        return response

    def _accept(self, response: http.client.HTTPResponse, position: int) -> None:
        status = response.status
        if status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and position:
            raise _PastTheEnd
        if status in {http.client.NOT_FOUND, http.client.GONE}:
            raise MediaMissing(f"the server answers {status} {response.reason}".rstrip())
        if status not in {http.client.OK, http.client.PARTIAL_CONTENT}:
            raise MediaUnreadable(f"the server answers {status} {response.reason}".rstrip())
        _refuse_what_is_no_audio(response.headers)
        first, total = 0, _content_length(response)
        if status == http.client.PARTIAL_CONTENT:
            first, total = _content_range(response)
        if position and total != self._length:
            raise MediaUnreadable("it changed while it was read")
        self._length = total
        self._has_ranges = self._has_ranges or status == http.client.PARTIAL_CONTENT
        self._response_at = first
        if first > position or (position - first > _SKIP_LIMIT and not self.seekable()):
            raise MediaUnreadable("the server cannot continue where the connection broke")
        self._throw_away(response, position - first)

    def _throw_away(self, response: http.client.HTTPResponse, count: int) -> None:
        while count:
            data = response.read1(min(count, 65536))
            if not data:
                raise http.client.IncompleteRead(b"", count)
            self._raise_if_cancelled()
            count -= len(data)
            self._response_at += len(data)

    # ── what goes wrong ─────────────────────────────────────────────────────
    def _prepare_next_attempt(self, error: Exception | None) -> None:
        self._drop_response()
        can_continue = self._position == 0 or self.seekable()
        if not can_continue or self._attempt >= len(_PAUSES):
            self.failure = MediaUnreadable(
                _reason(error) if error is not None else "the connection broke in the middle"
            )
            return
        _log.debug("reading again from byte %d: %s", self._position, error or "short body")
        self._cancelled.wait(_PAUSES[self._attempt])
        self._attempt += 1

    def _raise_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise MediaUnreadable("reading was cancelled")

    def _drop_response(self) -> None:
        response, self._response = self._response, None
        connection, self._socket = self._socket, None
        if response is not None:
            response.close()
        if connection is not None:
            connection.close()


# ── one answer ──────────────────────────────────────────────────────────────
def _checked(link: str) -> SplitResult:
    try:
        parts = urlsplit(link)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        raise MediaUnreadable("only http and https links can be played")
    return parts


def _connection(target: SplitResult, *, timeout: float) -> http.client.HTTPConnection:
    host = target.hostname or ""
    if target.scheme == "https":
        return http.client.HTTPSConnection(
            host, target.port, timeout=timeout, context=_tls_context()
        )
    return http.client.HTTPConnection(host, target.port, timeout=timeout)


@cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _headers(position: int) -> Mapping[str, str]:
    return {
        "Range": f"bytes={position}-",
        "Accept": "*/*",
        "User-Agent": "tunes-node",
        "Connection": "close",
    }


def _refuse_what_is_no_audio(headers: http.client.HTTPMessage) -> None:
    kind = headers.get_content_type() if headers.get("Content-Type") else ""
    if kind in {"text/html", "application/xhtml+xml"}:
        raise MediaUnreadable("it is a web page, not audio")
    if any(word in kind for word in _PLAYLIST_TYPES):
        raise MediaUnreadable("it is a streaming playlist, which is not supported")


def _content_length(response: http.client.HTTPResponse) -> int | None:
    return response.length if not response.chunked else None


def _content_range(response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """Read `bytes 100-199/200` into (100, 200); the total is None where it is `*`."""
    unit, _, rest = (response.getheader("Content-Range") or "").partition(" ")
    span, _, total = rest.partition("/")
    first = span.partition("-")[0]
    if unit != "bytes" or not first.isdigit():
        raise MediaUnreadable("the server's answer to a range cannot be understood")
    return int(first), int(total) if total.isdigit() else None


def _reason(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "the server does not answer in time"
        case ConnectionRefusedError():
            return "the server refuses the connection"
        case socket.gaierror():
            return "the server's name cannot be resolved"
        case ssl.SSLError():
            return "the server's certificate or encryption is not accepted"
        case OSError() | http.client.IncompleteRead():
            return "the connection broke in the middle"
        case _:
            return "the server's answer cannot be understood"
