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
) -> Path:
    """Write a stereo sine tone and return `path`; see `write_tones`."""
    return write_tones(path, [(hz, seconds)], codec=codec, tags=tags, level=level)


def write_tones(
    path: Path,
    notes: Sequence[tuple[float, float]],
    *,
    codec: str | None = None,
    tags: Mapping[str, str] | None = None,
    level: float = 0.5,
) -> Path:
    """Write tones one after the other and return `path`: the pitch tells the position.

    Args:
        path: The file; its suffix chooses the codec unless `codec` is given.
        notes: Pairs of pitch in Hz (0 is silence) and length in seconds.
        codec: One of `CODECS`; the one in ogg and webm is Opus in 20 ms packets.
        tags: `title`, `artist` and so on; raw aac and wav keep few or none.
        level: Peak amplitude, 0 to 1 of full scale.
    """
    chosen = _FORMATS[codec or path.suffix.removeprefix(".")]
    with av.open(str(path), "w", format=chosen.container) as output:
        output.metadata.update(tags or {})
        stream = cast(AudioStream, output.add_stream(chosen.encoder, rate=chosen.rate))
        context = stream.codec_context
        context.layout = "stereo"
        context.format = chosen.sample_format
        if chosen.bit_rate is not None:
            context.bit_rate = chosen.bit_rate
        resampler = av.AudioResampler(
            format=chosen.sample_format, layout="stereo", rate=chosen.rate
        )
        for frame in (*_frames(notes, rate=chosen.rate, level=level), None):
            for ready in resampler.resample(frame):
                output.mux(stream.encode(ready))
        output.mux(stream.encode(None))
    return path


def _frames(
    notes: Sequence[tuple[float, float]], *, rate: int, level: float
) -> Iterator[av.AudioFrame]:
    position = 0
    for hz, seconds in notes:
        samples = _tone(hz, round(seconds * rate), rate=rate, level=level)
        for start in range(0, len(samples), 2 * _BLOCK):
            block = samples[start : start + 2 * _BLOCK]
            frame = av.AudioFrame(format="s16", layout="stereo", samples=len(block) // 2)
            frame.planes[0].update(block.tobytes())
            frame.sample_rate = rate
            frame.pts = position
            position += frame.samples
            yield frame


def _tone(hz: float, count: int, *, rate: int, level: float) -> array[int]:
    fade = max(1, min(count // 2, round(_FADE_SECONDS * rate)))
    step = 2 * math.pi * hz / rate
    samples = array("h", bytes(4 * count))
    for index in range(count):
        edge = min(1.0, (index + 1) / fade, (count - index) / fade)
        value = round(32767 * level * edge * math.sin(step * index))
        samples[2 * index] = samples[2 * index + 1] = value
    return samples
