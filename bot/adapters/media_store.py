"""The media that are being played or about to be: each is downloaded once, whoever asks.

A medium stays open for a while after its last reader has gone, so that looking into a file, putting
it into the queue and playing it share one download.
"""

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from bot.adapters.guarded_http import GuardedHttp
from bot.adapters.hls_upstream import HlsUpstream
from bot.adapters.media_links import MediaRef
from bot.adapters.spool import Spool, SpoolLimits
from bot.adapters.spool_storage import DiskSpace, SpoolStorage
from bot.adapters.upstream import RETRY_PAUSES, HttpUpstream, StreamAddress
from services.audio.extraction import OpenedMedia
from services.audio.limits import TrackLimits
from services.audio.track import Source
from services.background import BackgroundTasks
from services.clock import Clock
from services.errors import Refusal

_HEAD_BYTES = 192
"""Enough to tell every audio format that `services.audio.media_type` knows."""
_SWEEP_SECONDS = 10
_HASTY_TRIES = 2
"""So often a medium is taken up again that broke for good just before: somebody hears silence."""
_FETCHED_AS_THEY_ARE = {Source.DIRECT, Source.ATTACHMENT}


class StreamFinder(Protocol):
    """Finds the audio stream behind a page (yt-dlp)."""

    async def stream(self, url: str, *, fresh: bool = False) -> StreamAddress:
        """Return where the audio of `url` can be fetched now; `fresh`: not a remembered link.

        Raises:
            ExtractionFailed: the site does not give it.
            AddressRefused: it leads to an address that may not be fetched.
        """
        ...


@dataclass(slots=True, eq=False)
class _Entry:
    opening: asyncio.Task[Spool]
    used_at: float


