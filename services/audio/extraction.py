"""What the resolver needs of the outside: extraction, opening an address, a catalogue."""

from dataclasses import dataclass
from typing import Protocol

from services.audio.track import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTrack:
    """One piece of audio as a site describes it."""

    url: str
    title: str
    artist: str | None = None
    duration_ms: int | None = None
    is_live: bool = False
    artwork_url: str | None = None
    available: bool = True
    """False for list entries that the site itself calls private or deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundList:
    """A list as a site describes it.

    `total` is what the site announces, else what was read, and at least one more than that where
    the list was cut.
    """

    url: str
    title: str
    tracks: tuple[FoundTrack, ...]
    total: int


class Extractor(Protocol):
    """Reads sites (yt-dlp). `lane` is whose turn a request takes: the guild's id.

    Every method may raise `ExtractionFailed`, `AddressRefused`.
    """

    async def look_up(self, url: str, *, lane: int) -> FoundTrack | FoundList:
        """Return what stands behind an address; lists are not followed into lists."""
        ...

    async def search(self, text: str, limit: int, *, lane: int) -> tuple[FoundTrack, ...]:
        """Return the site's first `limit` answers."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedMedia:
    """What an address answered; the adapter keeps it open for the player."""

    head: bytes
    """The first bytes, at least 16 where there are as many."""
    content_type: str
    """Lower case, without parameters; empty where the server says nothing."""
    filename: str | None
    """As the server calls it (Content-Disposition), else None."""
    is_live: bool
    """The server says that it never ends (an internet radio)."""


class MediaOpener(Protocol):
    """Opens addresses that may answer with audio themselves."""

    async def open(self, url: str, source: Source) -> OpenedMedia:
        """Start to read `url`; the same download serves the probe and the player later.

        Raises:
            AddressRefused: it leads to an address that may not be fetched.
            TrackRefused: the file is larger than this bot downloads.
            ExtractionFailed: it cannot be fetched.
        """
        ...

    async def forget(self, url: str, source: Source) -> None:
        """Stop reading what `open` began."""
        ...


class Catalogue(Protocol):
    """A shop window that describes music but hands out none (Spotify)."""

    async def describe(self, url: str) -> FoundTrack | FoundList:
        """Return titles, artists and lengths behind a link.

        Raises:
            ExtractionFailed: it does not exist, or the catalogue does not answer.
        """
        ...
