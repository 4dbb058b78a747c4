"""Where audio nodes fetch all sound: one small web server with signed links, Range and HEAD.

Whatever a track's source is, a node gets `http://…/media/<token>`: a node on another machine can
play everything, links that a site binds to our address work, and no node ever opens an address
that a member typed.
"""

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from bot.adapters.media_links import LinkSigner, MediaRef, load_key
from bot.adapters.media_store import MediaStore
from bot.adapters.spool import Spool
from services.audio.errors import ExtractionFailed, ExtractionReason
from services.audio.extraction_reasons import failure
from services.audio.media_type import MediaKind, is_markup, media_kind
from services.audio.track import Source, Track
from services.errors import Refusal, UserError

_log = logging.getLogger(__name__)

_LENGTH_PATIENCE = 5.0
"""How long a request for the middle of a medium of unknown size waits for its size, in seconds."""
_NO_LINGER = struct.pack("ii", 1, 0)  # on, for zero seconds: closing sends a reset
_OWN_FORMAT = {Source.DIRECT, Source.ATTACHMENT}
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- what an admin may bind

LocalFiles = Callable[[MediaRef], Path | None]
"""Finds the file on this host that holds a medium (library, cache); None where there is none."""


def _no_files(_media: MediaRef) -> Path | None:
    return None


