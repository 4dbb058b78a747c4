"""Tones handed out in pieces (HLS): transport streams, fragmented MP4, encrypted, still growing.

A path is `/hls/<kind>/<hz>/<seconds>/master.m3u8`.
"""

import asyncio
from collections import Counter
from pathlib import Path

import av
from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from tests.simulator.site.tone_files import ToneFiles

_KEY = b"sixteen tones---"
_SEGMENTS = {"ts": "mpegts", "locked": "mpegts", "growing": "mpegts", "flaky": "mpegts"}
_MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=640000,RESOLUTION=640x360
film.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=96000,CODECS="mp4a.40.2"
index.m3u8
"""


class Recordings:
    """Makes each recording once and serves its files."""

    def __init__(self, tones: ToneFiles, folder: Path) -> None:
        self._tones = tones
        self._folder = folder
        self._lock = asyncio.Lock()
        self._asked: Counter[str] = Counter()

    def routes(self) -> list[web.RouteDef]:
        """Return the one handler."""
        return [web.get("/hls/{kind}/{hz}/{seconds}/{file}", self._serve)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        kind, file = request.match_info["kind"], request.match_info["file"]
        if file == "master.m3u8":
            return web.Response(text=_MASTER, content_type="application/vnd.apple.mpegurl")
        if file == "key":
            return web.Response(body=_KEY)
        self._asked[request.path] += 1
        if kind == "flaky" and file == "s1.ts" and self._asked[request.path] == 1:
            raise web.HTTPServiceUnavailable
        hz, seconds = request.match_info["hz"], request.match_info["seconds"]
        tone = await self._tones.tone(float(hz), float(seconds), "m4a")
        folder = self._folder / f"{kind}-{hz}-{seconds}"
        async with self._lock:
            await asyncio.to_thread(_make, tone.path, folder, kind)
        return web.FileResponse(folder / file)


def _make(tone: Path, folder: Path, kind: str) -> None:
    if folder.exists():
        return
    folder.mkdir(parents=True)
    segments = _SEGMENTS.get(kind, "fmp4")
    options = {
        "hls_time": "1",
        "hls_list_size": "0",
        "hls_playlist_type": "vod",
        "hls_segment_type": segments,
        "hls_segment_filename": str(folder / ("s%d.ts" if segments == "mpegts" else "s%d.m4s")),
        "hls_fmp4_init_filename": "init.mp4",
    }
    index = folder / "index.m3u8"
    with (
        av.open(str(tone)) as source,
        av.open(str(index), "w", format="hls", options=options) as target,
    ):
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    if kind == "growing":
        index.write_text(index.read_text().replace("#EXT-X-ENDLIST", ""))
    if kind == "locked":
        _lock(index, folder)


def _lock(index: Path, folder: Path) -> None:
    """Encrypt each segment with its number as initialisation vector (RFC 8216, 5.2)."""
    marked = index.read_text().replace("#EXTINF", '#EXT-X-KEY:METHOD=AES-128,URI="key"\n#EXTINF', 1)
    index.write_text(marked)
    for path in folder.glob("s*.ts"):
        number = int(path.stem.removeprefix("s"))
        padder = PKCS7(128).padder()
        padded = padder.update(path.read_bytes()) + padder.finalize()
        cipher = Cipher(algorithms.AES(_KEY), modes.CBC(number.to_bytes(16))).encryptor()
        path.write_bytes(cipher.update(padded) + cipher.finalize())
