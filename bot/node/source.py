"""A track's compressed packets, read ahead over http and kept until their sound has been sent.

Reading may block, so it happens in reader threads; decoding never waits for it. Between the two
stands the *window*: the packets from a little behind what is being sent to some seconds ahead,
bounded in bytes and in seconds. Because the last second stays in the window, sound that was made
with an old volume, filter or position can be thrown away and made anew without the network.

Times are seconds from the first audible sample. The skip that a file orders for its first packet
(the codec's run-in) lies before zero.
"""

from __future__ import annotations  # PyAV's Packet is generic for type checkers only

import logging
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from bot.node.http_media import HttpMedia, MediaUnreadable
from bot.node.media_container import describe_media, open_container, undecodable
from bot.node.opus import packet_seconds

_log = logging.getLogger(__name__)

_MAX_BYTES: Final = 512 * 2**10
_MAX_SECONDS: Final = 12.0
_LOW_SHARE: Final = 0.5
"""Reading goes on when less than this share of the window lies ahead."""
RUN_IN_SECONDS: Final = 0.2
"""What a decoder must have heard before its sound is right (Opus 80 ms, mp3 a few frames)."""
_BEHIND_SECONDS: Final = RUN_IN_SECONDS + 0.2
_JITTER: Final = 0.004
"""Seconds by which a container's time stamps may be off by rounding."""
_SAME_BEGIN: Final = 0.001
_USUAL_PACKET: Final = 0.02
_DAMAGED_PACKETS: Final = 64
"""How many undecodable packets at the start make a file undecodable."""


class Wait(Enum):
    """Why there is no packet."""

    STARVED = auto()
    """It has not been read yet; the source's listener is called when it is."""
    ENDED = auto()
    """The media ended, or broke: see `Source.failure`."""


@dataclass(frozen=True, slots=True)
class KeptPacket:
    """A compressed packet and when it begins, in seconds."""

    time: float
    seconds: float
    """How long it sounds."""
    data: bytes
    end: int
    """Bytes read so far, this packet included."""
    skip: float
    """Seconds at its start that the file orders to leave out."""
    whole: Packet[Any] | None
    """The packet as it came, where more than its data matters for decoding."""
    pts: int | None


