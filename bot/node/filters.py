"""Lavalink's audio filters: read from JSON, and said in libavfilter's words.

Values outside of a filter's range are clamped, unknown names are ignored, and a filter that would
change nothing counts as absent: wavelink always sends an equalizer of fifteen zero bands.
The meaning of each field: Lavalink v4 REST API, "Filters".
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.node.opus import SAMPLE_RATE

BANDS: Final = (25, 40, 63, 100, 160, 250, 400, 630, 1000, 1600, 2500, 4000, 6300, 10000, 16000)
"""Centres of the equalizer's bands in Hz."""

Step = tuple[str, str]
"""A libavfilter filter's name and arguments."""


class FilterError(Exception):
    """The filters are not what the protocol says; the text names the field."""


@dataclass(frozen=True, slots=True)
class Karaoke:
    """Takes the middle of the stereo image away, but for one band of it."""

    level: float
    mono_level: float
    band_hz: float
    width_hz: float


@dataclass(frozen=True, slots=True)
class Filters:
    """What is done to the sound, in libavfilter's words."""

    volume: float = 1.0
    speed: float = 1.0
    """Seconds of the track that are heard in one second."""
    karaoke: Karaoke | None = None
    steps: tuple[Step, ...] = ()

    @property
    def changes_sound(self) -> bool:
        """Whether anything but the volume is touched."""
        return bool(self.steps) or self.karaoke is not None


NEUTRAL: Final = Filters()


def read_filters(data: object) -> Filters:
    """Read the protocol's `filters` object.

    Raises:
        FilterError: a field has the wrong type.
    """
    if not isinstance(data, Mapping):
        raise FilterError("filters must be an object")
    steps: list[Step] = []
    for name, read in _READERS.items():
        if (settings := data.get(name)) is not None:
            steps += read(_Fields(name, settings))
    scale = _Fields("timescale", data.get("timescale") or {})
    return Filters(
        volume=_Fields("filters", data).number("volume", 1.0, low=0.0, high=5.0),
        speed=_speed(scale) * _rate(scale),
        karaoke=_karaoke(data.get("karaoke")),
        steps=tuple(steps),
    )


FILTER_NAMES: Final = (
    "volume",
    "equalizer",
    "karaoke",
    "timescale",
    "tremolo",
    "vibrato",
    "rotation",
    "distortion",
    "channelMix",
    "lowPass",
)


class _Fields:
    """The fields of one filter; a missing or null one has its default."""

    def __init__(self, name: str, data: object) -> None:
        self.name = name
        self.data = data

    def number(self, field: str, default: float, *, low: float, high: float) -> float:
        if not isinstance(self.data, Mapping):
            raise FilterError(f"filters.{self.name} must be an object")
        value = self.data.get(field)
        if value is None:
            return default
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise FilterError(f"filters.{self.name}.{field} must be a number")
        return min(max(float(value), low), high)


# ── one function for each filter ────────────────────────────────────────────
def _equalizer(fields: _Fields) -> list[Step]:
    if not isinstance(fields.data, list):
        raise FilterError("filters.equalizer must be a list")
    steps: list[Step] = []
    for entry in fields.data:
        band = _Fields("equalizer", entry)
        number = int(band.number("band", -1, low=-1, high=len(BANDS)))
        gain = band.number("gain", 0.0, low=-0.25, high=1.0)
        if not 0 <= number < len(BANDS):
            raise FilterError("filters.equalizer.band must be 0 to 14")
        if gain:
            # the protocol's gain: -0.25 mutes, 0 leaves, 0.25 doubles
            decibels = 20 * math.log10(max(1 + 4 * gain, 0.01))
            steps.append(("equalizer", f"f={BANDS[number]}:t=o:w=0.67:g={decibels:.3f}"))
    return steps


def _speed(fields: _Fields) -> float:
    return fields.number("speed", 1.0, low=0.1, high=10.0)


def _rate(fields: _Fields) -> float:
    return fields.number("rate", 1.0, low=0.1, high=10.0)


