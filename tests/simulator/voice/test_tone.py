"""A frame has a pitch when it is a tone, and none when it is speech, a chord or noise."""

import math
import random
from array import array
from collections.abc import Callable

import pytest

from tests.simulator.voice.tone import level_and_pitch


def _stereo(wave: Callable[[float], float], *, right: float = 1.0) -> array[int]:
    samples = array("h")
    for at in range(960):
        value = wave(at / 48_000)
        samples.extend((round(32_767 * value), round(32_767 * value * right)))
    return samples


def _sine(hz: float, level: float = 0.5, phase: float = 0.3) -> Callable[[float], float]:
    return lambda moment: level * math.sin(2 * math.pi * hz * moment + phase)


@pytest.mark.parametrize("hz", [170, 220, 440, 441, 880, 1000, 3000, 8000])
@pytest.mark.parametrize("phase", [0.0, 1.0, 4.0])
def test_pure_tone_reads_within_one_percent(hz: float, phase: float) -> None:
    level, pitch = level_and_pitch(_stereo(_sine(hz, phase=phase)))
    assert pitch == pytest.approx(hz, rel=0.01)
    assert level == pytest.approx(-9.03, abs=0.3)


@pytest.mark.parametrize("level", [1.0, 0.1, 0.01])
def test_level_is_the_rms_against_full_scale(level: float) -> None:
    measured, pitch = level_and_pitch(_stereo(_sine(1000, level)))
    assert measured == pytest.approx(20 * math.log10(level) - 3.01, abs=0.1)
    assert pitch == pytest.approx(1000, rel=0.01)


def test_tone_in_one_channel_keeps_its_pitch_and_half_its_power() -> None:
    level, pitch = level_and_pitch(_stereo(_sine(440), right=0.0))
    assert level == pytest.approx(-12.04, abs=0.1)
    assert pitch == pytest.approx(440, rel=0.01)


def test_silence_has_no_pitch() -> None:
    assert level_and_pitch(array("h", [0] * 1920)) == (-120.0, None)
    assert level_and_pitch(_stereo(_sine(440, 0.0005)))[1] is None


def test_noise_has_no_pitch() -> None:
    dice = random.Random(5)
    for _ in range(50):
        noise = array("h", [dice.randint(-20_000, 20_000) for _ in range(1920)])
        assert level_and_pitch(noise)[1] is None


def test_chord_and_vowel_have_no_pitch() -> None:
    parts = [_sine(440, 0.3), _sine(554, 0.3)]
    formants = {1: 0.15, 2: 0.2, 3: 0.15, 4: 0.1, 5: 0.12, 6: 0.06}
    voice = [_sine(140 * number, level, number) for number, level in formants.items()]
    for sources in (parts, voice):
        mixed = _stereo(lambda moment, sources=sources: sum(each(moment) for each in sources))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        assert level_and_pitch(mixed)[1] is None
