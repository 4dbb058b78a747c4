"""Sites, files and a prober for the resolver, as plain tables."""

import asyncio

from services.audio.errors import ExtractionReason
from services.audio.extraction import FoundList, FoundTrack, OpenedMedia
from services.audio.extraction_reasons import failure
from services.audio.ports import Probe
from services.audio.track import Source, Track
from services.errors import UserError


class ListedSites:
    """Implements `Extractor`: pages and searches that were told to it."""

    def __init__(self) -> None:
        self.pages: dict[str, FoundTrack | FoundList | UserError] = {}
        self.answers: dict[str, tuple[FoundTrack, ...]] = {}
        self.asked: list[tuple[str, int]] = []
        self.hangs = False

    async def look_up(self, url: str, *, lane: int) -> FoundTrack | FoundList:
        self.asked.append((url, lane))
        if self.hangs:
            await asyncio.Event().wait()
        page = self.pages.get(url)
        if page is None:
            raise failure(ExtractionReason.UNSUPPORTED)
        if isinstance(page, UserError):
            raise page
        return page

    async def search(self, text: str, limit: int, *, lane: int) -> tuple[FoundTrack, ...]:
        self.asked.append((text, lane))
        return self.answers.get(text, ())[:limit]


class ListedFiles:
    """Implements `MediaOpener`, `MediaSource` and `MediaProbe` over files told to it."""

    def __init__(self) -> None:
        self.files: dict[str, OpenedMedia | UserError] = {}
        self.probes: dict[str, Probe | UserError] = {}
        self.opened: list[tuple[str, Source]] = []
        self.forgotten: list[str] = []

    async def open(self, url: str, source: Source) -> OpenedMedia:
        self.opened.append((url, source))
        file = self.files.get(url)
        if file is None:
            raise failure(ExtractionReason.NOT_FOUND)
        if isinstance(file, UserError):
            raise file
        return file

    async def forget(self, url: str, source: Source) -> None:
        self.forgotten.append(url)

    async def prepare(self, track: Track) -> None:
        raise AssertionError("the resolver opens by itself")

    def link(self, track: Track) -> str:
        return f"relay:{track.url}"

    async def probe(self, link: str) -> Probe:
        found = self.probes.get(link.removeprefix("relay:"))
        if found is None:
            return Probe(title=None, artist=None, duration_ms=None)
        if isinstance(found, UserError):
            raise found
        return found
