"""What a server sends is judged by what it is, then by what it is called."""

from pathlib import Path

import pytest

from services.audio.media_type import MediaKind, media_kind
from tests.simulator.tones import CODECS, write_tone


@pytest.mark.parametrize("codec", CODECS)
def test_sound_of_each_format_is_known_even_when_called_a_page(codec: str, tmp_path: Path) -> None:
    head = write_tone(tmp_path / f"tone.{codec}", seconds=0.2).read_bytes()[:192]
    assert media_kind(head, "text/html; charset=utf-8") is MediaKind.MEDIA
    assert media_kind(head, "") is MediaKind.MEDIA


@pytest.mark.parametrize(
    ("head", "content_type", "kind"),
    [
        (b"<!doctype html><html>", "text/html", MediaKind.PAGE),
        (b"\xef\xbb\xbf\r\n <html>", "text/html; charset=utf-8", MediaKind.PAGE),
        (b"<html>", "", MediaKind.PAGE),
        (b"<html>404</html>", "audio/mpeg", MediaKind.OTHER),
        (b"#EXTM3U\n#EXT-X-VERSION:3", "audio/x-mpegurl", MediaKind.PAGE),
        (b"\xff\xfb\x90\x64\x00", "application/octet-stream", MediaKind.MEDIA),
        (b"\xff\xf1\x50\x80\x00", "application/octet-stream", MediaKind.MEDIA),
        (b"\xff\xff\xff\xff", "application/octet-stream", MediaKind.OTHER),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp", MediaKind.OTHER),
        (b"\x89PNG\r\n", "image/png", MediaKind.OTHER),
        (b"%PDF-1.7", "application/pdf", MediaKind.OTHER),
        (b"PK\x03\x04", "application/zip", MediaKind.OTHER),
        (b"?unheard of", "audio/x-unheard-of", MediaKind.MEDIA),
        (b'{"error": 1}', "application/json", MediaKind.PAGE),
        (b"", "", MediaKind.OTHER),
    ],
)
def test_body_is_judged_by_its_first_bytes_first(
    head: bytes, content_type: str, kind: MediaKind
) -> None:
    assert media_kind(head, content_type) is kind
