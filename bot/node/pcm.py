"""The sound of one track from a position on: packets in, 48 kHz stereo floats out."""

import logging
import math
from typing import Final

import av
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame

from bot.node.http_media import MediaUnreadable
from bot.node.opus import SAMPLE_RATE
from bot.node.shaping import ToStereo
from bot.node.source import KeptPacket, Source, Wait

_log = logging.getLogger(__name__)

_DAMAGED_PACKETS: Final = 200
"""So many undecodable packets in a row are a broken track, not a scratch."""


class Decoding:
    """One run of a source's decoder; a later run on the same source ends the earlier one.

    Args:
        source: whose packets are decoded.
        index: the first packet's number.
    """

    def __init__(self, source: Source, index: int) -> None:
        self._source = source
        self._index = index
        self._to_stereo = ToStereo()
        self._damaged = 0
        self._drained = False
        self._decoded = 0.0
        self._emitted = 0
        self.begins: float | None = None
        """Seconds in the track of the first sample; None until there is one."""
        self.failure: MediaUnreadable | None = None
        if source.codec.is_open:
            source.codec.flush_buffers()

    def step(self) -> list[AudioFrame] | Wait:
        """Decode one packet; the list may be empty."""
        packet = self._source.packet(self._index)
        if packet is Wait.STARVED:
            return Wait.STARVED
        if packet is Wait.ENDED:
            return self._end()
        assert isinstance(packet, KeptPacket)
        self._index += 1
        out: list[AudioFrame] = []
        for frame in self._decode(packet):
            usable: AudioFrame | None = frame
            if self.begins is None:
                begin, usable = _align(_begin(packet, frame), frame)
                self.begins = begin if usable is not None else None
            if usable is not None:
                out += self._convert(usable)
        self._emitted += sum(frame.samples for frame in out)
        return out

    def _convert(self, frame: AudioFrame) -> list[AudioFrame]:
        self._decoded += frame.samples / frame.sample_rate
        return self._to_stereo.push(frame)

    def _decode(self, packet: KeptPacket) -> list[AudioFrame]:
        try:
            frames = self._source.codec.decode(self._source.rebuild(packet))
        except av.FFmpegError as error:
            self._damaged += 1
            if self._damaged >= _DAMAGED_PACKETS:
                self.failure = MediaUnreadable("it cannot be decoded any further")
                self._drained = True
            _log.debug("a packet at %.1f s is damaged: %s", packet.time, error)
            return []
        self._damaged = 0
        return frames

    def _end(self) -> list[AudioFrame] | Wait:
        if self._drained:
            return Wait.ENDED
        self._drained = True
        self.failure = self._source.failure
        out: list[AudioFrame] = []
        try:
            rest = self._source.codec.decode(None)
        except av.FFmpegError:
            rest = []
        for frame in rest:
            out += self._convert(frame)
        return self._exactly([*out, *self._to_stereo.push(None)])

    def _exactly(self, last: list[AudioFrame]) -> list[AudioFrame]:
        """Leave out what the resampler adds by rounding, so the next track follows in step."""
        left = round(self._decoded * SAMPLE_RATE) - self._emitted
        kept: list[AudioFrame] = []
        for frame in last:
            part = split(frame, left)[0]
            if part is not None:
                kept.append(part)
                left -= part.samples
        return kept


def _begin(packet: KeptPacket, frame: AudioFrame) -> float:
    if packet.skip:
        return packet.time + packet.skip
    if frame.pts is None or packet.pts is None or frame.time_base is None:
        return packet.time
    return packet.time + float((frame.pts - packet.pts) * frame.time_base)


def _align(begin: float, frame: AudioFrame) -> tuple[float, AudioFrame | None]:
    """Begin at a sample that both rates share, so that two runs resample to the same samples.

    Half a sample's difference would be heard as a faint click where one run takes over.
    """
    rate = frame.sample_rate
    index = round(begin * rate)
    shared = rate // math.gcd(rate, SAMPLE_RATE)
    skip = min(-index % shared, frame.samples)
    return (index + skip) / rate, split(frame, skip)[1]


def split(frame: AudioFrame, count: int) -> tuple[AudioFrame | None, AudioFrame | None]:
    """Cut a frame after `count` samples; None stands for an empty part."""
    if count <= 0:
        return None, frame
    if count >= frame.samples:
        return frame, None
    fifo = AudioFifo()
    frame.pts = None
    fifo.write(frame)
    return fifo.read(count), fifo.read(0)
