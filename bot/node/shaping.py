"""Everything between decoded sound and the encoder, as libavfilter graphs.

Two graphs: `to_stereo` brings what a decoder yields to 48 kHz stereo floats, one for each run of
a decoder; `Shaping` applies filters and volume, and goes on over the seam between two tracks.

A change of volume is a raised-cosine ramp, so nothing clicks. Above 100 % a limiter keeps peaks
under 95 % of full scale, so nothing crackles. One libav thread for each graph: the default would
be one for each core and player.
"""

import math
from fractions import Fraction
from typing import Final

import av
from av.audio.frame import AudioFrame
from av.filter import Graph
from av.filter.context import FilterContext

from bot.node.filters import Filters, Karaoke, Step
from bot.node.opus import SAMPLE_RATE

RAMP_SAMPLES: Final = SAMPLE_RATE * 40 // 1000
"""Length of a change of volume: 40 ms."""
_LIMIT: Final = 0.95
_TIME_BASE: Final = Fraction(1, SAMPLE_RATE)
_OUTPUT: Final = (
    "aformat",
    f"sample_fmts=flt:sample_rates={SAMPLE_RATE}:channel_layouts=stereo",
)
_PLAIN_LAYOUTS: Final = {1: "mono", 2: "stereo"}


class _Chain:
    """A libavfilter graph of filters one after the other, with one input and one output."""

    def __init__(self, *, rate: int, sample_format: str, layout: str, time_base: Fraction) -> None:
        self._graph = Graph()
        self._graph.threads = 1
        self._last = self._graph.add_abuffer(
            sample_rate=rate, format=sample_format, layout=layout, time_base=time_base
        )

    def add(self, name: str, arguments: str = "") -> FilterContext:
        added = self._graph.add(name, arguments or None)
        self._last.link_to(added)
        self._last = added
        return added

    def add_karaoke(self, karaoke: Karaoke) -> None:
        split = self.add("asplit", "2")
        level, middle = karaoke.level, karaoke.mono_level * karaoke.level / 2
        sides = self._graph.add("pan", f"stereo|c0=c0-{level}*c1|c1=c1-{level}*c0")
        mono = self._graph.add(
            "pan", f"stereo|c0={middle}*c0+{middle}*c1|c1={middle}*c0+{middle}*c1"
        )
        band = self._graph.add("bandpass", f"f={karaoke.band_hz}:t=h:w={karaoke.width_hz}")
        mix = self._graph.add("amix", "inputs=2:normalize=0")
        split.link_to(sides, 0, 0)
        split.link_to(mono, 1, 0)
        mono.link_to(band)
        sides.link_to(mix, 0, 0)
        band.link_to(mix, 0, 1)
        self._last = mix

    def finish(self) -> None:
        self.add(*_OUTPUT)
        self.add("abuffersink")
        self._graph.configure()

    def push(self, frame: AudioFrame | None) -> list[AudioFrame]:
        """Put a frame in, or None for the end, and return what comes out."""
        self._graph.push(frame)
        out: list[AudioFrame] = []
        while True:
            try:
                pulled = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return out
            if isinstance(pulled, AudioFrame):
                out.append(pulled)


class ToStereo:
    """Brings decoded frames to 48 kHz stereo floats."""

    def __init__(self) -> None:
        self._chain: _Chain | None = None
        self._shape: tuple[int, str, str] | None = None

    def push(self, frame: AudioFrame | None) -> list[AudioFrame]:
        """Put a frame in, or None for the end, and return what comes out."""
        if frame is None:
            return self._drain()
        layout = _PLAIN_LAYOUTS.get(frame.layout.nb_channels, frame.layout.name)
        shape = (frame.sample_rate, frame.format.name, layout)
        drained: list[AudioFrame] = []
        if shape != self._shape:  # chained streams may change in the middle
            drained = self._drain()
            self._chain, self._shape = _stereo_chain(*shape), shape
        assert self._chain is not None
        frame.pts = None  # samples are counted, not time stamps
        return drained + self._chain.push(frame)

    def _drain(self) -> list[AudioFrame]:
        chain, self._chain, self._shape = self._chain, None, None
        return chain.push(None) if chain is not None else []


def _stereo_chain(rate: int, sample_format: str, layout: str) -> _Chain:
    chain = _Chain(
        rate=rate, sample_format=sample_format, layout=layout, time_base=Fraction(1, rate)
    )
    if layout == "mono":
        chain.add("pan", "stereo|c0=c0|c1=c0")  # libswresample's own way takes 3 dB away
    chain.finish()
    return chain


class Shaping:
    """Filters and volume for 48 kHz stereo floats.

    Args:
        filters: what is done besides the volume.
        gain: the factor from the ramp's end on (1 is unchanged).
        gain_before: the factor up to the ramp's start; the same as `gain`: no ramp.
        ramp_at: samples, counted at the input, before the ramp starts.
    """

    def __init__(
        self, filters: Filters, *, gain: float, gain_before: float, ramp_at: int = 0
    ) -> None:
        self.keeps_length = filters.speed == 1.0
        self.speed = filters.speed
        self._fed = 0
        steps = [*filters.steps, *_gain_steps(gain, gain_before, ramp_at)]
        if not steps and filters.karaoke is None:
            self._chain: _Chain | None = None
            return
        self._chain = _Chain(
            rate=SAMPLE_RATE, sample_format="flt", layout="stereo", time_base=_TIME_BASE
        )
        if filters.karaoke is not None:
            self._chain.add_karaoke(filters.karaoke)
        for step in steps:
            self._chain.add(*step)
        self._chain.finish()

    def push(self, frame: AudioFrame) -> list[AudioFrame]:
        """Put a frame in and return what comes out, which may be less or more."""
        if self._chain is None:
            return [frame]
        frame.pts, frame.time_base = self._fed, _TIME_BASE
        self._fed += frame.samples
        return self._chain.push(frame)

    def drain(self) -> list[AudioFrame]:
        """Return what is still inside; nothing can be pushed after that."""
        chain, self._chain = self._chain, None
        return chain.push(None) if chain is not None else []


def _gain_steps(gain: float, before: float, ramp_at: int) -> list[Step]:
    loudest = max(gain, before)
    if loudest == 0:
        return [("volume", "0")]
    steps: list[Step] = []
    if loudest != 1:
        steps.append(("volume", f"{loudest:.6f}:precision=float"))
    if gain != before:
        # a fade between two levels below the loudest; its curve is half a cosine
        levels = f"silence={before / loudest:.6f}:unity={gain / loudest:.6f}"
        steps.append(("afade", f"t=in:ss={ramp_at}:ns={RAMP_SAMPLES}:curve=hsin:{levels}"))
    if loudest > 1:
        steps.append(("alimiter", f"limit={_LIMIT}:level=disabled:attack=5:release=50:latency=1"))
    return steps


def ramped(before: float, after: float, samples: int) -> float:
    """Return the gain at `samples` after a ramp's start; what `afade`'s curve gives."""
    if samples >= RAMP_SAMPLES:
        return after
    share = (1 - math.cos(math.pi * max(0, samples) / RAMP_SAMPLES)) / 2
    return before + (after - before) * share
