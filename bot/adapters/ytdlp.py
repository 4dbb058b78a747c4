"""Sites read by yt-dlp, as the services want to see them."""

import asyncio
import time
from collections import OrderedDict
from itertools import batched

from bot.adapters.upstream import StreamAddress
from bot.adapters.ytdlp_pool import JobResult, WorkerPool
from bot.adapters.ytdlp_protocol import Frame, Job
from services.audio.errors import AddressRefused
from services.audio.extraction import FoundList, FoundTrack
from services.audio.query import parse_address

_REMEMBERED_STREAMS = 500
_STREAM_SECONDS = 600
"""How long a stream link is used that does not tell when it expires."""
_EXPIRY_MARGIN = 120
_BATCH = 200
"""So many entries of a list are read before the event loop gets its turn (below 3 ms)."""
_PLAYER_LANE = 0
"""Streams for players wait among themselves, not behind one guild's wishes."""


class YtdlpSites:
    """Implements `Extractor` of the services and `StreamFinder` of the media store.

    Reading a page yields the description and the stream link at once: the link is remembered, so
    that playing what was just looked up costs nothing more.
    """

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._streams: OrderedDict[str, StreamAddress] = OrderedDict()

    async def look_up(self, url: str, *, lane: int) -> FoundTrack | FoundList:
        """Return what stands behind an address.

        Raises:
            AddressRefused: it leads to an address that may not be fetched.
            ExtractionFailed: the site does not give it.
        """
        result = await self._pool.run(Job(kind="look_up", target=url), lane=lane)
        if "track" not in result.done:
            return await _list(result, url)
        self._remember(url, result.done)
        return _track(result.done["track"], url)

    async def search(self, text: str, limit: int, *, lane: int) -> tuple[FoundTrack, ...]:
        """Return the site's first answers.

        Raises:
            ExtractionFailed: the search does not work.
        """
        job = Job(kind="search", target=text, limit=limit)
        result = await self._pool.run(job, lane=lane)
        return tuple(_track(entry) for entry in result.entries[:limit])

    async def stream(self, url: str, *, fresh: bool = False) -> StreamAddress:
        """Return where the audio behind a page can be fetched now.

        Raises:
            AddressRefused: it leads to an address that may not be fetched.
            ExtractionFailed: the site does not give it.
        """
        known = self._streams.get(url)
        if known is not None and not fresh and not _has_expired(known):
            return known
        result = await self._pool.run(Job(kind="stream", target=url), lane=_PLAYER_LANE)
        return self._remember(url, result.done)

    def _remember(self, url: str, done: Frame) -> StreamAddress:
        track, stream = done["track"], done["stream"]
        address = StreamAddress(
            url=stream["url"],
            headers=stream["headers"],
            chunk_bytes=stream["chunk_bytes"],
            is_segmented=stream["is_segmented"],
            duration_ms=track["duration_ms"],
            is_live=track["is_live"],
            expires_at=stream["expires_at"] or time.time() + _STREAM_SECONDS,
        )
        for name in {url, track["url"]}:
            self._streams[name] = address
            self._streams.move_to_end(name)
        while len(self._streams) > _REMEMBERED_STREAMS:
            self._streams.popitem(last=False)
        return address


def _has_expired(address: StreamAddress) -> bool:
    return address.expires_at is not None and time.time() > address.expires_at - _EXPIRY_MARGIN


async def _list(result: JobResult, url: str) -> FoundList:
    tracks: list[FoundTrack] = []
    for batch in batched(result.entries, _BATCH):
        tracks += map(_track, batch)
        await asyncio.sleep(0)
    return FoundList(
        url=result.done["url"] or url,
        title=result.done["title"],
        tracks=tuple(tracks),
        total=result.done["total"],
    )


def _track(entry: Frame, asked: str = "") -> FoundTrack:
    url = entry["url"] or asked
    try:
        url, available = parse_address(url).url, entry["available"]
    except AddressRefused:  # a file://, an unfinished link, a novel
        available = False
    return FoundTrack(
        url=url,
        title=entry["title"],
        artist=entry["artist"],
        duration_ms=entry["duration_ms"],
        is_live=entry["is_live"],
        artwork_url=entry["artwork_url"],
        available=available,
    )
