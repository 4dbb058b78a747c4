"""A recording in pieces plays like a file."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from bot.adapters.upstream import StreamAddress
from services.audio.errors import AddressRefused, ExtractionFailed, ExtractionReason, TrackRefused
from services.audio.track import Source, Track
from tests.adapters.relay_rig import Rig, running_rig, track


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with running_rig(tmp_path) as running:
        yield running


def recording(rig: Rig, kind: str, seconds: int = 4) -> Track:
    page = f"https://sound.example/{kind}"
    url = rig.site.url(f"/hls/{kind}/440/{seconds}/master.m3u8")
    rig.streams.offer(page, StreamAddress(url=url, is_segmented=True))
    return track(page, Source.SOUNDCLOUD)


def seconds_of_sound(data: bytes) -> float:
    with av.open(io.BytesIO(data), "r") as file:
        lengths = [frame.samples / frame.sample_rate for frame in file.decode(audio=0)]
    return float(sum(lengths))


@pytest.mark.parametrize("kind", ["ts", "fmp4", "locked", "flaky"])
async def test_recording_of_each_kind_is_heard_whole(rig: Rig, kind: str) -> None:
    answer = await rig.get(recording(rig, kind))
    assert answer.status == 200
    heard = await asyncio.to_thread(seconds_of_sound, answer.body)
    assert heard == pytest.approx(4, abs=0.1)


async def test_encrypted_recording_is_what_it_was_before(rig: Rig) -> None:
    locked, plain = await rig.get(recording(rig, "locked")), await rig.get(recording(rig, "ts"))
    assert locked.body == plain.body


async def test_recording_can_be_sought_once_it_is_complete(rig: Rig) -> None:
    played = recording(rig, "ts")
    whole = (await rig.get(played)).body
    answer = await rig.get(played, Range="bytes=1000-1999")
    assert (answer.status, answer.body) == (206, whole[1000:2000])


async def test_recording_that_still_grows_is_refused_as_live(rig: Rig) -> None:
    with pytest.raises(TrackRefused, match="livestream"):
        await rig.relay.prepare(recording(rig, "growing"))


async def test_recording_with_pieces_inside_is_refused(rig: Rig) -> None:
    page = "https://sound.example/inside"
    inside = rig.site.url("/redirect?to=http://127.0.0.1:9/index.m3u8")
    rig.streams.offer(page, StreamAddress(url=inside, is_segmented=True))
    with pytest.raises(AddressRefused):
        await rig.relay.prepare(track(page, Source.SOUNDCLOUD))


async def test_recording_that_is_none_is_no_audio(rig: Rig) -> None:
    page = "https://sound.example/none"
    rig.streams.offer(page, StreamAddress(url=rig.site.url("/article/1"), is_segmented=True))
    with pytest.raises(ExtractionFailed) as failed:
        await rig.relay.prepare(track(page, Source.SOUNDCLOUD))
    assert failed.value.reason is ExtractionReason.NOT_AUDIO