class Source:
    """One open track; made by `open` in a reader thread, cancelled there by its media.

    The decoding side (`packet`, `find`, `release`, `request_seek`) belongs to one decode worker at
    a time; `close` may be called from anywhere.
    """

    def __init__(self, media: HttpMedia, container: InputContainer, readers: Executor) -> None:
        self._media = media
        self._container = container
        self._readers = readers
        self._stream: AudioStream = container.streams.audio[0]
        self._demuxed: Iterator[Packet[Any]] = container.demux(self._stream)
        self.time_base = self._stream.time_base
        self._tick = float(self.time_base)
        self._origin = (self._stream.start_time or 0) * self._tick
        self._lock = threading.Lock()
        self._kept: list[KeptPacket] = []
        self._first = 0
        self._bytes = 0
        self._cursor = 0
        self._starved = False
        self._ended = False
        self._reading = False
        self._closed = False
        self._seek: tuple[float, Callable[[], None]] | None = None
        self._on_packets: Callable[[], None] | None = None
        self.codec: AudioCodecContext = self._stream.codec_context
        self.codec.thread_count = 1
        self.failure: MediaUnreadable | None = None
        """Why it ended before its end."""
        self.info = describe_media(container, self._stream, media)

    @classmethod
    def open(cls, media: HttpMedia, *, readers: Executor, start: float = 0.0) -> Source:
        """Open a media, go to `start` (seconds) and decode a first frame; blocks.

        Raises:
            MediaUnreadable: it cannot be reached, is no audio, or cannot be decoded.
        """
        try:
            media.connect()
            source = cls(media, open_container(media), readers)
            if start > 0 and (source.info.is_seekable or not source.info.is_stream):
                source._go_to(start)
            source._decode_something()
        except BaseException:
            media.close()
            raise
        return source

    @property
    def is_opus(self) -> bool:
        """Whether packets could be sent as they are (mono or stereo Opus)."""
        return self.codec.name == "opus" and self.codec.channels <= 2  # noqa: PLR2004 -- stereo

    @property
    def seconds_kept(self) -> float:
        """Return how much of the track the window holds."""
        with self._lock:
            return self._kept[-1].time - self._kept[0].time if self._kept else 0.0

    # ── decoding side ───────────────────────────────────────────────────────
    def listen(self, on_packets: Callable[[], None]) -> None:
        """Call `on_packets` (from a reader thread) when a starved reader can go on."""
        self._on_packets = on_packets

    def packet(self, index: int) -> KeptPacket | Wait:
        """Return packet number `index`, which must not have been released."""
        with self._lock:
            self._cursor = index
            place = index - self._first
            found = self._kept[place] if place < len(self._kept) else None
            wanted = self._wants_more()
            self._reading = self._reading or wanted
            starved = self._starved = found is None and not self._ended
        if wanted:
            self._start_reading()
        if found is not None:
            return found
        return Wait.STARVED if starved else Wait.ENDED

    def find(self, time: float) -> int | None:
        """Return the number of the packet that sounds at `time`; None: outside of the window."""
        with self._lock:
            place = bisect_right(self._kept, time, key=_time) - 1
            if place < 0:
                starts_here = bool(self._kept) and self._kept[0].time <= 0
                return self._first if starts_here else None
            is_last = place == len(self._kept) - 1
            if is_last and not self._ended:
                last = self._kept[place]
                return self._first + place if time < last.time + last.seconds else None
            return self._first + place

    def find_begin(self, time: float) -> int | None:
        """Return the number of the packet that begins at `time`, to a millisecond; else None."""
        index = self.find(time + _SAME_BEGIN)
        with self._lock:
            if index is None or not 0 <= index - self._first < len(self._kept):
                return None
            begin = self._kept[index - self._first].time
        return index if abs(begin - time) <= _SAME_BEGIN else None

    def snap(self, time: float) -> float:
        """Return the beginning of the packet that sounds at `time`."""
        index = self.find(time)
        with self._lock:
            if index is None or not 0 <= index - self._first < len(self._kept):
                return time
            return self._kept[index - self._first].time

    def find_run_in(self, time: float) -> int:
        """Return the packet to decode from for right sound at `time`, or the nearest there is."""
        with self._lock:
            place = bisect_right(self._kept, time - RUN_IN_SECONDS, key=_time) - 1
            return self._first + max(0, place)

    def release(self, time: float) -> None:
        """Forget packets that were heard before `time`."""
        with self._lock:
            count = bisect_right(self._kept, time - _BEHIND_SECONDS, key=_time) - 1
            count = min(count, self._cursor - self._first)
            if count > 0:
                del self._kept[:count]
                self._first += count

    def request_seek(self, time: float, then: Callable[[], None]) -> None:
        """Read on from `time`, and call `then` from a reader thread when that is done.

        The codec must be left alone meanwhile: the container resets it.
        """
        with self._lock:
            self._seek = (time, then)
            start = not self._reading and not self._closed
            self._reading = self._reading or start
        if start:
            self._start_reading()

    def close(self) -> None:
        """Stop reading at once and let everything go."""
        self._media.cancel()
        with self._lock:
            self._closed = True
            self._on_packets = None
            idle = not self._reading
            self._reading = True
        if idle:
            try:
                self._readers.submit(self._dispose)
            except RuntimeError:  # the node is closing
                self._dispose()

    def rebuild(self, kept: KeptPacket) -> Packet[Any]:
        """Return a packet for the decoder."""
        if kept.whole is not None:
            return kept.whole
        packet = Packet(kept.data)
        packet.pts = packet.dts = kept.pts
        packet.time_base = self.time_base
        return packet

    # ── reading side ────────────────────────────────────────────────────────
    def _wants_more(self) -> bool:
        if self._reading or self._ended or self._closed:
            return False
        return self._fill() < _LOW_SHARE

    def _fill(self) -> float:
        """Return how full the window is ahead of the decoder; 1 is full."""
        if not self._kept:
            return 0.0
        last = self._kept[-1]
        here = self._kept[min(max(self._cursor - self._first, 0), len(self._kept) - 1)]
        return max((last.time - here.time) / _MAX_SECONDS, (last.end - here.end) / _MAX_BYTES)

    def _start_reading(self) -> None:
        try:
            self._readers.submit(self._read_ahead)
        except RuntimeError:  # the node is closing
            self._reading = False

    def _read_ahead(self) -> None:
        while True:
            with self._lock:
                seek, self._seek = self._seek, None
                if self._closed or (seek is None and (self._ended or self._fill() >= 1)):
                    self._reading = False
                    break
            if seek is not None:
                self._seek_and_tell(*seek)
            else:
                self._read_one()
        if self._closed:
            self._dispose()

    def _seek_and_tell(self, time: float, then: Callable[[], None]) -> None:
        try:
            self._go_to(time)
        except MediaUnreadable as error:
            self._end(error)
        then()

    def _read_one(self) -> None:
        try:
            packet = next(self._demuxed)
        except StopIteration:
            self._end(self._media.failure)
        except (av.FFmpegError, MediaUnreadable, OSError) as error:
            self._end(self._media.failure or undecodable(error))
        else:
            if packet.size:
                self._keep(packet)
        with self._lock:
            told, self._starved = self._starved, False
            listener = self._on_packets
        if told and listener is not None:
            listener()

    def _keep(self, packet: Packet[Any]) -> None:
        data = bytes(packet)
        marked = next(iter(packet.iter_sidedata()), None) is not None
        self._bytes += len(data)
        skip = _ordered_skip(packet) / self.codec.sample_rate
        kept = KeptPacket(
            time=self._time_of(packet, skip),
            seconds=self._seconds_of(packet, data),
            data=data,
            end=self._bytes,
            skip=skip,
            whole=packet if marked else None,
            pts=packet.pts,
        )
        with self._lock:
            self._kept.append(kept)

    def _time_of(self, packet: Packet[Any], skip: float) -> float:
        previous = self._kept[-1] if self._kept else None
        if packet.pts is None:
            return previous.time + previous.seconds if previous is not None else 0.0
        stated = packet.pts * self._tick - self._origin
        if previous is None:
            return -skip if skip and abs(stated + skip) < _JITTER else stated
        if self.codec.name == "opus":
            # Matroska rounds to milliseconds; what a packet holds is exact
            expected = previous.time + previous.seconds
            return expected if abs(expected - stated) < _JITTER else stated
        return max(stated, previous.time)

    def _seconds_of(self, packet: Packet[Any], data: bytes) -> float:
        if self.codec.name == "opus":
            return packet_seconds(data)
        return (packet.duration or 0) * self._tick or _USUAL_PACKET

    def _end(self, failure: MediaUnreadable | None) -> None:
        with self._lock:
            self.failure = failure
            self._ended = True
        if failure is not None:
            _log.info("a track's media broke: %s", failure)

    def _go_to(self, time: float) -> None:
        """Continue reading shortly before `time`; a media that cannot seek is read up to it."""
        target = max(0.0, time - RUN_IN_SECONDS)
        self._clear()
        if self.info.is_seekable:
            self._jump(target)
        while not self._ended:
            self._read_one()
            with self._lock:
                if self._kept and self._kept[-1].time >= time:
                    return
                count = bisect_right(self._kept, target, key=_time) - 1
                if count > 0:
                    del self._kept[:count]
                    self._first += count
        if self.failure is not None:
            raise self.failure

    def _clear(self) -> None:
        with self._lock:
            self._first = self._first + len(self._kept) + 1
            self._cursor = self._first
            self._kept.clear()
            self._ended = False
            self.failure = None

    def _jump(self, target: float) -> None:
        for time in (target, 0.0):  # near the end some formats find no place: read up to there
            ticks = round((time + self._origin) / self._tick)
            try:
                self._container.seek(ticks, stream=self._stream, backward=True)
            except (av.FFmpegError, OSError) as error:
                failure = self._media.failure or undecodable(error)
                if time == 0.0 or self._media.failure is not None:
                    raise failure from error
            else:
                break
        self._demuxed = self._container.demux(self._stream)

    def _decode_something(self) -> None:
        """Make sure that there is sound in it, and leave the codec as if nothing had been."""
        index, damaged = self._first, 0
        while damaged < _DAMAGED_PACKETS:
            while index >= self._first + len(self._kept) and not self._ended:
                self._read_one()
            if index >= self._first + len(self._kept):
                break
            try:
                if self.codec.decode(self.rebuild(self._kept[index - self._first])):
                    self.codec.flush_buffers()
                    return
            except av.FFmpegError:
                damaged += 1
            index += 1
        raise self.failure or MediaUnreadable("it holds no sound that can be decoded")

    def _dispose(self) -> None:
        with self._lock:
            self._kept.clear()
        self._demuxed = iter(())
        self._container.close()
        self._media.close()


def _time(packet: KeptPacket) -> float:
    return packet.time


def _ordered_skip(packet: Packet[Any]) -> int:
    """Return how many samples the file orders to leave out at the packet's start."""
    if not packet.has_sidedata("skip_samples"):
        return 0
    return int.from_bytes(bytes(packet.get_sidedata("skip_samples"))[:4], "little")
