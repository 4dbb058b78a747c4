"""What Opus packets hold is read from their first byte (RFC 6716, 3.1)."""

from pathlib import Path

import pytest

from bot.node.opus import is_one_whole_frame, packet_seconds
from tests.node.listening import packets_of


@pytest.mark.parametrize(
    ("first", "seconds", "whole"),
    [
        (0b00001_0_00, 0.020, True),  # SILK, 20 ms
        (0b00000_0_00, 0.010, False),
        (0b00011_1_00, 0.060, False),
        (0b01101_1_00, 0.020, True),  # hybrid
        (0b11111_1_00, 0.020, True),  # CELT, full band, stereo
        (0b11100_1_00, 0.0025, False),
        (0b11110_1_01, 0.020, False),  # two frames of 10 ms
        (0b11111_1_10, 0.040, False),
    ],
)
def test_first_byte_tells_the_length(first: int, seconds: float, *, whole: bool) -> None:
    packet = bytes([first]) + bytes(50)
    assert packet_seconds(packet) == pytest.approx(seconds)
    assert is_one_whole_frame(packet) is whole


def test_packet_may_count_its_frames_itself() -> None:
    assert packet_seconds(bytes([0b11110_1_11, 6])) == pytest.approx(0.06)
    assert packet_seconds(bytes([0b11110_1_11])) == 0


@pytest.mark.parametrize("packet", [b"", bytes(1277)])
def test_empty_or_oversized_packet_is_no_frame(packet: bytes) -> None:
    assert not is_one_whole_frame(packet)


def test_tones_in_ogg_and_webm_are_whole_frames(tones: Path) -> None:
    for codec in ("ogg", "webm"):
        assert all(map(is_one_whole_frame, packets_of(tones / f"steps.{codec}")))
