"""Sites and files of which the test is the owner: what can be found, opened and measured."""

import asyncio

from services.audio.errors import ExtractionReason
from services.audio.extraction import FoundList, FoundTrack, OpenedMedia
from services.audio.extraction_reasons import failure
from services.audio.ports import Probe
from services.audio.track import Source
from services.errors import UserError


class FakeSite:
    """An extractor, an opener and a probe over the same few addresses."""

    def __init__(self) -> None:
        self.pages: dict[str, FoundTrack | FoundList] = {}
        """Addresses that yt-dlp reads."""
        self.files: dict[str, Probe] = {}
        """Addresses that answer with audio."""
        self.results: tuple[FoundTrack, ...] = ()
        """What every search finds."""
        self.failing: UserError | None = None
        self.held: asyncio.Event | None = None
        """Everything waits for it while it is set."""
        self.under_way = 0
        """Requests that were not answered yet."""

    async def look_up(self, url: str, *, lane: int) -> FoundTrack | FoundList:
        await self._way()
        if url not in self.pages:
            raise failure(ExtractionReason.NOT_FOUND)
        return self.pages[url]

    async def search(self, text: str, limit: int, *, lane: int) -> tuple[FoundTrack, ...]:
        await self._way()
        return self.results[:limit]

    async def open(self, url: str, source: Source) -> OpenedMedia:
        await self._way()
        if url not in self.files:
            raise failure(ExtractionReason.NOT_FOUND)
        return OpenedMedia(head=b"OggS", content_type="audio/ogg", filename=None, is_live=False)

    async def forget(self, url: str, source: Source) -> None:
        return

    async def probe(self, link: str) -> Probe:
        return self.files[link]

    async def _way(self) -> None:
        self.under_way += 1
        try:
            await asyncio.sleep(0)
            if self.held is not None:
                await self.held.wait()
        finally:
            self.under_way -= 1
        if self.failing is not None:
            raise self.failing
