"""What an Opus packet says of itself, and the numbers that all sound in the node shares."""

from typing import Final

SAMPLE_RATE: Final = 48_000
FRAME_SAMPLES: Final = 960
"""Samples per channel of one frame."""
FRAME_SECONDS: Final = FRAME_SAMPLES / SAMPLE_RATE
ENCODER_DELAY: Final = 312
"""Samples by which libopus lags behind its input at 48 kHz: what is encoded in a frame is heard
this much earlier in the frame's own time (RFC 7845, pre-skip)."""

_LARGEST_FRAME: Final = 1275
_SILK_CONFIGS: Final = 12
_HYBRID_CONFIGS: Final = 16
_SILK_MS: Final = (10.0, 20.0, 40.0, 60.0)
_HYBRID_MS: Final = (10.0, 20.0)
_CELT_MS: Final = (2.5, 5.0, 10.0, 20.0)
_WHOLE_FRAME_MS: Final = 20.0


def is_one_whole_frame(packet: bytes) -> bool:
    """Tell whether the packet holds exactly one frame of 20 ms (RFC 6716, 3.1)."""
    if not 0 < len(packet) <= _LARGEST_FRAME + 1:
        return False
    single = packet[0] & 0b11 == 0
    return single and _frame_ms(packet[0] >> 3) == _WHOLE_FRAME_MS


def packet_seconds(packet: bytes) -> float:
    """Return how long the packet sounds; 0 for an empty one."""
    if not packet:
        return 0.0
    count = (1, 2, 2)[code] if (code := packet[0] & 0b11) < 3 else _counted(packet)  # noqa: PLR2004 -- code 3 carries its own count
    return count * _frame_ms(packet[0] >> 3) / 1000


def _counted(packet: bytes) -> int:
    return packet[1] & 0b111111 if len(packet) > 1 else 0


def _frame_ms(config: int) -> float:
    if config < _SILK_CONFIGS:
        return _SILK_MS[config % 4]
    if config < _HYBRID_CONFIGS:
        return _HYBRID_MS[config % 2]
    return _CELT_MS[config % 4]
