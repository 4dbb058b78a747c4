"""What a member typed after `!play`: an address, in its one usual spelling, or words to search.

The spelling matters beyond looks: a track's address is its identity in the queue, in the history
and in the cache, so `youtu.be/…`, Shorts, Music and embedded players of one video must be equal.
"""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from services.audio.errors import AddressRefused
from services.audio.track import Source

MAX_ADDRESS_LENGTH = 2000
"""Longest address that is taken; a Discord message without Nitro is no longer either."""

_MAX_SEARCH_LENGTH = 300

_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]*://")
_BARE_ADDRESS = re.compile(r"(?i)(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/\S+")
_SPOTIFY_URI = re.compile(r"spotify:(track|album|playlist|artist):([A-Za-z0-9]+)")
_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_VIDEO_PATHS = ("shorts", "live", "embed", "v", "e")

_HOSTS = {
    "youtube.com": Source.YOUTUBE,
    "youtube-nocookie.com": Source.YOUTUBE,
    "youtu.be": Source.YOUTUBE,
    "spotify.com": Source.SPOTIFY,
    "spotify.link": Source.SPOTIFY,
    "soundcloud.com": Source.SOUNDCLOUD,
    "bandcamp.com": Source.BANDCAMP,
    "cdn.discordapp.com": Source.ATTACHMENT,
    "media.discordapp.net": Source.ATTACHMENT,
}


@dataclass(frozen=True, slots=True)
class Address:
    """A web address; `source` is None where only opening it tells what it is."""

    url: str
    source: Source | None


@dataclass(frozen=True, slots=True)
class SearchText:
    """Words to search for."""

    text: str


def parse_query(typed: str) -> Address | SearchText:
    """Tell an address from search words, and bring the address into its usual spelling.

    Raises:
        AddressRefused: it is an address, but not one of http or https, or malformed, or too long.
    """
    text = typed.strip()
    if text.startswith("<") and text.endswith(">"):  # Discord's way to write a link unembedded
        text = text[1:-1].strip()
    if uri := _SPOTIFY_URI.fullmatch(text):
        return Address(f"https://open.spotify.com/{uri[1]}/{uri[2]}", Source.SPOTIFY)
    if _SCHEME.match(text):
        return parse_address(text)
    if _BARE_ADDRESS.fullmatch(text):
        return parse_address(f"https://{text}")
    return SearchText(" ".join(text.split())[:_MAX_SEARCH_LENGTH])


def parse_address(url: str) -> Address:
    """Check an address's form and bring it into its usual spelling.

    Raises:
        AddressRefused: it is not http or https, malformed, too long, or carries a password.
    """
    if len(url) > MAX_ADDRESS_LENGTH:
        raise AddressRefused(
            f"That address is too long; {MAX_ADDRESS_LENGTH} characters are the limit."
        )
    if any(character in " \\" or not character.isprintable() for character in url):
        raise AddressRefused("That address has a character in it that addresses cannot have.")
    parts = _split(url)
    source = source_of(url)
    if source is Source.YOUTUBE:
        return Address(_youtube(parts) or url, source)
    return Address(url, source)


def source_of(url: str) -> Source | None:
    """Return the source that an address's host belongs to; None for any other site."""
    try:
        host = (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return None
    labels = host.split(".")
    for start in range(len(labels)):
        if source := _HOSTS.get(".".join(labels[start:])):
            return source
    return None


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # reading the port checks it
    except ValueError:
        raise AddressRefused("That is not a valid web address.") from None
    if parts.scheme.lower() not in {"http", "https"}:
        raise AddressRefused("Only addresses that begin with http:// or https:// can be played.")
    if not host:
        raise AddressRefused("That address names no site.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("An address with a user name or password in it is not fetched.")
    return parts


def _youtube(parts: SplitResult) -> str | None:
    """Return the usual address of a YouTube video or playlist; None for other pages."""
    steps = [step for step in parts.path.split("/") if step]
    query = parse_qs(parts.query)
    video = query.get("v", [""])[0]
    if (parts.hostname or "").removesuffix(".").endswith("youtu.be"):
        video = steps[0] if steps else ""
    elif len(steps) > 1 and steps[0] in _VIDEO_PATHS:
        video = steps[1]
    # a video that is opened inside of a list is that one video: nobody wants 200 tracks by surprise
    if _VIDEO_ID.fullmatch(video):
        return f"https://www.youtube.com/watch?v={video}"
    if playlist := query.get("list", [""])[0]:
        return f"https://www.youtube.com/playlist?list={quote(playlist, safe='')}"
    return None
