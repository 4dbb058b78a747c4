"""Level and pitch of one 20 ms frame, cheaply and without numpy.

The pitch comes from the rising zero crossings (interpolated between samples), and is believed only
when a sine of that pitch explains most of the frame's energy: so speech, noise and chords have a
level but no pitch. A pure tone between 170 Hz and 8 kHz reads within 1 %.
"""

import math
from array import array
from functools import lru_cache
from itertools import pairwise

RATE = 48_000
FRAME = 960
"""Samples in 20 ms, for each of two channels."""

_FULL_SCALE = 32_768.0
_SILENT_BELOW = -60.0
_PURE = 0.85
_FEWEST_CROSSINGS = 3


def is_silent(level: float) -> bool:
    """Tell whether nobody would hear this level (dBFS)."""
    return level < _SILENT_BELOW


def level_and_pitch(samples: array[int]) -> tuple[float, float | None]:
    """Measure interleaved 16-bit stereo.

    Returns:
        The RMS of both channels in dBFS (a full-scale sine is -3.0, digital silence -120), and the
        pitch of the louder channel in Hz, None when it is silent or has no single pitch.
    """
    left, right = samples[0::2].tolist(), samples[1::2].tolist()
    energies = math.sumprod(left, left), math.sumprod(right, right)
    mean = sum(energies) / max(1, len(samples))
    level = 10 * math.log10(max(mean / _FULL_SCALE**2, 1e-12))
    if is_silent(level):
        return level, None
    louder, energy = (left, energies[0]) if energies[0] >= energies[1] else (right, energies[1])
    return level, _pitch(louder, energy)


def _pitch(samples: list[int], energy: float) -> float | None:
    rising = [
        index + before / (before - after)
        for index, (before, after) in enumerate(pairwise(samples))
        if before < 0 <= after
    ]
    if len(rising) < _FEWEST_CROSSINGS:
        return None
    hz = (len(rising) - 1) * RATE / (rising[-1] - rising[0])
    return hz if _explained(samples, hz) >= _PURE * energy else None


def _explained(samples: list[int], hz: float) -> float:
    cosine, sine = _waves(round(hz), len(samples))
    in_phase, quadrature = math.sumprod(samples, cosine), math.sumprod(samples, sine)
    return 2 * (in_phase**2 + quadrature**2) / len(samples)


@lru_cache(maxsize=64)
def _waves(hz: int, length: int) -> tuple[list[float], list[float]]:
    step = 2 * math.pi * hz / RATE
    angles = [step * index for index in range(length)]
    return [math.cos(angle) for angle in angles], [math.sin(angle) for angle in angles]
