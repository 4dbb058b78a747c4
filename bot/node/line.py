"""The production line: frames of one playback from a position on, and of what follows it.

A line either passes a source's Opus packets through as they are, or decodes, shapes and encodes.
It never changes its volume or filters: a change is a new line that starts in the middle of the
sound already made, and the old one is forgotten.

So that a new line's first frame continues what the listener has just heard, it starts early: the
decoder hears a run-in of 0.2 s, the filters the same, and the encoder the three frames before. A
frame's *position* is the place in the track that is heard in it; the encoder lags by 6.5 ms, so it
is fed with sound that is as much ahead.

Across a change of track the same FIFO and the same encoder go on: the last samples of one track
and the first ones of the next share a frame, and not a sample is lost or added.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame

from bot.node.filters import NEUTRAL, Filters
from bot.node.opus import (
    ENCODER_DELAY,
    FRAME_SAMPLES,
    FRAME_SECONDS,
    SAMPLE_RATE,
    is_one_whole_frame,
)
from bot.node.pcm import Decoding, split
from bot.node.play_queue import MadeFrame
from bot.node.playback import Playback
from bot.node.shaping import Shaping, ramped
from bot.node.source import KeptPacket, Wait

_BIT_RATE: Final = 128_000
_COMPLEXITY: Final = "5"
"""Of 0 to 10: a quarter less work than the most; at this bit rate nobody hears which it was."""
_LEAD: Final = 3
"""Frames that a new encoder hears before the first one that is sent."""
_LAG: Final = ENCODER_DELAY / SAMPLE_RATE
_BYTES_PER_SAMPLE: Final = 8


@dataclass(frozen=True, slots=True)
class Sound:
    """How a track is to sound: volume as a factor (1 is unchanged), and filters."""

    volume: float = 1.0
    filters: Filters = NEUTRAL

    @property
    def gain(self) -> float:
        """The factor that is applied in all."""
        return self.volume * self.filters.volume

    @property
    def is_neutral(self) -> bool:
        """Whether the track sounds as it is."""
        return self.gain == 1.0 and not self.filters.changes_sound


@dataclass(frozen=True, slots=True)
class Start:
    """Where a line begins.

    `position` is None for a track's own beginning. `gain_before` is the volume that is heard up to
    there: where it differs from the sound's, the line begins with a ramp.
    """

    playback: Playback
    position: float | None
    gain_before: float


@dataclass(slots=True)
class _Segment:
    """A stretch of the FIFO that comes from one run of a decoder."""

    begin: int
    playback: Playback
    source_time: float


class Line:
    """Makes frames one by one; used by one decode worker at a time."""

    def __init__(self, start: Start, sound: Sound) -> None:
        self._sound = sound
        self._playback = start.playback
        self._advance = FRAME_SECONDS * sound.filters.speed
        self._gain_before = start.gain_before
        self._encoding: _Encoding | None = None
        self._index = 0
        start.playback.failure = None
        index = _packet_at(start.playback, start.position)
        gain_stays = start.gain_before == sound.gain
        if gain_stays and index is not None and self._may_pass_through(start.playback):
            self._index = index
        else:
            self._encode_from(start.playback, start.position)

    @property
    def playback(self) -> Playback:
        """The track whose packets are read now."""
        return self._playback

    def next_frame(self) -> MadeFrame | Wait:
        """Make a frame; ENDED: the track has no whole frame left, see `follow` and `finish`."""
        if self._encoding is None:
            passed = self._pass_one()
            if passed is not None:
                return passed
        assert self._encoding is not None
        made = self._encoding.next_frame()
        if isinstance(made, MadeFrame) and (index := self._passes_again(made)) is not None:
            self._encoding, self._index = None, index
            return self.next_frame()
        return made

    def follow(self, playback: Playback) -> None:
        """Go on with the beginning of another track; only after ENDED."""
        self._playback = playback
        if self._encoding is not None:
            self._encoding.follow(playback)
        elif self._may_pass_through(playback):
            self._index = playback.source.find_run_in(0.0)
        else:
            self._encode_from(playback, None)

    def finish(self) -> list[MadeFrame]:
        """Make the last, filled up frames; only after ENDED, and the line is used up by it."""
        return self._encoding.finish() if self._encoding is not None else []

    # ── passing through ─────────────────────────────────────────────────────
    def _may_pass_through(self, playback: Playback) -> bool:
        return self._sound.is_neutral and playback.passes_through and playback.source.is_opus

    def _pass_one(self) -> MadeFrame | Wait | None:
        """Return the next packet as a frame; None: from here on it must be encoded."""
        packet = self._playback.source.packet(self._index)
        if not isinstance(packet, KeptPacket):
            if packet is Wait.ENDED:
                self._playback.failure = self._playback.source.failure
            return packet
        if self._playback.end is not None and packet.time >= self._playback.end:
            return Wait.ENDED
        if not is_one_whole_frame(packet.data):
            self._playback.passes_through = False
            self._encode_from(self._playback, packet.time)
            return None
        self._index += 1
        return MadeFrame(packet.data, self._playback, packet.time, FRAME_SECONDS, 1.0)

    def _passes_again(self, made: MadeFrame) -> int | None:
        """Return the packet to go on with, if only the way to 100 % had to be encoded."""
        ramp_is_over = made.gain == self._sound.gain and self._gain_before != self._sound.gain
        if not ramp_is_over or not self._may_pass_through(self._playback):
            return None
        return _packet_at(self._playback, made.position)

    # ── encoding ────────────────────────────────────────────────────────────
    def _encode_from(self, playback: Playback, position: float | None) -> None:
        self._encoding = _Encoding(
            Start(playback, position, self._gain_before), self._sound, advance=self._advance
        )


def _packet_at(playback: Playback, position: float | None) -> int | None:
    """Return the packet that begins at `position`, None if none does."""
    if position is None:
        return playback.source.find_run_in(0.0)
    return playback.source.find_begin(position)


class _Encoding:
    """Decoder, shaping, FIFO and encoder of a line."""

    def __init__(self, start: Start, sound: Sound, *, advance: float) -> None:
        self._sound = sound
        self._advance = advance
        self._gain_before = start.gain_before
        self._playback = start.playback
        self._target = None if start.position is None else start.position + _LAG
        source = start.playback.source
        self._decoding = Decoding(source, source.find_run_in(self._target or 0.0))
        self._shaping: Shaping | None = None
        self._fifo = AudioFifo()
        self._encoder = _opus_encoder()
        self._segments: deque[_Segment] = deque()
        self._written = 0
        self._taken = 0
        self._fed = 0
        self._drop = 0
        self._lead = 0
        self._ramp_begin = 0
        self._is_new_track = True

    def next_frame(self) -> MadeFrame | Wait:
        while True:
            self._drop_some()
            if not self._drop and self._fifo.samples >= FRAME_SAMPLES:
                made = self._encode_one()
                if made is not None:
                    return made
                continue
            step = self._step()
            if isinstance(step, Wait):
                return step
            for pcm in step:
                self._feed(pcm)

    def follow(self, playback: Playback) -> None:
        if self._shaping is not None and not self._shaping.keeps_length:
            for pcm in self._shaping.drain():
                self._write(pcm)
            self._shaping = None
            self._gain_before = self._sound.gain
        self._playback, self._target = playback, None
        self._is_new_track, self._fed = True, 0
        self._decoding = Decoding(playback.source, playback.source.find_run_in(0.0))

    def finish(self) -> list[MadeFrame]:
        if self._shaping is not None:
            for pcm in self._shaping.drain():
                self._write(pcm)
        self._drop_some()
        if self._drop or not self._segments:
            return []
        # the encoder holds the last 6.5 ms back: fill up until they are out
        missing = -(self._fifo.samples + ENCODER_DELAY) % FRAME_SAMPLES + ENCODER_DELAY
        self._write(_silence(missing))
        made: list[MadeFrame] = []
        while self._fifo.samples >= FRAME_SAMPLES:
            frame = self._encode_one()
            if frame is not None:
                made.append(frame)
        return made

    # ── feeding ─────────────────────────────────────────────────────────────
    def _step(self) -> list[AudioFrame] | Wait:
        end = self._playback.end
        begins = self._decoding.begins
        if end is not None and begins is not None and begins + self._fed / SAMPLE_RATE >= end:
            return Wait.ENDED
        step = self._decoding.step()
        if step is Wait.ENDED:
            self._playback.failure = self._decoding.failure
        return step

    def _feed(self, pcm: AudioFrame) -> None:
        if self._is_new_track:
            self._begin_track()
        begins = self._decoding.begins or 0.0
        kept: AudioFrame | None = pcm
        if (end := self._playback.end) is not None:
            left = round((end - begins) * SAMPLE_RATE) - self._fed
            kept = split(pcm, left)[0]
        self._fed += pcm.samples
        assert self._shaping is not None
        if kept is not None and not self._shaping.keeps_length:
            # a length-changing filter cannot be counted through: what comes too early stays out
            before, kept = split(kept, self._drop)
            self._drop -= before.samples if before is not None else 0
        if kept is not None:
            for shaped in self._shaping.push(kept):
                self._write(shaped)

    def _begin_track(self) -> None:
        self._is_new_track = False
        begins = self._decoding.begins or 0.0
        drop = 0 if self._target is None else round((self._target - begins) * SAMPLE_RATE)
        self._drop = max(0, drop)
        if self._sound.filters.speed != 1.0:
            self._add_segment(begins + self._drop / SAMPLE_RATE)
            ramp_at = 0
        else:
            self._add_segment(begins)
            ramp_at = self._drop
            self._lead = min(_LEAD, self._drop // FRAME_SAMPLES)
            self._drop -= self._lead * FRAME_SAMPLES
        if self._shaping is None:
            self._ramp_begin = self._written + ramp_at
            self._shaping = Shaping(
                self._sound.filters,
                gain=self._sound.gain,
                gain_before=self._gain_before,
                ramp_at=ramp_at,
            )

    def _add_segment(self, source_time: float) -> None:
        self._segments.append(_Segment(self._written, self._playback, source_time))

    def _write(self, pcm: AudioFrame) -> None:
        pcm.pts = None
        self._fifo.write(pcm)
        self._written += pcm.samples

    def _drop_some(self) -> None:
        count = min(self._drop, self._fifo.samples)
        if count and (self._shaping is None or self._shaping.keeps_length):
            self._fifo.read(count)
            self._drop -= count
            self._taken += count

    # ── encoding ────────────────────────────────────────────────────────────
    def _encode_one(self) -> MadeFrame | None:
        begin = self._taken
        pcm = self._fifo.read(FRAME_SAMPLES)
        assert pcm is not None
        pcm.pts = None
        self._taken += FRAME_SAMPLES
        data = b"".join(bytes(packet) for packet in self._encoder.encode(pcm))
        if self._lead:
            self._lead -= 1
            return None
        while len(self._segments) > 1 and self._segments[1].begin <= begin:
            self._segments.popleft()
        segment = self._segments[0]
        behind = (begin - segment.begin) / SAMPLE_RATE * self._sound.filters.speed
        return MadeFrame(
            data,
            segment.playback,
            segment.source_time + behind - _LAG,
            self._advance,
            ramped(self._gain_before, self._sound.gain, begin - self._ramp_begin),
        )


def _opus_encoder() -> AudioCodecContext:
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate = SAMPLE_RATE
    encoder.layout = "stereo"
    encoder.format = "flt"
    encoder.bit_rate = _BIT_RATE
    encoder.thread_count = 1
    encoder.options = {
        "application": "audio",
        "frame_duration": "20",
        "compression_level": _COMPLEXITY,
    }
    return encoder


def _silence(samples: int) -> AudioFrame:
    frame = AudioFrame(format="flt", layout="stereo", samples=samples)
    frame.planes[0].update(bytes(samples * _BYTES_PER_SAMPLE))
    frame.sample_rate = SAMPLE_RATE
    return frame
