"""Packets are read ahead within bounds, kept as long as needed, and sought in every format."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.node.http_media import HttpMedia, MediaUnreadable
from bot.node.source import KeptPacket, Source, Wait
from bot.node.workers import reader_threads
from tests.node.media_site import Manner, MediaSite
from tests.simulator.tones import write_tone


@pytest.fixture
def readers() -> Iterator[ThreadPoolExecutor]:
    pool = reader_threads()
    yield pool
    pool.shutdown(wait=True)


def opened(link: str, readers: ThreadPoolExecutor, *, start: float = 0.0) -> Source:
    return Source.open(HttpMedia(link, timeout=2.0), readers=readers, start=start)


def drained(source: Source, begin: int = 0) -> list[KeptPacket]:
    """Take packets until the window is empty or the media has ended."""
    taken: list[KeptPacket] = []
    while isinstance(packet := source.packet(begin + len(taken)), KeptPacket):
        taken.append(packet)
    return taken


@pytest.mark.parametrize(
    ("codec", "tagged"),
    [("mp3", True), ("ogg", True), ("webm", True), ("m4a", True), ("flac", True), ("aac", False)],
)
def test_media_tells_length_and_tags(
    site: MediaSite, readers: ThreadPoolExecutor, tones: Path, codec: str, *, tagged: bool
) -> None:
    link = site.add("x", (tones / f"steps.{codec}").read_bytes())
    source = opened(link, readers)
    info = source.info
    assert (info.title, info.artist) == (("Steps", "A. Tester") if tagged else (None, None))
    assert info.length_ms == pytest.approx(6000, abs=150)
    assert info.is_seekable
    assert not info.is_stream
    source.close()


def test_name_of_the_file_says_nothing_about_its_format(
    site: MediaSite, readers: ThreadPoolExecutor, tones: Path
) -> None:
    source = opened(site.add("page.html", (tones / "steps.flac").read_bytes()), readers)
    assert source.info.codec == "flac"
    source.close()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 20_000,
        b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\x55" * 30_000,
        b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:5,\n/etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
        b"RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00",
    ],
    ids=["empty", "zeros", "junk", "hls", "concat", "dash", "broken wav"],
)
def test_no_audio_is_refused_and_no_other_file_is_opened(
    site: MediaSite, readers: ThreadPoolExecutor, data: bytes
) -> None:
    with pytest.raises(MediaUnreadable):
        opened(site.add("x", data), readers)


def test_window_of_a_ten_hour_stream_stays_small(
    site: MediaSite, readers: ThreadPoolExecutor, tones: Path
) -> None:
    manner = Manner(ranges=False, endless=True)
    source = opened(site.add("x", (tones / "steps.aac").read_bytes(), manner), readers)
    index, seconds = 0, 0.0
    while seconds < 36:
        packet = source.packet(index)
        if packet is Wait.STARVED:
            continue
        assert isinstance(packet, KeptPacket)
        index, seconds = index + 1, packet.time
        source.release(seconds)
        assert source.seconds_kept < 16
    source.close()


def test_large_files_are_bounded_in_bytes(
    site: MediaSite, readers: ThreadPoolExecutor, tmp_path: Path
) -> None:
    path = write_tone(tmp_path / "x.wav", seconds=30)
    source = opened(site.add("x", path.read_bytes()), readers)
    assert isinstance(source.packet(0), KeptPacket)
    readers.shutdown(wait=True)
    assert 1.0 < source.seconds_kept < 4.0
    source.close()


@pytest.mark.parametrize("codec", ["mp3", "ogg", "webm", "m4a", "flac", "wav", "aac"])
def test_open_in_the_middle_begins_a_little_before(
    site: MediaSite, readers: ThreadPoolExecutor, tones: Path, codec: str
) -> None:
    link = site.add("x", (tones / f"steps.{codec}").read_bytes())
    source = opened(link, readers, start=4.0)
    packet = source.packet(source.find_run_in(4.0))
    assert isinstance(packet, KeptPacket)
    assert 3.4 < packet.time <= 3.9
    source.close()


def test_media_without_ranges_and_length_is_read_up_to_the_start(
    site: MediaSite, readers: ThreadPoolExecutor, tones: Path
) -> None:
    manner = Manner(ranges=False, length=False)
    source = opened(site.add("x", (tones / "steps.webm").read_bytes(), manner), readers, start=4.0)
    assert source.find(4.0) is not None
    assert not source.info.is_seekable
    source.close()


def test_closing_ends_a_read_that_waits(
    site: MediaSite, readers: ThreadPoolExecutor, tmp_path: Path
) -> None:
    path = write_tone(tmp_path / "x.webm", seconds=20)
    source = opened(site.add("x", path.read_bytes(), Manner(stalls_at=60_000)), readers)
    while drained(source):  # the reader waits for what does not come
        if source.packet(0) is Wait.STARVED or source.seconds_kept > 2:
            break
    source.close()
    readers.shutdown(wait=True)  # would wait for ever
