"""Encoded tracks are what every Lavalink makes and reads."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.node.encoded_track import TrackInfo, TrackUnreadable, decode_track, encode_track

RICK = (
    "QAAAjQIAJVJpY2sgQXN0bGV5IC0gTmV2ZXIgR29ubmEgR2l2ZSBZb3UgVXAADlJpY2tBc3RsZXlWRVZPAAAAAAADPCAA"
    "C2RRdzR3OVdnWGNRAAEAK2h0dHBzOi8vd3d3LnlvdXR1YmUuY29tL3dhdGNoP3Y9ZFF3NHc5V2dYY1EAB3lvdXR1YmUA"
    "AAAAAAAAAA=="
)
"""The example of Lavalink's documentation, in version 2 of the format."""

texts = st.text(st.characters(codec="utf-8"), max_size=60)
longs = st.integers(0, 2**63 - 1)
tracks = st.builds(
    TrackInfo,
    identifier=texts,
    title=texts,
    author=texts,
    length=longs,
    is_stream=st.just(value=False),
    is_seekable=st.just(value=True),
    uri=st.none() | texts,
    artwork_url=st.none() | texts,
    isrc=st.none() | texts,
    container=texts,
    position=longs,
)


def test_lavalink_s_own_example_is_read() -> None:
    track = decode_track(RICK)
    assert track.title == "Rick Astley - Never Gonna Give You Up"
    assert (track.author, track.identifier) == ("RickAstleyVEVO", "dQw4w9WgXcQ")
    assert (track.length, track.position, track.is_stream) == (212_000, 0, False)
    assert (track.source_name, track.uri) == (
        "youtube",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
    )


@given(tracks)
def test_encoded_track_is_read_again(track: TrackInfo) -> None:
    assert decode_track(encode_track(track)) == track


def test_text_beyond_the_basic_plane_is_written_as_java_does() -> None:
    track = TrackInfo(
        identifier="x", title="🎵\0", author="", length=1, is_stream=False, is_seekable=True
    )
    raw = base64.b64decode(encode_track(track))
    assert b"\x00\x08\xed\xa0\xbc\xed\xbe\xb5\xc0\x80" in raw


@given(st.binary(max_size=80))
def test_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(TrackUnreadable):
        decode_track(base64.b64encode(data).decode() + "!")
    with contextlib.suppress(TrackUnreadable):  # no other error comes out
        decode_track(base64.b64encode(data).decode())


@given(st.integers(0, 180))
def test_track_that_was_cut_off_is_refused(count: int) -> None:
    raw = base64.b64decode(RICK)[: min(count, 144)]
    with pytest.raises(TrackUnreadable):
        decode_track(base64.b64encode(raw).decode())
