"""Opening media by FFmpeg: what it may recognise, which stream is heard, what the file says."""

from dataclasses import dataclass
from typing import Final, Never, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.container.core import Flags
from av.stream import Discard

from bot.node.http_media import HttpMedia, MediaUnreadable

DEMUXERS: Final = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,flv,matroska,webm,mov,mp4,m4a,mp3,mpegts,ogg,"
    "tta,w64,wav,wv"
)
"""What FFmpeg may recognise; formats that name further files or addresses are left out."""

_FAST_SEEK_SECONDS: Final = 15 * 60
"""In longer files a place is computed, not searched by reading everything before it."""
_FAST_SEEK: Final = cast("int", Flags["fast_seek"].value)
_OPEN_OPTIONS: Final = {
    "format_whitelist": DEMUXERS,
    "probesize": "65536",
    "analyzeduration": "500000",
    "indexmem": "262144",
    "threads": "1",
}


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a media file says of itself; None where it does not."""

    title: str | None
    artist: str | None
    length_ms: int | None
    is_seekable: bool
    container: str
    codec: str

    @property
    def is_stream(self) -> bool:
        """Whether no end is known."""
        return self.length_ms is None


def open_container(media: HttpMedia) -> InputContainer:
    """Recognise a media that is connected; its first audio stream is the one to hear.

    Raises:
        MediaUnreadable: it is no audio.
    """
    try:
        container = av.open(
            media, "r", options=dict(_OPEN_OPTIONS), buffer_size=16384, io_open=_refuse_others
        )
    except (av.FFmpegError, MediaUnreadable, OSError) as error:
        raise media.failure or MediaUnreadable("it is no audio that can be decoded") from error
    if not container.streams.audio or container.streams.audio[0].codec_context is None:
        container.close()
        raise MediaUnreadable("it holds no sound")
    for stream in container.streams:
        if stream is not container.streams.audio[0]:
            stream.discard = Discard.all
    if container.format.name == "mp3" and (container.duration or 0) > _FAST_SEEK_SECONDS * 10**6:
        container.flags |= _FAST_SEEK
    return container


def _refuse_others(*_: object) -> Never:
    raise MediaUnreadable("it names further files, which are not opened")


def undecodable(error: Exception) -> MediaUnreadable:
    """Say in our words what FFmpeg said."""
    reason = getattr(error, "strerror", None) or type(error).__name__
    return MediaUnreadable(f"it cannot be decoded ({reason})")


def describe_media(container: InputContainer, stream: AudioStream, media: HttpMedia) -> MediaInfo:
    """Return what the file says of itself."""
    tags = {
        key.lower(): value.strip()
        for metadata in (stream.metadata, container.metadata)
        for key, value in metadata.items()
    }
    length_ms = container.duration // 1000 if container.duration else None
    return MediaInfo(
        title=tags.get("title") or None,
        artist=tags.get("artist") or tags.get("author") or tags.get("album_artist") or None,
        length_ms=length_ms,
        is_seekable=media.seekable() and length_ms is not None,
        container=container.format.name.partition(",")[0],
        codec=stream.codec_context.name,
    )
