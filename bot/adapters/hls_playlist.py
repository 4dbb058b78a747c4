"""HLS playlists (RFC 8216): which pieces, in which order, make up the sound.

Pure: text in, values out. Only what a finished recording needs is understood.
"""

import re
from dataclasses import dataclass
from urllib.parse import urljoin

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)')


@dataclass(frozen=True, slots=True)
class Key:
    """How a piece is encrypted with AES-128; `iv` is 16 bytes."""

    url: str
    iv: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment: an address, the bytes of it that count (None: all), and its key."""

    url: str
    part: slice | None = None
    key: Key | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A media playlist; `is_live` when it may still grow."""

    pieces: tuple[Piece, ...]
    seconds: float
    is_live: bool


class NotHls(ValueError):
    """The text is no playlist, or one of a kind that cannot be played."""


def audio_variant(text: str, base: str) -> str | None:
    """Return the playlist to take from a master playlist; None where `text` is none.

    Sound on its own is preferred, else the variant that needs the least bandwidth.
    """
    lines = _lines(text)
    variants: list[tuple[int, str]] = []
    for index, line in enumerate(lines):
        if line.startswith("#EXT-X-MEDIA:"):
            attributes = _attributes(line)
            if attributes.get("TYPE") == "AUDIO" and "URI" in attributes:
                return urljoin(base, attributes["URI"])
        if line.startswith("#EXT-X-STREAM-INF:") and index + 1 < len(lines):
            bandwidth = _attributes(line).get("BANDWIDTH", "")
            variants.append((int(bandwidth) if bandwidth.isdigit() else 0, lines[index + 1]))
    return urljoin(base, min(variants)[1]) if variants else None


def read_recording(text: str, base: str) -> Recording:
    """Read a media playlist.

    Raises:
        NotHls: it is none, or it is protected by more than AES-128.
    """
    reader = _Reader(base)
    for line in _lines(text):
        reader.take(line)
    if not reader.pieces:
        raise NotHls("no segments")
    return Recording(
        pieces=tuple(reader.pieces), seconds=reader.seconds, is_live=not reader.has_end
    )


class _Reader:
    """What the lines so far mean for the ones to come."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._number = 0
        self._range: tuple[int | None, int] | None = None
        self._ends: dict[str, int] = {}
        self._key: dict[str, str] = {}
        self.pieces: list[Piece] = []
        self.seconds = 0.0
        self.has_end = False

    def take(self, line: str) -> None:
        name, _, value = line.partition(":")
        if not line.startswith("#"):
            self._add(line, is_segment=True)
        elif name == "#EXTINF":
            self.seconds += _number(value.partition(",")[0])
        elif name == "#EXT-X-BYTERANGE":
            self._range = _range(value)
        elif name == "#EXT-X-MEDIA-SEQUENCE":
            self._number = int(_number(value))
        elif name == "#EXT-X-MAP":
            attributes = _attributes(line)
            self._range = _range(attributes["BYTERANGE"]) if "BYTERANGE" in attributes else None
            self._add(attributes.get("URI", ""), is_segment=False)
        elif name == "#EXT-X-KEY":
            self._key = _attributes(line)
            if self._key.get("METHOD") not in {"NONE", "AES-128"}:
                raise NotHls("protected")
        elif name == "#EXT-X-ENDLIST":
            self.has_end = True

    def _add(self, address: str, *, is_segment: bool) -> None:
        url = urljoin(self._base, address)
        part = None
        if self._range is not None:
            start, size = self._range
            first = self._ends.get(url, 0) if start is None else start
            part = slice(first, first + size)
            self._ends[url] = part.stop
            self._range = None
        self.pieces.append(Piece(url, part, self._key_for(self._number)))
        self._number += is_segment

    def _key_for(self, number: int) -> Key | None:
        if self._key.get("METHOD", "NONE") == "NONE":
            return None
        written = self._key.get("IV", "")
        iv = int(written, 16) if written else number  # RFC 8216, 5.2
        return Key(urljoin(self._base, self._key.get("URI", "")), iv.to_bytes(16))


def _lines(text: str) -> list[str]:
    lines = [line.strip() for line in text.removeprefix("\ufeff").splitlines() if line.strip()]
    if not lines or not lines[0].startswith("#EXTM3U"):
        raise NotHls("no playlist")
    return lines


def _attributes(line: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(line.partition(":")[2])}


def _range(value: str) -> tuple[int | None, int]:
    size, at, start = value.partition("@")
    return (int(_number(start)) if at else None), int(_number(size))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise NotHls(f"not a number: {text[:20]}") from None
