"""A node reads any sound from the relay: whole, in parts, early, by many, and through failures."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.adapters.upstream import StreamAddress
from services.audio.errors import (
    AddressRefused,
    ExtractionFailed,
    ExtractionReason,
    TrackRefused,
)
from services.audio.track import Source
from tests.adapters.relay_rig import MEBIBYTE, Rig, RigOptions, running_rig, track
from tests.simulator.tones import CODECS

MP3 = "440/3.mp3"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with running_rig(tmp_path) as running:
        yield running


@pytest.mark.parametrize("codec", CODECS)
async def test_relay_for_each_format_sends_the_file_as_it_is(rig: Rig, codec: str) -> None:
    path = f"/tone/440/1.{codec}"
    answer = await rig.get(rig.direct(path))
    assert answer.status == 200
    assert answer.body == await rig.original(path)
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Type"].startswith(("audio/", "video/"))


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-", 0, None),
        ("bytes=1000-", 1000, None),
        ("bytes=1000-1999", 1000, 2000),
        ("bytes=-500", -500, None),
        ("bytes=1000-99999999", 1000, None),
    ],
)
async def test_relay_with_a_range_sends_that_part(
    rig: Rig, wanted: str, start: int, stop: int | None
) -> None:
    whole = await rig.original(f"/tone/{MP3}")
    answer = await rig.get(rig.direct(f"/tone/{MP3}"), Range=wanted)
    assert answer.status == 206
    assert answer.body == whole[start:stop]
    first = start % len(whole)
    last = first + len(answer.body) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"


@pytest.mark.parametrize("wanted", ["bytes=99999999-", "bytes=9-3", "lines=1-2"])
async def test_relay_with_a_range_outside_says_416(rig: Rig, wanted: str) -> None:
    whole = await rig.original(f"/tone/{MP3}")
    answer = await rig.get(rig.direct(f"/tone/{MP3}"), Range=wanted)
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(whole)}"


async def test_relay_asked_by_head_tells_size_and_type_only(rig: Rig) -> None:
    whole = await rig.original(f"/tone/{MP3}")
    answer = await rig.get(rig.direct(f"/tone/{MP3}"), method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(whole))
    assert answer.headers["Content-Type"] == "audio/mpeg"


async def test_many_readers_of_one_medium_share_one_download(rig: Rig) -> None:
    whole = await rig.original(f"/tone/{MP3}")
    before = rig.site.requests[f"/tone/{MP3}"]
    played = rig.direct(f"/tone/{MP3}")
    await rig.relay.prepare(played)
    wanted = ["bytes=0-", "bytes=20000-", "bytes=-128"] * 10
    answers = await asyncio.gather(*(rig.get(played, Range=part) for part in wanted))
    assert [a.body for a in answers] == [whole, whole[20000:], whole[-128:]] * 10
    assert rig.site.requests[f"/tone/{MP3}"] - before == 1


async def test_relay_sends_what_has_arrived_while_the_rest_is_on_its_way(rig: Rig) -> None:
    whole = await rig.original(f"/tone/{MP3}")
    half = len(whole) // 2
    async with rig.node.get(rig.relay.link(rig.direct(f"/gated/{MP3}"))) as answer:
        assert await answer.content.readexactly(half) == whole[:half]
        rig.site.misbehaviour.gate.set()
        assert await answer.read() == whole[half:]


async def test_seek_ahead_of_the_download_does_not_wait_for_it(tmp_path: Path) -> None:
    async with running_rig(tmp_path, RigOptions(read_ahead=64 * 1024)) as rig:
        path = "/tone/440/30.wav"  # 5 MB, of which next to nothing is fetched ahead
        played = rig.direct(path)
        await rig.relay.prepare(played)
        whole = await rig.original(path)
        tail = await rig.get(played, Range=f"bytes={len(whole) - 1000}-")
        assert tail.body == whole[-1000:]
        assert rig.site.requests[path] == 3  # ours, the beginning, the tail
        assert (await rig.get(played)).body == whole


async def test_medium_without_length_ends_with_the_connection(rig: Rig) -> None:
    whole = await rig.original(f"/tone/{MP3}")
    link = rig.relay.link(rig.direct(f"/gated-chunked/{MP3}"))
    async with rig.node.get(link, headers={"Range": "bytes=0-"}) as answer:
        assert answer.status == 200
        assert answer.headers["Connection"] == "close"
        unwanted = {"Content-Length", "Transfer-Encoding", "Accept-Ranges"}
        assert unwanted.isdisjoint(answer.headers)
        rig.site.misbehaviour.gate.set()
        assert await answer.read() == whole


async def test_medium_without_length_can_be_sought_once_it_is_complete(rig: Rig) -> None:
    whole = await rig.original(f"/tone/{MP3}")
    played = rig.direct(f"/chunked/{MP3}")
    await rig.get(played)
    answer = await rig.get(played, Range="bytes=5000-")
    assert (answer.status, answer.body) == (206, whole[5000:])


async def test_medium_without_ranges_is_sent_whole_and_in_parts(rig: Rig) -> None:
    whole = await rig.original(f"/tone/{MP3}")
    played = rig.direct(f"/norange/{MP3}")
    assert (await rig.get(played, Range="bytes=30000-")).body == whole[30000:]
    assert (await rig.get(played)).body == whole
    assert rig.site.requests[f"/norange/{MP3}"] == 1


@pytest.mark.parametrize("prefix", ["breaks-once", "norange-breaks-once"])
@pytest.mark.parametrize("tone", [MP3, "440/10.wav"])
async def test_download_that_breaks_in_the_middle_goes_on_unnoticed(
    rig: Rig, prefix: str, tone: str
) -> None:
    answer = await rig.get(rig.direct(f"/{prefix}/{tone}"))
    assert answer.body == await rig.original(f"/tone/{tone}")
    assert rig.site.requests[f"/{prefix}/{tone}"] == 2


async def test_download_that_stalls_is_taken_up_again(tmp_path: Path) -> None:
    async with running_rig(tmp_path, RigOptions(idle_timeout=0.3)) as rig:
        answer = await rig.get(rig.direct(f"/stalls-once/{MP3}"))
        assert answer.body == await rig.original(f"/tone/{MP3}")


async def test_download_that_stays_broken_cuts_the_node_off_instead_of_ending(rig: Rig) -> None:
    with pytest.raises(aiohttp.ClientError):
        await rig.get(rig.direct(f"/broken/{MP3}"))


async def test_medium_that_stays_broken_is_given_up_sooner_the_next_time_and_leaves_no_file(
    rig: Rig, tmp_path: Path
) -> None:
    path, asked = f"/broken/{MP3}", []
    for _ in range(2):
        before = rig.site.requests[path]
        with pytest.raises(aiohttp.ClientError):
            await rig.get(rig.direct(path))
        asked.append(rig.site.requests[path] - before)
    assert 1 < asked[1] < asked[0]
    await _swept(rig, tmp_path)


async def test_expired_link_is_found_anew_in_the_middle(rig: Rig) -> None:
    page, stream = "https://video.example/watch/1", f"/expiring/{MP3}"
    rig.streams.offer(
        page,
        StreamAddress(url=rig.site.url(f"{stream}?key=0")),
        StreamAddress(url=rig.site.url(f"{stream}?key=1")),
    )
    answer = await rig.get(track(page, Source.YOUTUBE))
    assert answer.body == await rig.original(f"/tone/{MP3}")
    assert rig.streams.asked == [(page, False), (page, True)]


async def test_link_that_expired_before_the_first_byte_is_found_anew(rig: Rig) -> None:
    page = "https://video.example/watch/2"
    rig.streams.offer(
        page,
        StreamAddress(url=rig.site.url("/forbidden/x.mp3")),
        StreamAddress(url=rig.site.url(f"/tone/{MP3}")),
    )
    answer = await rig.get(track(page, Source.YOUTUBE))
    assert answer.body == await rig.original(f"/tone/{MP3}")


async def test_ranges_that_a_site_wants_small_are_joined(rig: Rig) -> None:
    page = "https://video.example/watch/3"
    address = StreamAddress(url=rig.site.url(f"/tone/{MP3}"), chunk_bytes=10_000)
    rig.streams.offer(page, address)
    whole = await rig.original(f"/tone/{MP3}")
    assert (await rig.get(track(page, Source.YOUTUBE))).body == whole
    assert rig.site.requests[f"/tone/{MP3}"] == 1 + -(-len(whole) // 10_000)


async def test_link_after_a_restart_still_plays(tmp_path: Path) -> None:
    async with running_rig(tmp_path) as first:
        link, port = first.relay.link(track("https://video.example/4")), first.relay.port
    async with running_rig(tmp_path) as second:
        assert second.relay.port == port
        assert second.relay.link(track("https://video.example/4")) == link


async def test_node_that_plays_through_a_restart_goes_on_reading(tmp_path: Path) -> None:
    page = "https://video.example/watch/6"
    async with running_rig(tmp_path) as before:
        before.streams.offer(page, StreamAddress(url=before.site.url(f"/tone/{MP3}")))
        link = before.relay.link(track(page, Source.YOUTUBE))
        async with before.node.get(link, headers={"Range": "bytes=0-9999"}) as answer:
            beginning = await answer.read()
    async with running_rig(tmp_path) as after:
        after.streams.offer(page, StreamAddress(url=after.site.url(f"/tone/{MP3}")))
        async with after.node.get(link, headers={"Range": "bytes=10000-"}) as answer:
            assert answer.status == 206
            assert beginning + await answer.read() == await after.original(f"/tone/{MP3}")


async def test_relay_with_its_last_port_taken_uses_another(tmp_path: Path) -> None:
    async with running_rig(tmp_path) as first, running_rig(tmp_path) as second:
        assert second.relay.port != first.relay.port
        played = second.direct(f"/tone/{MP3}")
        assert (await second.get(played)).status == 200


async def test_link_that_nobody_signed_is_refused(rig: Rig) -> None:
    link = rig.relay.link(rig.direct(f"/tone/{MP3}"))
    async with rig.node.get(link[:-6] + "AAAAAA") as answer:
        assert answer.status == 403
    assert rig.site.requests[f"/tone/{MP3}"] == 0


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/missing/x.mp3", 404, ExtractionReason.NOT_FOUND),
        ("/forbidden/x.mp3", 502, ExtractionReason.LOGIN_REQUIRED),
        ("/failing/x.mp3", 502, ExtractionReason.UNREACHABLE),
        ("/loop", 502, ExtractionReason.UNREACHABLE),
    ],
)
async def test_address_that_gives_nothing_fails_with_its_reason(
    rig: Rig, path: str, status: int, reason: ExtractionReason
) -> None:
    played = rig.direct(path)
    with pytest.raises(ExtractionFailed) as failed:
        await rig.relay.prepare(played)
    assert failed.value.reason is reason
    assert (await rig.get(played)).status == status


@pytest.mark.parametrize("path", ["/page/x.mp3"])
async def test_page_instead_of_audio_is_refused_before_it_plays(rig: Rig, path: str) -> None:
    with pytest.raises(ExtractionFailed) as failed:
        await rig.relay.prepare(rig.direct(path))
    assert failed.value.reason is ExtractionReason.NOT_AUDIO


async def test_failed_medium_is_tried_again_by_the_next_request(rig: Rig) -> None:
    page = "https://video.example/watch/5"
    with pytest.raises(ExtractionFailed):
        await rig.relay.prepare(track(page, Source.YOUTUBE))
    rig.streams.offer(page, StreamAddress(url=rig.site.url(f"/tone/{MP3}")))
    await rig.relay.prepare(track(page, Source.YOUTUBE))


async def test_file_over_the_size_limit_is_refused(tmp_path: Path) -> None:
    async with running_rig(tmp_path, RigOptions(max_bytes=MEBIBYTE)) as rig:
        with pytest.raises(TrackRefused, match="larger than the 1 MB"):
            await rig.relay.prepare(rig.direct("/huge/x.mp3"))


async def test_endless_stream_is_cut_at_the_size_limit(tmp_path: Path) -> None:
    async with running_rig(tmp_path, RigOptions(max_bytes=MEBIBYTE)) as rig:
        path = urlsplit(rig.relay.link(rig.direct(f"/forever/{MP3}"))).path
        # a plain socket: a reset must reach the node as an error, not as an end
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.relay.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: relay\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_stream_known_to_be_live_or_too_long_is_refused(rig: Rig) -> None:
    stream = rig.site.url(f"/tone/{MP3}")
    live, long = "https://video.example/live", "https://video.example/long"
    rig.streams.offer(live, StreamAddress(url=stream, is_live=True))
    rig.streams.offer(long, StreamAddress(url=stream, duration_ms=61 * 60_000))
    with pytest.raises(TrackRefused, match="livestream"):
        await rig.relay.prepare(track(live, Source.YOUTUBE))
    with pytest.raises(TrackRefused, match="1 h 1 min"):
        await rig.relay.prepare(track(long, Source.YOUTUBE))


async def test_site_that_never_answers_times_out(tmp_path: Path) -> None:
    async with running_rig(tmp_path, RigOptions(idle_timeout=0.1)) as rig:
        with pytest.raises(ExtractionFailed) as failed:
            await rig.relay.prepare(rig.direct("/silence/x.mp3"))
    assert failed.value.reason is ExtractionReason.TIMED_OUT


@pytest.mark.parametrize("full", ["limit", "folder"])
async def test_full_disk_streams_through_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, full: str
) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "impossible"
    options = RigOptions(disk_bytes=100_000) if full == "limit" else RigOptions(spool_folder=folder)
    async with running_rig(tmp_path, options) as rig:
        path = "/tone/440/30.wav"  # 5 MB: more than is kept in memory
        whole = await rig.original(path)
        assert (await rig.get(rig.direct(path))).body == whole
        played = rig.direct("/tone/550/30.wav")
        answers = await asyncio.gather(rig.get(played), rig.get(played, Range="bytes=-1000"))
        expected = await rig.original("/tone/550/30.wav")
        assert [answer.body for answer in answers] == [expected, expected[-1000:]]
    warnings = [r for r in caplog.records if "nothing more can be written" in r.message]
    assert len(warnings) == 1


async def test_medium_that_nobody_uses_is_closed_and_its_file_removed(
    rig: Rig, tmp_path: Path
) -> None:
    played = rig.direct(f"/tone/{MP3}")
    await rig.get(played)
    await rig.clock.advance(60)
    await rig.get(played)
    assert rig.site.requests[f"/tone/{MP3}"] == 1
    await _swept(rig, tmp_path)
    await rig.get(played)
    assert rig.site.requests[f"/tone/{MP3}"] == 2


async def _swept(rig: Rig, data_dir: Path) -> None:
    """Let time pass until everything is closed."""
    async with asyncio.timeout(10):
        while True:
            await rig.clock.advance(130)
            await rig.store.sweep()
            if not list((data_dir / "cache" / "tmp").glob("*")):
                return
            await asyncio.sleep(0.01)  # files are removed by threads, and readers leave by sockets


async def test_files_that_a_crash_left_are_removed_at_start(tmp_path: Path) -> None:
    left_over = tmp_path / "cache" / "tmp" / "7.part"
    left_over.parent.mkdir(parents=True)
    left_over.write_bytes(b"half a song")
    async with running_rig(tmp_path):
        assert not left_over.exists()


async def test_local_file_is_served_with_ranges(tmp_path: Path) -> None:
    song = tmp_path / "song.mp3"
    song.write_bytes(bytes(range(256)) * 1000)
    options = RigOptions(local_files=lambda media: song if media.url == "library:song" else None)
    async with running_rig(tmp_path, options) as rig:
        played = track("library:song", Source.LIBRARY)
        await rig.relay.prepare(played)
        assert (await rig.get(played)).body == song.read_bytes()
        part = await rig.get(played, Range="bytes=1000-1999")
        assert (part.status, part.body) == (206, song.read_bytes()[1000:2000])


async def test_private_address_is_not_fetched(tmp_path: Path) -> None:
    async with running_rig(tmp_path, RigOptions(allow_site=False)) as rig:
        played = rig.direct(f"/tone/{MP3}")
        with pytest.raises(AddressRefused, match="private network"):
            await rig.relay.prepare(played)
        assert (await rig.get(played)).status == 403
        assert rig.site.requests.total() == 0


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:9/x.mp3",
        "http://localhost:9/x.mp3",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:9/x.mp3",
        "http://2130706433:9/x.mp3",
        "file:///etc/passwd",
        "ftp://music.example/x.mp3",
        "http://user:pass@127.0.0.1:9/x.mp3",
    ],
)
async def test_redirect_to_a_forbidden_address_is_not_followed(rig: Rig, target: str) -> None:
    with pytest.raises(AddressRefused):
        await rig.relay.prepare(rig.direct(f"/redirect?to={target}"))


async def test_redirect_to_a_good_address_is_followed(rig: Rig) -> None:
    answer = await rig.get(rig.direct(f"/redirect?to=/tone/{MP3}"))
    assert answer.body == await rig.original(f"/tone/{MP3}")


async def test_node_that_leaves_stops_the_download(tmp_path: Path) -> None:
    async with running_rig(tmp_path, RigOptions(read_ahead=64 * 1024)) as rig:
        played = rig.direct(f"/forever/{MP3}")
        async with rig.node.get(rig.relay.link(played)) as answer:
            await answer.content.readany()
        await _swept(rig, tmp_path)