class MediaRelay:
    """Serves media to nodes; implements `MediaSource` of the services.

    `bind` is `address:port`. With port 0 the last run's port is tried first, so that links stay
    good over a restart. `base_url` is how nodes reach it; empty: derived from what was bound.
    """

    def __init__(
        self,
        *,
        bind: str,
        base_url: str,
        data_dir: Path,
        store: MediaStore,
        local_files: LocalFiles = _no_files,
        prepare_timeout: float = 20,
    ) -> None:
        host, _, port = bind.rpartition(":")
        self._host, self._wanted_port = host.strip("[]"), int(port)
        self._base_url = base_url
        self._data_dir = data_dir
        self._store = store
        self._local_files = local_files
        self._prepare_timeout = prepare_timeout
        self._signer: LinkSigner | None = None
        application = web.Application()
        application.router.add_get("/media/{token}", self._serve)  # answers HEAD too
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)

    @property
    def port(self) -> int:
        """The port that was bound; only after `start`."""
        return int(self._runner.addresses[0][1])

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the address is taken, or the data folder cannot be written.
        """
        self._signer = LinkSigner(load_key(self._data_dir / "media.key"))
        await self._runner.setup()
        remembered = self._data_dir / "media.port"
        if self._wanted_port == 0 and (last := _read_port(remembered)):
            with contextlib.suppress(OSError):
                await web.TCPSite(self._runner, self._host, last).start()
        if not self._runner.addresses:
            await web.TCPSite(self._runner, self._host, self._wanted_port).start()
        remembered.write_text(str(self.port))
        _log.info("the media relay listens on %s:%s", self._host, self.port)

    async def close(self) -> None:
        """Stop listening and cut the readers off."""
        await self._runner.cleanup()

    def link(self, track: Track) -> str:
        """Return the link under which a node reads the track's sound."""
        assert self._signer is not None, "start() comes first"
        base = self._base_url or self._derived_url()
        return f"{base}/media/{self._signer.token(_ref(track))}"

    async def prepare(self, track: Track) -> None:
        """Find the sound and begin to download it.

        Raises:
            ExtractionFailed: it cannot be had, or is no audio.
            AddressRefused: it leads to an address that may not be fetched.
            TrackRefused: it turned out too long, too large, or live.
        """
        media = _ref(track)
        if self._local_files(media) is not None:
            return
        try:
            async with asyncio.timeout(self._prepare_timeout):
                opened = await self._store.open(media.url, media.source)
        except TimeoutError:
            raise failure(ExtractionReason.TIMED_OUT) from None
        kind = media_kind(opened.head, opened.content_type)
        # what a site's extractor names as sound may be of a kind that we do not know by its looks
        is_known = kind is MediaKind.MEDIA or media.source not in _OWN_FORMAT
        if not is_known or is_markup(opened.head):
            await self._store.forget(media.url, media.source)
            raise failure(ExtractionReason.NOT_AUDIO)

    def _derived_url(self) -> str:
        host = _EVERYWHERE.get(self._host, self._host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        assert self._signer is not None, "start() comes first"
        media = self._signer.media(request.match_info["token"])
        if media is None:
            return web.Response(status=HTTPStatus.FORBIDDEN, text="This link is not valid.")
        if file := self._local_files(media):
            return web.FileResponse(file)
        try:
            spool = await self._store.spool(media)
            return await _stream(request, spool)
        except UserError as error:
            return web.Response(status=_status_for(error), text=error.sentence)


class _UntilClosed(web.StreamResponse):
    """A body without a length that ends with the connection: FFmpeg mistrusts chunked ones."""

    _length_check = False


async def _stream(request: web.Request, spool: Spool) -> web.StreamResponse:
    length = spool.length
    try:
        wanted = request.http_range
    except ValueError:
        return _not_satisfiable(length)
    if length is None and wanted.start:
        length = await spool.known_length(_LENGTH_PATIENCE)
        if length is None:
            return _not_satisfiable(length)
    response = _header(spool, length, wanted)
    if response is None:
        return _not_satisfiable(length)
    start, stop, _ = wanted.indices(length) if length is not None else (0, None, 1)
    if request.method == "HEAD":
        await response.prepare(request)
        return response
    return await _send(request, response, spool, start, stop)


async def _send(
    request: web.Request,
    response: web.StreamResponse,
    spool: Spool,
    start: int,
    stop: int | None,
) -> web.StreamResponse:
    body = spool.read(start, stop)
    try:
        async for data in body:
            if not response.prepared:  # the first byte is there: now the answer cannot fail
                await response.prepare(request)
            await response.write(data)
    except UserError as error:
        if not response.prepared:
            raise
        _log.info("a download broke while it was played: %s", error.sentence)
        _reset(request)  # a clean end would pass for the end of the track
    except ConnectionError:
        pass  # the node has left
    finally:
        await body.aclose()
    return response


def _reset(request: web.Request) -> None:
    """Cut the connection so that the node's system reports an error, not an end."""
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    request.transport.abort()


def _header(spool: Spool, length: int | None, wanted: slice) -> web.StreamResponse | None:
    """Return the answer without its body; None where the range lies outside of the medium."""
    response: web.StreamResponse
    if length is None:
        response = _UntilClosed()
        response.force_close()
    else:
        start, stop, _ = wanted.indices(length)
        partial = wanted.start is not None or wanted.stop is not None
        if partial and start >= stop:
            return None
        response = web.StreamResponse(
            status=HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK
        )
        response.content_length = stop - start
        response.headers["Accept-Ranges"] = "bytes"
        if partial:
            response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{length}"
    content_type = spool.head.content_type
    if content_type.startswith(("audio/", "video/", "application/")):
        response.content_type = content_type
    return response


def _not_satisfiable(length: int | None) -> web.Response:
    size = "*" if length is None else str(length)
    return web.Response(
        status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        headers={"Content-Range": f"bytes */{size}"},
    )


def _status_for(error: UserError) -> HTTPStatus:
    if isinstance(error, Refusal):
        return HTTPStatus.FORBIDDEN
    if isinstance(error, ExtractionFailed) and error.reason is ExtractionReason.NOT_FOUND:
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.BAD_GATEWAY


def _ref(track: Track) -> MediaRef:
    return MediaRef(track.source, track.url)


def _read_port(file: Path) -> int | None:
    try:
        port = int(file.read_text())
    except (OSError, ValueError):
        return None
    return port if 0 < port < 65536 else None  # noqa: PLR2004 -- the first that is no port
