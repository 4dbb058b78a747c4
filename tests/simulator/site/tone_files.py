"""Tone files by address, `<hz>/<seconds>.<codec>`, made at the first request."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from tests.simulator.tones import CODECS, write_tone

CONTENT_TYPES = {
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "webm": "audio/webm",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
}
_MAX_SECONDS = 600


@dataclass(frozen=True, slots=True)
class ToneFile:
    """A file and what is in it."""

    path: Path
    data: bytes

    @property
    def content_type(self) -> str:
        """Return its media type."""
        return CONTENT_TYPES[self.path.suffix.removeprefix(".")]

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of an answer with it."""
        return {"Content-Type": self.content_type}


class ToneFiles:
    """Makes each tone file once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[str, asyncio.Lock] = {}

    async def tone(self, hz: float, seconds: float, codec: str) -> ToneFile:
        """Return the file of a tone, tagged with its pitch as title."""
        name = f"{hz:g}-{seconds:g}.{codec}"
        async with self._locks.setdefault(name, asyncio.Lock()):
            return await asyncio.to_thread(_made, self._folder / name, hz, seconds)

    async def asked_for(self, request: web.Request) -> ToneFile:
        """Return the file that a request names by `hz` and `name`."""
        try:
            hz = float(request.match_info["hz"])
            stem, _, codec = request.match_info["name"].rpartition(".")
            seconds = float(stem)
        except ValueError:
            raise web.HTTPNotFound from None
        if codec not in CODECS or not 0 < seconds <= _MAX_SECONDS:
            raise web.HTTPNotFound
        return await self.tone(hz, seconds, codec)


def _made(path: Path, hz: float, seconds: float) -> ToneFile:
    if not path.exists():
        tags = {"title": f"Tone of {hz:g} Hz", "artist": "The Test Tones"}
        part = path.with_suffix(".part")
        codec = path.suffix.removeprefix(".")
        write_tone(part, hz=hz, seconds=seconds, codec=codec, tags=tags)
        part.rename(path)
    return ToneFile(path, path.read_bytes())
