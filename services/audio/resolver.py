"""From what a member gave (an address, words, a file on a message) to tracks.

An address of a site that is known to need yt-dlp goes there at once. Any other address is opened
first: where it answers with audio itself, the very same download later serves the length check and
the player, so a direct link costs one round trip and no extraction. Where it answers with a page,
yt-dlp gets it.
"""

import asyncio
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from services.audio.errors import (
    ExtractionFailed,
    ExtractionReason,
    NodeUnavailable,
    TrackRefused,
    TrackUnplayable,
)
from services.audio.extraction import (
    Catalogue,
    Extractor,
    FoundList,
    FoundTrack,
    MediaOpener,
)
from services.audio.extraction_reasons import failure
from services.audio.limits import TrackLimits
from services.audio.media_type import MediaKind, media_kind
from services.audio.ports import MediaProbe, MediaSource, Probe
from services.audio.query import Address, parse_address, source_of
from services.audio.track import Playlist, Source, Track
from services.errors import NothingFound, Refusal

_MAX_TITLE_LENGTH = 200
_NEVER_AUDIO = ("image/", "text/", "application/pdf", "application/zip", "application/json")
_BATCH = 200
_NO_PROBE = Probe(title=None, artist=None, duration_ms=None)
_PAGE_MAY_HELP = {ExtractionReason.LOGIN_REQUIRED, ExtractionReason.UNREACHABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file on a Discord message."""

    url: str
    filename: str
    content_type: str | None
    size_bytes: int


class TrackResolver:
    """Finds tracks; each request ends within `timeout_seconds`."""

    def __init__(
        self,
        *,
        extractor: Extractor,
        opener: MediaOpener,
        media: MediaSource,
        probe: MediaProbe,
        limits: TrackLimits,
        catalogue: Catalogue | None = None,
        timeout_seconds: float = 20,
    ) -> None:
        self._extractor = extractor
        self._opener = opener
        self._media = media
        self._probe = probe
        self._limits = limits
        self._catalogue = catalogue
        self._timeout = timeout_seconds

    async def resolve(
        self, address: Address, *, requested_by: int, guild_id: int
    ) -> Track | Playlist:
        """Return the track or the list behind an address.

        Raises:
            AddressRefused: it leads to an address that may not be fetched.
            TrackRefused: it is too long, too large, or live.
            ExtractionFailed: the site does not give it; `reason` says why.
            TrackUnplayable: it is a file, but no audio that can be decoded.
            Refusal: Spotify links are not set up, or nothing in the list can be played.
            NothingFound: the list is empty.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._resolve(address, requested_by, guild_id)
        except TimeoutError:
            raise failure(ExtractionReason.TIMED_OUT) from None

    async def resolve_attachment(self, attachment: Attachment, *, requested_by: int) -> Track:
        """Return the track of a file on a message.

        Raises:
            AddressRefused: it leads to an address that may not be fetched.
            TrackRefused: it is too long or too large.
            ExtractionFailed: it is no audio, or cannot be fetched.
            TrackUnplayable: it looks like audio, but cannot be decoded.
        """
        content_type = (attachment.content_type or "").partition(";")[0].strip().lower()
        if not attachment.size_bytes or content_type.startswith(_NEVER_AUDIO):
            raise failure(ExtractionReason.NOT_AUDIO)
        address = parse_address(attachment.url)
        try:
            async with asyncio.timeout(self._timeout):
                track = await self._open(address.url, Source.ATTACHMENT, requested_by)
        except TimeoutError:
            raise failure(ExtractionReason.TIMED_OUT) from None
        if track is None:
            raise failure(ExtractionReason.NOT_AUDIO)
        if track.title == _title_from(track.url):  # it has no tags: Discord knows a better name
            return replace(track, title=_stem(attachment.filename) or track.title)
        return track

    async def search(
        self, text: str, *, requested_by: int, guild_id: int, limit: int = 5
    ) -> tuple[Track, ...]:
        """Return up to `limit` tracks that can be played, in the site's order.

        Raises:
            NothingFound: no track for these words.
            ExtractionFailed: the search does not work; `reason` says why.
        """
        try:
            async with asyncio.timeout(self._timeout):
                # twice as many, because the too long and the live ones are left out
                found = await self._extractor.search(text, limit * 2, lane=guild_id)
        except TimeoutError:
            raise failure(ExtractionReason.TIMED_OUT) from None
        tracks = [_track(one, requested_by) for one in found if self._can_play(one)]
        if not tracks:
            raise NothingFound("I found nothing for these words. Try others, or a link.")
        return tuple(tracks[:limit])

    async def _resolve(self, address: Address, requested_by: int, lane: int) -> Track | Playlist:
        if address.source is Source.SPOTIFY:
            found = await self._describe(address.url)
            return await self._accept(found, requested_by, address.source)
        if address.source is Source.ATTACHMENT:
            track = await self._open(address.url, Source.ATTACHMENT, requested_by)
            if track is None:
                raise failure(ExtractionReason.NOT_AUDIO)
            return track
        if address.source is not None:
            return await self._extract(address.url, requested_by, lane)
        return await self._open_or_extract(address.url, requested_by, lane)

    async def _open_or_extract(self, url: str, requested_by: int, lane: int) -> Track | Playlist:
        try:
            track = await self._open(url, Source.DIRECT, requested_by)
        except ExtractionFailed as refused:
            # some sites turn plain requests away, but answer their own extractor
            if refused.reason not in _PAGE_MAY_HELP:
                raise
            try:
                return await self._extract(url, requested_by, lane)
            except ExtractionFailed:
                raise refused from None
        return track or await self._extract(url, requested_by, lane)

    async def _open(self, url: str, source: Source, requested_by: int) -> Track | None:
        """Return the track that an address answers with itself; None where it is a page."""
        opened = await self._opener.open(url, source)
        kind = media_kind(opened.head, opened.content_type)
        try:
            if kind is MediaKind.PAGE:
                await self._opener.forget(url, source)
                return None
            if kind is MediaKind.OTHER:
                raise failure(ExtractionReason.NOT_AUDIO)
            track = Track(
                url=url,
                title=_stem(opened.filename or "") or _title_from(url),
                source=source,
                requested_by=requested_by,
                is_live=opened.is_live,
            )
            self._limits.check(duration_ms=None, is_live=track.is_live)
            return await self._probed_or_reason(track)
        except (ExtractionFailed, TrackRefused, TrackUnplayable):
            await self._opener.forget(url, source)
            raise

    async def _probed_or_reason(self, track: Track) -> Track:
        try:
            return await self._probed(track)
        except TrackUnplayable:
            # where the download itself has failed meanwhile, it says more than the probe can
            await self._opener.open(track.url, track.source)
            raise

    async def _probed(self, track: Track) -> Track:
        try:
            probe = await self._probe.probe(self._media.link(track))
        except NodeUnavailable:  # it may be back when the track's turn comes
            probe = _NO_PROBE
        self._limits.check(duration_ms=probe.duration_ms, is_live=False)
        return replace(
            track,
            title=_clean(probe.title) or track.title,
            artist=_clean(probe.artist) or None,
            duration_ms=probe.duration_ms,
        )

    async def _extract(self, url: str, requested_by: int, lane: int) -> Track | Playlist:
        return await self._accept(await self._extractor.look_up(url, lane=lane), requested_by)

    async def _describe(self, url: str) -> FoundTrack | FoundList:
        if self._catalogue is None:
            raise Refusal(
                "Spotify links are not set up on this bot. Search for the title instead; its host "
                "can set SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET."
            )
        return await self._catalogue.describe(url)

    async def _accept(
        self, found: FoundTrack | FoundList, requested_by: int, source: Source | None = None
    ) -> Track | Playlist:
        if isinstance(found, FoundTrack):
            self._limits.check(duration_ms=found.duration_ms, is_live=found.is_live)
            return _track(found, requested_by, source)
        if not found.tracks:
            raise NothingFound("That list is empty.")
        playable: list[Track] = []
        for start in range(0, len(found.tracks), _BATCH):
            batch = found.tracks[start : start + _BATCH]
            playable += [_track(one, requested_by, source) for one in batch if self._can_play(one)]
            await asyncio.sleep(0)  # ten thousand at once would hold up everybody's clicks
        if not playable:
            raise Refusal(
                "Nothing in that list can be played: all of it is too long, live or gone."
            )
        return Playlist(
            title=_clean(found.title) or "Untitled list",
            url=found.url,
            tracks=tuple(playable),
            total=max(found.total, len(found.tracks)),
            refused=len(found.tracks) - len(playable),
        )

    def _can_play(self, found: FoundTrack) -> bool:
        return found.available and self._limits.allows(
            duration_ms=found.duration_ms, is_live=found.is_live
        )


def _track(found: FoundTrack, requested_by: int, source: Source | None = None) -> Track:
    source = source or source_of(found.url) or Source.SITE
    return Track(
        url=found.url,
        title=_clean(found.title) or _title_without_words(found.url, source),
        source=source,
        requested_by=requested_by,
        artist=_clean(found.artist) or None,
        duration_ms=found.duration_ms,
        is_live=found.is_live,
        artwork_url=found.artwork_url,
    )


def _clean(text: str | None) -> str:
    """Return a title in one line and without control characters."""
    if not text:
        return ""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())[:_MAX_TITLE_LENGTH]


def _title_without_words(url: str, source: Source) -> str:
    # the path of a YouTube page says nothing about the video
    return "Untitled" if source is Source.YOUTUBE else _title_from(url)


def _title_from(url: str) -> str:
    parts = urlsplit(url)
    return _stem(unquote(PurePosixPath(parts.path).name)) or parts.hostname or "Untitled"


def _stem(filename: str) -> str:
    name = PurePosixPath(filename.replace("\\", "/"))
    return _clean(name.stem.replace("_", " "))
