"""The `encoded` string of a track: Lavaplayer's binary format, so every Lavalink reads ours.

```
int      flags << 30 | size      flag 1: a version byte follows
byte     version                 3
utf      title, author
long     length in ms
utf      identifier
bool     is stream
[utf]    uri, artwork url, isrc  a bool says whether it is there (uri from version 2 on)
utf      source name
...      what the source adds; for "http" the container's name as utf
long     position in ms          the last 8 bytes
```
`utf` is Java's modified UTF-8 behind a length of two bytes. Identifiers are links, and links to
the relay are credentials: nothing of this goes into logs.
"""

import base64
import binascii
import struct
from dataclasses import dataclass, replace
from typing import Final

UNKNOWN_LENGTH: Final = 2**63 - 1
"""The length of a stream, in ms, as Lavalink says it."""
SOURCE_NAME: Final = "http"
_VERSIONED: Final = 1
_VERSION: Final = 3
_URI_SINCE: Final = 2
_ARTWORK_SINCE: Final = 3
_LONGEST_TEXT: Final = 65_535


class TrackUnreadable(Exception):
    """The string is no encoded track."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackInfo:
    """What Lavalink tells of a track (REST API, "Track Info"); times in ms."""

    identifier: str
    title: str
    author: str
    length: int
    is_stream: bool
    is_seekable: bool
    uri: str | None = None
    artwork_url: str | None = None
    isrc: str | None = None
    source_name: str = SOURCE_NAME
    container: str = ""
    position: int = 0


def encode_track(track: TrackInfo) -> str:
    """Return the track as Lavalink's base64 string."""
    body = bytes([_VERSION])
    body += _text(track.title) + _text(track.author) + struct.pack(">q", track.length)
    body += _text(track.identifier) + struct.pack(">?", track.is_stream)
    for optional in (track.uri, track.artwork_url, track.isrc):
        body += b"\0" if optional is None else b"\1" + _text(optional)
    body += _text(track.source_name)
    if track.source_name == SOURCE_NAME:
        body += _text(track.container)
    body += struct.pack(">q", track.position)
    head = struct.pack(">I", _VERSIONED << 30 | len(body))
    return base64.b64encode(head + body).decode()


def decode_track(encoded: str) -> TrackInfo:
    """Read a track that this or another Lavalink made.

    Raises:
        TrackUnreadable: it is none.
    """
    try:
        return _decode(base64.b64decode(encoded, validate=True))
    except (binascii.Error, struct.error, UnicodeError, IndexError, ValueError) as error:
        raise TrackUnreadable("the encoded track cannot be read") from error


def _decode(data: bytes) -> TrackInfo:
    head = struct.unpack_from(">I", data)[0]
    size, flags = head & 0x3FFFFFFF, head >> 30
    if size > len(data) - 4:
        raise ValueError("it is cut off")
    reader = _Reader(data[4 : 4 + size])
    version = reader.byte() if flags & _VERSIONED else 1
    title, author, length = reader.text(), reader.text(), reader.long()
    identifier, is_stream = reader.text(), reader.boolean()
    uri = reader.optional() if version >= _URI_SINCE else None
    artwork_url = reader.optional() if version >= _ARTWORK_SINCE else None
    isrc = reader.optional() if version >= _ARTWORK_SINCE else None
    source_name = reader.text()
    track = TrackInfo(
        identifier=identifier,
        title=title,
        author=author,
        length=length,
        is_stream=is_stream,
        is_seekable=not is_stream,
        uri=uri,
        artwork_url=artwork_url,
        isrc=isrc,
        source_name=source_name,
        position=reader.last_long(),
    )
    if source_name == SOURCE_NAME:
        track = replace(track, container=reader.text())
    return track


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise ValueError("it is cut off")
        self._at += count
        return taken

    def byte(self) -> int:
        return self._take(1)[0]

    def boolean(self) -> bool:
        return self.byte() != 0

    def long(self) -> int:
        value: int = struct.unpack(">q", self._take(8))[0]
        return value

    def last_long(self) -> int:
        value: int = struct.unpack(">q", self._data[-8:])[0]
        return value

    def text(self) -> str:
        size: int = struct.unpack(">H", self._take(2))[0]
        raw = self._take(size).replace(b"\xc0\x80", b"\0")
        # characters beyond the basic plane come as two surrogates of three bytes each
        halves = raw.decode("utf-8", "surrogatepass")
        return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le")

    def optional(self) -> str | None:
        return self.text() if self.boolean() else None


def _text(text: str) -> bytes:
    units = text.encode("utf-16-le", "surrogatepass")
    halves = "".join(map(chr, struct.unpack(f"<{len(units) // 2}H", units)))
    raw = halves.encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")
    if len(raw) > _LONGEST_TEXT:
        raw = raw[:_LONGEST_TEXT].decode("utf-8", "ignore").encode()
    return struct.pack(">H", len(raw)) + raw