def _timescale(fields: _Fields) -> list[Step]:
    pitch = fields.number("pitch", 1.0, low=0.1, high=10.0)
    resampled = pitch * _rate(fields)  # changes pitch and speed together
    tempo = _speed(fields) / pitch  # the speed that is then still missing
    steps: list[Step] = []
    if not math.isclose(resampled, 1.0):
        steps.append(("asetrate", str(round(SAMPLE_RATE * resampled))))
        steps.append(("aresample", str(SAMPLE_RATE)))
    while tempo < 0.5:  # noqa: PLR2004 -- the least that one atempo filter can do
        steps.append(("atempo", "0.5"))
        tempo /= 0.5
    if not math.isclose(tempo, 1.0):
        steps.append(("atempo", f"{tempo:.6f}"))
    return steps


def _tremolo(fields: _Fields) -> list[Step]:
    frequency = fields.number("frequency", 2.0, low=0.1, high=20_000)
    depth = fields.number("depth", 0.5, low=0.0, high=1.0)
    return [("tremolo", f"f={frequency}:d={depth}")] if depth else []


def _vibrato(fields: _Fields) -> list[Step]:
    frequency = fields.number("frequency", 2.0, low=0.1, high=14.0)
    depth = fields.number("depth", 0.5, low=0.0, high=1.0)
    return [("vibrato", f"f={frequency}:d={depth}")] if depth else []


def _rotation(fields: _Fields) -> list[Step]:
    hertz = abs(fields.number("rotationHz", 0.0, low=-100.0, high=100.0))
    return [("apulsator", f"mode=sine:hz={max(hertz, 0.01)}")] if hertz else []


def _distortion(fields: _Fields) -> list[Step]:
    names = ("sin", "cos", "tan")
    offsets = [fields.number(f"{name}Offset", 0.0, low=-100, high=100) for name in names]
    scales = [fields.number(f"{name}Scale", 1.0, low=-100, high=100) for name in names]
    offset = fields.number("offset", 0.0, low=-100, high=100)
    scale = fields.number("scale", 1.0, low=-100, high=100)
    if not fields.data:
        return []
    product = "*".join(
        f"({part}+{name}(val(ch)*{factor}))"
        for name, part, factor in zip(names, offsets, scales, strict=True)
    )
    return [("aeval", f"exprs=clip({offset}+{scale}*{product},-1,1):c=same")]


def _channel_mix(fields: _Fields) -> list[Step]:
    straight = (1.0, 0.0, 0.0, 1.0)
    names = ("leftToLeft", "leftToRight", "rightToLeft", "rightToRight")
    factors = tuple(
        fields.number(name, default, low=0.0, high=1.0)
        for name, default in zip(names, straight, strict=True)
    )
    if factors == straight:
        return []
    ll, lr, rl, rr = factors
    return [("pan", f"stereo|c0={ll}*c0+{rl}*c1|c1={lr}*c0+{rr}*c1")]


def _low_pass(fields: _Fields) -> list[Step]:
    smoothing = fields.number("smoothing", 20.0, low=0.0, high=10_000)
    if smoothing <= 1:
        return []
    # a one-pole filter that moves by 1/smoothing of the difference with each sample
    cutoff = -math.log(1 - 1 / smoothing) * SAMPLE_RATE / (2 * math.pi)
    return [("lowpass", f"f={min(cutoff, SAMPLE_RATE / 2 - 1):.2f}:p=1")]


def _karaoke(data: object) -> Karaoke | None:
    if data is None:
        return None
    fields = _Fields("karaoke", data)
    level = fields.number("level", 1.0, low=0.0, high=1.0)
    karaoke = Karaoke(
        level=level,
        mono_level=fields.number("monoLevel", 1.0, low=0.0, high=1.0),
        band_hz=fields.number("filterBand", 220.0, low=20.0, high=20_000),
        width_hz=fields.number("filterWidth", 100.0, low=1.0, high=20_000),
    )
    return karaoke if level else None


_READERS: Final[Mapping[str, Callable[[_Fields], list[Step]]]] = {
    "equalizer": _equalizer,
    "timescale": _timescale,
    "tremolo": _tremolo,
    "vibrato": _vibrato,
    "rotation": _rotation,
    "distortion": _distortion,
    "channelMix": _channel_mix,
    "lowPass": _low_pass,
}


def as_payload(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is shown again of the filters that were set."""
    return {name: data[name] for name in (*FILTER_NAMES, "pluginFilters") if name in data}
