"""Audio files of known pitch, so that a test can say what must be heard."""

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
from av.audio.stream import AudioStream

_FADE_SECONDS = 0.002
"""Short fades at the ends of each tone keep changes of pitch free of clicks."""
_BLOCK = 960


@dataclass(frozen=True, slots=True)
class _Format:
    container: str
    encoder: str
    sample_format: str
    rate: int = 48_000
    bit_rate: int | None = 96_000


_FORMATS = {
    "mp3": _Format("mp3", "libmp3lame", "s16p", rate=44_100, bit_rate=128_000),
    "ogg": _Format("ogg", "libopus", "s16"),
    "webm": _Format("webm", "libopus", "s16"),
    "m4a": _Format("ipod", "aac", "fltp", rate=44_100),
    "aac": _Format("adts", "aac", "fltp", rate=44_100),
    "flac": _Format("flac", "flac", "s16", rate=44_100, bit_rate=None),
    "wav": _Format("wav", "pcm_s16le", "s16", rate=44_100, bit_rate=None),
}

CODECS = tuple(_FORMATS)
"""What `write_tone` can write; the same words are the usual file suffixes."""


def write_tone(
    path: Path,
    *,
    hz: float = 440.0,
    seconds: float = 3.0,
    codec: str | None = None,
    tags: Mapping[str, str] | None = None,
    level: float = 0.5,
    channels: int = 2,
    fades: bool = True,
) -> Path:
    """Write a sine tone and return `path`; see `write_tones`."""
    return write_tones(
        path, [(hz, seconds)], codec=codec, tags=tags, level=level, channels=channels, fades=fades
    )


def write_tones(
    path: Path,
    notes: Sequence[tuple[float, float]],
    *,
    codec: str | None = None,
    tags: Mapping[str, str] | None = None,
    level: float = 0.5,
    channels: int = 2,
    fades: bool = True,
) -> Path:
    """Write tones one after the other and return `path`: the pitch tells the position.

    Args:
        path: The file; its suffix chooses the codec unless `codec` is given.
        notes: Pairs of pitch in Hz (0 is silence) and length in seconds.
        codec: One of `CODECS`; the one in ogg and webm is Opus in 20 ms packets.
        tags: `title`, `artist` and so on; raw aac and wav keep few or none.
        level: Peak amplitude, 0 to 1 of full scale.
        channels: 2, or 1.
        fades: Whether each tone begins and ends softly.
    """
    layout = "mono" if channels == 1 else "stereo"
    chosen = _FORMATS[codec or path.suffix.removeprefix(".")]
    with av.open(str(path), "w", format=chosen.container) as output:
        output.metadata.update(tags or {})
        stream = cast(AudioStream, output.add_stream(chosen.encoder, rate=chosen.rate))
        context = stream.codec_context
        context.layout = layout
        context.format = chosen.sample_format
        if chosen.bit_rate is not None:
            context.bit_rate = chosen.bit_rate
        resampler = av.AudioResampler(format=chosen.sample_format, layout=layout, rate=chosen.rate)
        frames = _frames(notes, rate=chosen.rate, level=level, layout=layout, fades=fades)
        for frame in (*frames, None):
            for ready in resampler.resample(frame):
                output.mux(stream.encode(ready))
        output.mux(stream.encode(None))
    return path


def _frames(
    notes: Sequence[tuple[float, float]], *, rate: int, level: float, layout: str, fades: bool
) -> Iterator[av.AudioFrame]:
    position = 0
    channels = av.AudioLayout(layout).nb_channels
    for hz, seconds in notes:
        samples = _tone(hz, round(seconds * rate), rate=rate, level=level, fades=fades)
        for start in range(0, len(samples), _BLOCK):
            block = samples[start : start + _BLOCK]
            frame = av.AudioFrame(format="s16", layout=layout, samples=len(block))
            frame.planes[0].update(_interleaved(block, channels))
            frame.sample_rate = rate
            frame.pts = position
            position += frame.samples
            yield frame


def _interleaved(block: array[int], channels: int) -> bytes:
    """Return the same samples on each channel."""
    together = array("h", bytes(2 * channels * len(block)))
    for channel in range(channels):
        together[channel::channels] = block
    return together.tobytes()


def _tone(hz: float, count: int, *, rate: int, level: float, fades: bool) -> array[int]:
    fade = max(1, min(count // 2, round(_FADE_SECONDS * rate)))
    step = 2 * math.pi * hz / rate
    peak = 32767 * level
    samples = array("h", (round(peak * math.sin(step * index)) for index in range(count)))
    if fades:
        for index in range(fade):
            share = (index + 1) / fade
            samples[index] = round(samples[index] * share)
            samples[-1 - index] = round(samples[-1 - index] * share)
    return samples
