"""The ways in which servers disappoint: each a prefix before a tone's address.

A path is `/<prefix>/<hz>/<seconds>.<codec>`; `/tone/…` is the one that behaves.
"""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from tests.simulator.site.tone_files import ToneFile, ToneFiles

_PIECE = 16 * 1024
_WAVE_BYTES_PER_SECOND = 48_000 * 2 * 2
_WAVE_PIECE = _WAVE_BYTES_PER_SECOND // 4
_PAGE = "<!doctype html><html><head><title>Not a song</title></head><body>Hello</body></html>"


class Misbehaviour:
    """Handlers; `gate` lets go of the second half of a `gated` file."""

    def __init__(self, tones: ToneFiles) -> None:
        self._tones = tones
        self._broken_before: set[str] = set()
        self.gate = asyncio.Event()
        self.links_valid = True

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers by prefix."""
        tone = {
            "tone": self._well,
            "chunked": self._chunked,
            "norange": self._norange,
            "breaks-once": self._breaks_once,
            "norange-breaks-once": self._norange_breaks_once,
            "broken": self._broken,
            "gated": self._gated,
            "gated-chunked": self._gated_chunked,
            "held": self._held,
            "drip": self._drip,
            "stalls": self._stalls,
            "stalls-once": self._stalls_once,
            "expiring": self._expiring,
            "station": self._station,
            "forever": self._forever,
            "mislabelled": self._mislabelled,
        }
        return [
            *(web.get(f"/{name}/{{hz}}/{{name}}", handler) for name, handler in tone.items()),
            web.get("/hours/{name}", self._ten_hours),
            web.get("/huge/{name}", self._huge),
            web.get("/missing/{name}", self._missing),
            web.get("/forbidden/{name}", self._forbidden),
            web.get("/failing/{name}", self._failing),
            web.get("/page/{name}", self._page),
            web.get("/garbage/{name}", self._garbage),
            web.get("/silence/{name}", self._never_answers),
            web.get("/redirect", self._redirect),
            web.get("/loop", self._loop),
        ]

    async def _well(self, request: web.Request) -> web.StreamResponse:
        tone = await self._tones.asked_for(request)
        return web.FileResponse(tone.path, headers=tone.headers)

    async def _chunked(self, request: web.Request) -> web.StreamResponse:
        tone = await self._tones.asked_for(request)
        return await _send(request, tone, _pieces(tone.data), length=None)

    async def _norange(self, request: web.Request) -> web.StreamResponse:
        tone = await self._tones.asked_for(request)
        return await _send(request, tone, _pieces(tone.data), length=len(tone.data))

    async def _breaks_once(self, request: web.Request) -> web.StreamResponse:
        tone = await self._tones.asked_for(request)
        if self._first_time(request):
            return await _break_after(request, tone, len(tone.data) // 2)
        return await self._well(request)

    async def _norange_breaks_once(self, request: web.Request) -> web.StreamResponse:
        tone = await self._tones.asked_for(request)
        if self._first_time(request):
            half = len(tone.data) // 2
            return await _break_after(request, tone, half, with_range=False)
        return await self._norange(request)

    async def _broken(self, request: web.Request) -> web.StreamResponse:
        """Give the first half only, however often one asks."""
        tone = await self._tones.asked_for(request)
        half = len(tone.data) // 2
        start = request.http_range.start or 0
        if start >= half:
            _reset(request)
            return web.Response()
        return await _break_after(request, tone, half - start)

    async def _gated(self, request: web.Request) -> web.StreamResponse:
        """Give the first half, and the rest when the gate opens; no ranges."""
        tone = await self._tones.asked_for(request)
        return await _send(request, tone, self._halves(tone.data), length=len(tone.data))

    async def _gated_chunked(self, request: web.Request) -> web.StreamResponse:
        """Do the same without saying how long it will be."""
        tone = await self._tones.asked_for(request)
        return await _send(request, tone, self._halves(tone.data), length=None)

    async def _halves(self, data: bytes) -> AsyncIterator[bytes]:
        yield data[: len(data) // 2]
        await self.gate.wait()
        yield data[len(data) // 2 :]

    async def _held(self, request: web.Request) -> web.StreamResponse:
        """Say nothing until the gate opens."""
        await self.gate.wait()
        return await self._well(request)

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        """Give a byte every quarter of a second."""
        tone = await self._tones.asked_for(request)

        async def drops() -> AsyncIterator[bytes]:
            for index in range(len(tone.data)):
                yield tone.data[index : index + 1]
                await asyncio.sleep(0.25)

        return await _send(request, tone, drops(), length=len(tone.data))

    async def _stalls(self, request: web.Request) -> web.StreamResponse:
        """Give the first half, and then nothing more, without hanging up."""
        tone = await self._tones.asked_for(request)

        async def half() -> AsyncIterator[bytes]:
            yield tone.data[: len(tone.data) // 2]
            await asyncio.Event().wait()

        return await _send(request, tone, half(), length=len(tone.data))

    async def _stalls_once(self, request: web.Request) -> web.StreamResponse:
        if self._first_time(request):
            return await self._stalls(request)
        return await self._well(request)

    async def _expiring(self, request: web.Request) -> web.StreamResponse:
        """Break in the middle; afterwards only a link with a higher `?key=` is known."""
        key = request.query.get("key", "0")
        tone = await self._tones.asked_for(request)
        if key == "0":
            if self._first_time(request):
                return await _break_after(request, tone, len(tone.data) // 2)
            raise web.HTTPForbidden
        return await self._well(request)

    async def _station(self, request: web.Request) -> web.StreamResponse:
        """Be an internet radio: endless, and says so."""
        tone = await self._tones.asked_for(request)
        return await _send(
            request,
            tone,
            _again_and_again(tone.data),
            length=None,
            headers={"icy-name": "Radio Tone"},
        )

    async def _forever(self, request: web.Request) -> web.StreamResponse:
        """Never end, and do not say so."""
        tone = await self._tones.asked_for(request)
        is_wave = tone.data.startswith(b"RIFF")
        body = _endless_wave(tone.data) if is_wave else _again_and_again(tone.data)
        return await _send(request, tone, body, length=None)

    async def _mislabelled(self, request: web.Request) -> web.StreamResponse:
        """Send sound and call it a web page."""
        tone = await self._tones.asked_for(request)
        return web.FileResponse(tone.path, headers={"Content-Type": "text/html"})

    async def _ten_hours(self, request: web.Request) -> web.StreamResponse:
        """Send a small FLAC file whose header claims ten hours."""
        tone = await self._tones.tone(440, 3, "flac")
        return web.Response(body=_claim_ten_hours(tone.data), content_type="audio/flac")

    async def _huge(self, request: web.Request) -> web.StreamResponse:
        """Announce three gigabytes, and send what the reader has patience for."""
        tone = await self._tones.tone(440, 3, "mp3")
        return await _send(request, tone, _again_and_again(tone.data), length=3 * 1024**3)

    async def _missing(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPNotFound

    async def _forbidden(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPForbidden

    async def _failing(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPServiceUnavailable

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """Be a web page that calls itself sound."""
        return web.Response(body=_PAGE.encode(), content_type="audio/mpeg")

    async def _garbage(self, request: web.Request) -> web.StreamResponse:
        """Be noise that calls itself sound."""
        noise = bytes((7 * index * index + 11) % 251 for index in range(60_000))
        return web.Response(body=noise, content_type="audio/mpeg")

    async def _never_answers(self, request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def _redirect(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(request.query["to"])

    async def _loop(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/loop")

    def _first_time(self, request: web.Request) -> bool:
        first = request.path not in self._broken_before
        self._broken_before.add(request.path)
        return first


async def _send(
    request: web.Request,
    tone: ToneFile,
    body: AsyncIterator[bytes],
    *,
    length: int | None,
    headers: dict[str, str] | None = None,
) -> web.StreamResponse:
    response = web.StreamResponse(headers={**tone.headers, **(headers or {})})
    response.content_length = length
    if length is None:
        response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        async for piece in body:
            await response.write(piece)
    except ConnectionError:  # the reader has left
        return response
    return response


async def _break_after(
    request: web.Request, tone: ToneFile, count: int, *, with_range: bool = True
) -> web.StreamResponse:
    """Answer as if all were well, and reset the connection after `count` bytes."""
    size = len(tone.data)
    start = request.http_range.start if with_range else None
    response = web.StreamResponse(headers=tone.headers)
    response.content_length = size - (start or 0)
    if start is not None:
        response.set_status(206)
        response.headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
    await response.prepare(request)
    await response.write(tone.data[start or 0 :][:count])
    await asyncio.sleep(0.05)  # a reset overtakes what the kernel has not sent yet
    _reset(request)
    return response


def _reset(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]


async def _again_and_again(data: bytes) -> AsyncIterator[bytes]:
    while True:
        yield data


async def _endless_wave(wave: bytes) -> AsyncIterator[bytes]:
    """Repeat the samples behind a header that names no length, as live encoders write it.

    They come at twice the pace at which they are heard.
    """
    samples_at = wave.index(b"data") + 8
    unknown = b"\xff" * 4
    yield wave[:4] + unknown + wave[8 : samples_at - 4] + unknown
    while True:
        for start in range(samples_at, len(wave), _WAVE_PIECE):
            yield wave[start : start + _WAVE_PIECE]
            await asyncio.sleep(_WAVE_PIECE / _WAVE_BYTES_PER_SECOND / 2)


def _claim_ten_hours(flac: bytes) -> bytes:
    """Write ten hours into the 36-bit sample count of STREAMINFO (RFC 9639, 8.2)."""
    count_at = 4 + 4 + 13  # magic, block header, then 108 bits of other facts
    rate = int.from_bytes(flac[18:21]) >> 4
    claimed = (10 * 3600 * rate).to_bytes(5)
    first = flac[count_at] & 0xF0 | claimed[0] & 0x0F
    return flac[:count_at] + bytes([first]) + claimed[1:] + flac[count_at + 5 :]
