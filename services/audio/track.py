"""What a track is: where it came from, what it is called, how long it lasts."""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a track's sound comes from; stored by value."""

    YOUTUBE = "youtube"
    SPOTIFY = "spotify"
    SOUNDCLOUD = "soundcloud"
    BANDCAMP = "bandcamp"
    DIRECT = "direct"  # an address that answers with audio itself
    ATTACHMENT = "attachment"  # a file on a Discord message
    LIBRARY = "library"  # a file in the guild's library on this host
    SITE = "site"  # any other site that yt-dlp reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One piece of audio, as a member asked for it.

    `url` is the page or file that yields the audio again at any later time (not a stream link,
    which expires); for the library it is `library:<file name>`.
    """

    url: str
    title: str
    source: Source
    requested_by: int
    """Discord user id of the member who added it."""
    artist: str | None = None
    duration_ms: int | None = None
    """Length in milliseconds; None where the source does not tell (yet)."""
    is_live: bool = False
    artwork_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """Several tracks behind one address.

    `total` is what the site announces; it is larger than `len(tracks)` where the list was cut.
    """

    title: str
    url: str
    tracks: tuple[Track, ...]
    total: int
    refused: int = 0
    """How many were left out because they are too long, live or unavailable."""
