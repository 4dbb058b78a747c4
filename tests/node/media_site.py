"""A web server with media files that can be as bad as the real web: no ranges, cut off, endless."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, override

_PIECE = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a file is served.

    `breaks_at`: byte after which each connection is cut; `breaks`: how many connections are.
    `stalls_at`: byte after which nothing comes any more until `MediaSite.go_on`.
    """

    ranges: bool = True
    length: bool = True
    content_type: str = "application/octet-stream"
    status: int = 200
    redirect_to: str | None = None
    breaks_at: int | None = None
    breaks: int = 10**9
    stalls_at: int | None = None
    endless: bool = False


@dataclass(slots=True)
class _File:
    data: bytes
    manner: Manner
    breaks_left: int = field(init=False)

    def __post_init__(self) -> None:
        self.breaks_left = self.manner.breaks


class MediaSite:
    """Serves what was added, on loopback, from threads of its own."""

    def __init__(self) -> None:
        self.files: dict[str, _File] = {}
        self.requests: list[tuple[str, str | None]] = []
        """Each request's name and Range header."""
        self.going_on = threading.Event()
        self.sent = 0
        """Bytes of bodies sent so far."""
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.going_on.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def add(self, name: str, data: bytes, manner: Manner | None = None) -> str:
        """Serve `data` as `name` and return its link."""
        self.files[name] = _File(data, manner or Manner())
        return self.link(name)

    def link(self, name: str) -> str:
        """Return the link of `name`, whether there is such a file or not."""
        return f"http://{self.address}/{name}"

    def hang_up(self) -> None:
        """Cut all connections."""
        self._server.hang_up()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def __init__(self, site: MediaSite) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site = site
        self._open: set[socket.socket] = set()

    @override
    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.discard(request)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients may leave."""

    def hang_up(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    @override
    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        site, name = self.server.site, self.path.lstrip("/")
        wanted = self.headers.get("Range")
        site.requests.append((name, wanted))
        file = site.files.get(name)
        if file is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        manner = file.manner
        if manner.redirect_to is not None:
            self.send_response(HTTPStatus.FOUND)
            self.send_header("Location", manner.redirect_to)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
        partial = wanted is not None and manner.ranges and manner.status == HTTPStatus.OK
        begin = first if partial else 0
        self._head(len(file.data) - begin, begin, manner=manner, partial=partial)
        self._body(file, begin, manner)

    def _head(self, count: int, first: int, *, manner: Manner, partial: bool) -> None:
        size = first + count
        self.send_response(HTTPStatus.PARTIAL_CONTENT if partial else manner.status)
        self.send_header("Content-Type", manner.content_type)
        if partial:
            self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        if manner.length and not manner.endless:
            self.send_header("Content-Length", str(count))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _body(self, file: _File, first: int, manner: Manner) -> None:
        chunked = manner.endless or not manner.length
        for begin, piece in _pieces(file.data, first, manner):
            if manner.stalls_at is not None and begin >= manner.stalls_at:
                self.wfile.flush()
                self.server.site.going_on.wait()
            if manner.breaks_at is not None and begin >= manner.breaks_at and file.breaks_left:
                file.breaks_left -= 1
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if chunked else piece)
            self.server.site.sent += len(piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")


def _pieces(data: bytes, first: int, manner: Manner) -> Iterator[tuple[int, bytes]]:
    at = first
    limits = [limit for limit in (manner.breaks_at, manner.stalls_at) if limit is not None]
    while at < len(data) or manner.endless:
        begin = at % len(data)
        end = min([begin + _PIECE, len(data), *(lim for lim in limits if lim > begin)])
        yield at, data[begin:end]
        at += end - begin
