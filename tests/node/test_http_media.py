"""Media files are read whole from servers as bad as the web has, and nothing else is opened."""

import threading

import pytest

from bot.node.http_media import HttpMedia, MediaMissing, MediaUnreadable
from tests.node.media_site import Manner, MediaSite

DATA = bytes(range(256)) * 2000


def read_all(media: HttpMedia) -> bytes:
    pieces = []
    while piece := media.read(10_000):
        pieces.append(piece)
    return b"".join(pieces)


def opened(link: str) -> HttpMedia:
    media = HttpMedia(link, timeout=2.0)
    media.connect()
    return media


@pytest.mark.parametrize(
    "manner",
    [
        Manner(),
        Manner(ranges=False),
        Manner(length=False, ranges=False),
        Manner(breaks_at=100_000, breaks=1),
        Manner(breaks_at=300_000, breaks=3),
        Manner(ranges=False, breaks_at=100_000, breaks=2),
    ],
    ids=["plain", "no range", "no length", "broken once", "broken often", "broken, no range"],
)
def test_file_is_read_whole(site: MediaSite, manner: Manner) -> None:
    media = opened(site.add("file", DATA, manner))
    assert read_all(media) == DATA
    assert media.length == len(DATA)
    assert media.failure is None
    media.close()


@pytest.mark.parametrize("ranges", [True, False])
def test_seek_reads_from_there(site: MediaSite, *, ranges: bool) -> None:
    media = opened(site.add("file", DATA, Manner(ranges=ranges)))
    assert media.seekable()
    for place in (400_000, 10, 410_000, 411_000, 0):
        assert media.seek(place) == place
        piece = media.read(100)
        assert piece == DATA[place : place + len(piece)]
        assert piece
    assert media.seek(-56, 2) == len(DATA) - 56
    assert read_all(media) == DATA[-56:]
    media.close()


def test_short_way_forward_costs_no_request(site: MediaSite) -> None:
    media = opened(site.add("file", DATA))
    media.read(10)
    media.seek(50_000)
    assert media.read(4) == DATA[50_000:50_004]
    assert len(site.requests) == 1
    media.seek(400_000)
    assert media.read(4) == DATA[400_000:400_004]
    assert site.requests[-1] == ("file", "bytes=400000-")
    media.close()


def test_stream_without_length_cannot_be_sought(site: MediaSite) -> None:
    media = opened(site.add("file", DATA, Manner(ranges=False, length=False)))
    assert not media.seekable()
    assert media.length is None
    media.close()


@pytest.mark.parametrize(
    "manner",
    [Manner(breaks_at=100_000), Manner(ranges=False, length=False, breaks_at=100_000)],
    ids=["with ranges", "stream"],
)
def test_connection_that_breaks_for_good_is_a_failure_not_the_end(
    site: MediaSite, manner: Manner
) -> None:
    media = opened(site.add("file", DATA, manner))
    if manner.ranges:
        site.files["file"].manner = Manner(status=503)
    read_all(media)
    assert media.failure is not None
    assert 0 < media.tell() < len(DATA)
    media.close()


def test_file_that_changed_meanwhile_is_not_mixed_with_the_old_one(site: MediaSite) -> None:
    media = opened(site.add("file", DATA, Manner(breaks_at=100_000, breaks=1)))
    media.read(10)
    site.add("file", DATA * 2)
    assert read_all(media) == DATA[10:100_000]
    assert "changed" in str(media.failure)
    media.close()


@pytest.mark.parametrize(
    "link",
    [
        "file:///etc/passwd",
        "ftp://host/x",
        "concat:a|b",
        "/etc/passwd",
        "http://",
        "http://[::1",
        "",
    ],
)
def test_anything_but_http_is_refused(link: str) -> None:
    with pytest.raises(MediaUnreadable, match="only http"):
        HttpMedia(link)


def test_redirect_is_followed_to_http_only(site: MediaSite) -> None:
    target = site.add("file", DATA)
    for good in (target, "/file"):
        media = opened(site.add("there", b"", Manner(redirect_to=good)))
        assert read_all(media) == DATA
        media.close()
    for bad in ("file:///etc/passwd", "gopher://x/", site.link("loop")):
        site.add("loop", b"", Manner(redirect_to=bad))
        with pytest.raises(MediaUnreadable):
            opened(site.link("loop"))


def test_refusals_say_why(site: MediaSite) -> None:
    with pytest.raises(MediaMissing, match="404"):
        opened(site.link("nothing"))
    with pytest.raises(MediaUnreadable, match="403"):
        opened(site.add("secret", b"x", Manner(status=403)))
    with pytest.raises(MediaUnreadable, match="web page"):
        opened(site.add("page", b"<html>", Manner(content_type="text/html; charset=utf-8")))
    with pytest.raises(MediaUnreadable, match="playlist"):
        opened(site.add("live", b"#EXTM3U", Manner(content_type="application/x-mpegURL")))
    with pytest.raises(MediaUnreadable, match="refuses"):
        opened("http://127.0.0.1:9/file")


def test_cancel_ends_a_read_that_waits(site: MediaSite) -> None:
    media = opened(site.add("file", DATA, Manner(stalls_at=50_000)))
    reader = threading.Thread(target=read_all, args=(media,))
    reader.start()
    while media.tell() < 50_000:
        assert reader.is_alive()
    media.cancel()
    reader.join(timeout=1.5)
    assert not reader.is_alive()
    assert "cancelled" in str(media.failure)
    media.close()
