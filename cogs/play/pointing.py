"""What members point at instead of typing it: a track of the history, something in a message."""

import re
from collections.abc import Iterable

from bot.kit import track_text
from bot.kit.clicks.click import Choice, Choices
from bot.kit.people import AttachedFile, TargetMessage
from bot.kit.typed_text import plain
from services.audio.track import Source, Track

_LINK = re.compile(r"https?://[^\s<>\[\]]+")
_AFTER_LINK = ".,;:!?'\"*_~`"
_CHOICES = 25
_NAME = 100
_VALUE = 100  # Discord, "Application Command Option Choice"
_PLAYABLE = ("audio/", "video/", "application/ogg")


def suggestions(history: Iterable[Track], typed: str) -> Choices:
    """Return each track once whose name holds all typed words, or that a typed link begins."""
    found: dict[str, Choice] = {}
    for track in history:
        again = track.source is not Source.ATTACHMENT and len(track.url) <= _VALUE
        if again and track.url not in found and _fits(track, typed.strip()):
            found[track.url] = Choice(_label(track), track.url)
        if len(found) == _CHOICES:
            break
    return tuple(found.values())


def _fits(track: Track, typed: str) -> bool:
    if typed.startswith(("http://", "https://")):
        return track.url.startswith(typed)
    said = f"{track.title} {track.artist or ''}".casefold()
    return all(word in said for word in typed.casefold().split())


def _label(track: Track) -> str:
    length = "" if track.duration_ms is None else f" ({track_text.clock_time(track.duration_ms)})"
    artist = track.artist
    name = track.title if not artist or artist in track.title else f"{track.title} · {artist}"
    return (plain(name, _NAME - len(length)) or track.url[: _NAME - len(length)]) + length


def in_message(message: TargetMessage) -> AttachedFile | str | None:
    """Return what a message offers to play: an audio file, else a link, else its words."""
    for file in message.files:
        if (file.content_type or "").startswith(_PLAYABLE):
            return file
    if (link := _first_link(message.text)) is not None:
        return link
    if message.links:
        return message.links[0]
    if (link := _first_link(message.embedded)) is not None:
        return link
    if message.files:
        return message.files[0]
    return " ".join(message.text.split()) or None


def _first_link(text: str) -> str | None:
    if (found := _LINK.search(text)) is None:
        return None
    link = found[0].rstrip(_AFTER_LINK)
    while link.endswith(")") and link.count(")") > link.count("("):
        link = link[:-1].rstrip(_AFTER_LINK)
    return link