class MediaStore:
    """Open media by identity; implements `MediaOpener` of the services."""

    def __init__(
        self,
        *,
        http: GuardedHttp,
        finder: StreamFinder,
        folder: Path,
        limits: TrackLimits,
        spool_limits: SpoolLimits,
        space: DiskSpace,
        clock: Clock,
        keep_seconds: float = 300,
        retry_pauses: Sequence[float] = RETRY_PAUSES,
    ) -> None:
        self._http = http
        self._finder = finder
        self._folder = folder
        self._limits = limits
        self._spool_limits = spool_limits
        self._space = space
        self._clock = clock
        self._keep_seconds = keep_seconds
        self._retry_pauses = retry_pauses
        self._entries: dict[MediaRef, _Entry] = {}
        self._broken: list[Spool] = []  # replaced, but what has arrived may still be played
        self._names = itertools.count()
        self._disk = ThreadPoolExecutor(max_workers=2, thread_name_prefix="spool")
        self._tasks = BackgroundTasks("media store")

    async def start(self) -> None:
        """Remove what a crash left behind, and begin to close what nobody uses."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._disk, _empty, self._folder)
        self._tasks.start(self._sweep_for_ever(), name="sweep")

    async def close(self) -> None:
        """Close every medium."""
        await self._tasks.close()
        await self._close(list(self._entries))
        await self._close_broken()
        self._disk.shutdown(wait=False)

    async def spool(self, media: MediaRef) -> Spool:
        """Return the medium's download, begun now or before.

        Raises:
            AddressRefused: its address may not be fetched.
            TrackRefused: it turned out too long, too large, or live.
            ExtractionFailed: it cannot be had.
        """
        entry = self._entries.get(media)
        if entry is None or _has_failed(entry.opening):
            pauses = self._retry_pauses
            if entry is not None and (broken := _spool_of(entry.opening)) is not None:
                if isinstance(broken.error, Refusal):
                    raise broken.error  # it was too large: trying again helps nobody
                self._broken.append(broken)
                pauses = pauses[:_HASTY_TRIES]
            opening = asyncio.get_running_loop().create_task(self._begin(media, pauses))
            opening.add_done_callback(_notice)  # whoever asked may have gone
            entry = _Entry(opening, self._clock.monotonic())
            self._entries[media] = entry
        entry.used_at = self._clock.monotonic()
        return await asyncio.shield(entry.opening)

    async def open(self, url: str, source: Source) -> OpenedMedia:
        """Begin to download an address and say what it is.

        Raises:
            AddressRefused: the address may not be fetched.
            TrackRefused: the file is too large.
            ExtractionFailed: it cannot be fetched.
        """
        spool = await self.spool(MediaRef(source, url))
        return OpenedMedia(
            head=await spool.first_bytes(_HEAD_BYTES),
            content_type=spool.head.content_type,
            filename=spool.head.filename,
            is_live=spool.head.is_live,
        )

    async def forget(self, url: str, source: Source) -> None:
        """Close a medium, unless somebody reads it."""
        media = MediaRef(source, url)
        entry = self._entries.get(media)
        if entry is not None and not _in_use(entry.opening):
            await self._close([media])

    async def sweep(self) -> None:
        """Close the media that nobody has used for `keep_seconds`."""
        now = self._clock.monotonic()
        for entry in self._entries.values():
            if _in_use(entry.opening):
                entry.used_at = now
        oldest = now - self._keep_seconds
        await self._close([m for m, entry in self._entries.items() if entry.used_at < oldest])
        await self._close_broken(only_unused=True)

    async def _sweep_for_ever(self) -> None:
        while True:
            await self._clock.sleep(_SWEEP_SECONDS)
            await self.sweep()

    async def _begin(self, media: MediaRef, retry_pauses: Sequence[float]) -> Spool:
        address = await self._locate(media, fresh=False)
        lasts = media.source in _FETCHED_AS_THEY_ARE
        relocate = None if lasts else partial(self._locate, media, fresh=True)
        storage = SpoolStorage(
            self._folder / f"{next(self._names)}.part", space=self._space, executor=self._disk
        )
        kind = HlsUpstream if address.is_segmented else HttpUpstream
        upstream = kind(self._http, address, locate=relocate, retry_pauses=retry_pauses)
        spool = Spool(upstream, storage, self._spool_limits)
        try:
            await spool.open()
            if address.is_segmented:  # a site may not know itself that its playlist still grows
                self._limits.check(duration_ms=None, is_live=spool.head.is_live)
        except BaseException:
            await spool.close()
            raise
        return spool

    async def _locate(self, media: MediaRef, *, fresh: bool) -> StreamAddress:
        if media.source in _FETCHED_AS_THEY_ARE:
            return StreamAddress(url=media.url)
        address = await self._finder.stream(media.url, fresh=fresh)
        self._limits.check(duration_ms=address.duration_ms, is_live=address.is_live)
        return address

    async def _close(self, media: Iterable[MediaRef]) -> None:
        for one in media:
            entry = self._entries.pop(one)
            entry.opening.cancel()
            results = await asyncio.gather(entry.opening, return_exceptions=True)
            for spool in results:
                if isinstance(spool, Spool):
                    await spool.close()

    async def _close_broken(self, *, only_unused: bool = False) -> None:
        for spool in tuple(self._broken):
            if not (only_unused and spool.in_use):
                self._broken.remove(spool)
                await spool.close()


def _notice(opening: asyncio.Task[Spool]) -> None:
    if not opening.cancelled():
        opening.exception()


def _has_failed(opening: asyncio.Task[Spool]) -> bool:
    if not opening.done():
        return False
    spool = _spool_of(opening)
    return spool is None or spool.error is not None


def _spool_of(opening: asyncio.Task[Spool]) -> Spool | None:
    """Return the download of a finished opening; None where it could not be opened."""
    return None if opening.cancelled() or opening.exception() is not None else opening.result()


def _in_use(opening: asyncio.Task[Spool]) -> bool:
    if not opening.done():
        return True
    return not _has_failed(opening) and opening.result().in_use


def _empty(folder: Path) -> None:
    for left_over in folder.glob("*.part"):
        left_over.unlink(missing_ok=True)
