"""Tells audio from web pages by the first bytes, because servers' Content-Types often lie."""

from enum import Enum, auto


class MediaKind(Enum):
    """What a body is."""

    MEDIA = auto()
    PAGE = auto()  # something yt-dlp may find audio in
    OTHER = auto()


_SIGNATURES = (
    (0, b"ID3"),
    (0, b"OggS"),
    (0, b"fLaC"),
    (4, b"ftyp"),
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (0, b"FORM"),  # AIFF
    (0, b".snd"),
    (0, b"wvpk"),
    (0, b"MAC "),
    (0, b"caff"),
    (0, b"TTA1"),
    (0, b"#!AMR"),
    (0, b"FLV\x01"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # ASF, WMA
)
_RIFF_FORMS = (b"WAVE", b"AVI ")
_TRANSPORT_STREAM_SYNC = 0x47
_TRANSPORT_STREAM_PACKET = 188
_PAGE_TYPES = ("text/html", "application/xhtml+xml", "application/json", "text/xml")
_STREAM_LISTS = ("mpegurl", "dash+xml", "x-scpls", "smil")
_CONTAINERS = ("application/ogg", "application/mp4", "application/x-matroska")


def media_kind(head: bytes, content_type: str) -> MediaKind:
    """Judge a body by its first bytes and, where they say nothing, by its Content-Type."""
    content_type = content_type.partition(";")[0].strip().lower()
    if _has_signature(head):
        return MediaKind.MEDIA
    if head.startswith(b"#EXTM3U") or content_type.endswith(_STREAM_LISTS):
        return MediaKind.PAGE
    if is_markup(head):
        # a page that calls itself sound is an error page, and would fool yt-dlp as well
        lies = content_type.startswith(("audio/", "video/"))
        return MediaKind.OTHER if lies else MediaKind.PAGE
    if content_type.startswith(("audio/", "video/")) or content_type in _CONTAINERS:
        return MediaKind.MEDIA
    if _is_mpeg_frame(head):
        return MediaKind.MEDIA
    return MediaKind.PAGE if content_type in _PAGE_TYPES else MediaKind.OTHER


def is_markup(head: bytes) -> bool:
    """Tell whether a body begins like HTML or XML."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _has_signature(head: bytes) -> bool:
    if any(head.startswith(magic, offset) for offset, magic in _SIGNATURES):
        return True
    if head.startswith((b"RIFF", b"RF64")):
        return head[8:12] in _RIFF_FORMS
    return (
        len(head) > _TRANSPORT_STREAM_PACKET
        and head[0] == head[_TRANSPORT_STREAM_PACKET] == _TRANSPORT_STREAM_SYNC
    )


def _is_mpeg_frame(head: bytes) -> bool:
    """Recognise an MPEG audio or ADTS frame: eleven set bits, then no reserved value."""
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:  # noqa: PLR2004 -- ISO 11172-3
        return False
    is_adts = head[1] & 0xF6 == 0xF0  # noqa: PLR2004 -- ISO 13818-7: layer bits are zero
    version_reserved = head[1] & 0x18 == 0x08  # noqa: PLR2004 -- ISO 11172-3
    layer_reserved = head[1] & 0x06 == 0
    bitrate_bad = head[2] & 0xF0 == 0xF0  # noqa: PLR2004 -- ISO 11172-3
    return is_adts or not (version_reserved or layer_reserved or bitrate_bad)
