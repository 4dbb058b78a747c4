"""What a player sounds like, without voice: its frames drawn by hand and decoded."""

import math
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

import av
from av.audio.codeccontext import AudioCodecContext

from bot.node.encoded_track import TrackInfo
from bot.node.frames import FrameMaker
from bot.node.http_media import HttpMedia
from bot.node.line import Sound
from bot.node.play_queue import MadeFrame, PlayQueue
from bot.node.playback import Playback
from bot.node.source import Source
from bot.node.workers import DecodeWorkers, reader_threads

RATE = 48_000
FRAME = 960
PATIENCE = 10.0


class HandPlayer:
    """A frame maker and its queue, with a sender that moves only when it is told to."""

    def __init__(self) -> None:
        self.readers = reader_threads()
        self.workers = DecodeWorkers()
        self.queue = PlayQueue()
        self.maker = FrameMaker(self.queue, self.workers, self)
        self.queue.listen(self)
        self.events: list[tuple[str, Playback | None]] = []
        self.playbacks: list[Playback] = []

    def close(self) -> None:
        self.maker.close()
        for playback in self.playbacks:
            playback.source.close()
        self.workers.close()
        self.readers.shutdown(wait=True)

    # ── what the queue and the maker tell ───────────────────────────────────
    def on_low(self, seconds_left: float) -> None:
        self.maker.wake(due=time.monotonic() + seconds_left)

    def on_passed(self, ended: Playback | None, started: Playback | None) -> None:
        if ended is not None:
            self.events.append(("ended", ended))
        if started is not None:
            self.events.append(("started", started))

    def on_started(self, playback: Playback) -> None:
        self.events.append(("loaded", playback))

    def on_moved(self, playback: Playback) -> None:
        self.events.append(("moved", playback))

    # ── what a test does ────────────────────────────────────────────────────
    def open(self, link: str, *, start: float = 0.0, end: float | None = None) -> Playback:
        source = Source.open(HttpMedia(link, timeout=2.0), readers=self.readers, start=start)
        length = source.info.length_ms or 0
        info = TrackInfo(
            identifier=link, title="", author="", length=length, is_stream=False, is_seekable=True
        )
        playback = Playback(source, info, start=start, end=end)
        self.playbacks.append(playback)
        return playback

    def play(self, playback: Playback, sound: Sound | None = None) -> None:
        self.maker.load(playback, sound or Sound(), paused=False)
        self.until(lambda: self.queue.current is playback)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the maker has come so far."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "the maker did not get there"
            self.breathe()

    def until_last(self, matches: Callable[[MadeFrame], bool]) -> None:
        """Wait until the last frame that waits is such a one."""
        self.until(lambda: any(map(matches, self.queue.upcoming().frames[-1:])))

    def breathe(self) -> None:
        """Let the maker do a little."""
        threading.Event().wait(0.002)

    def settle(self) -> None:
        """Wait until the queue is full, or nothing more comes."""
        last, since = -1, time.monotonic()
        while self.queue.wanted > 0 and time.monotonic() - since < 0.25:
            if self.queue.waiting != last:
                last, since = self.queue.waiting, time.monotonic()
            self.breathe()

    def pop(self) -> bytes | None:
        """Draw a frame, giving the maker the time that a machine under load may need."""
        deadline = time.monotonic() + PATIENCE
        while True:
            frame = self.queue.pop()
            if frame is not None or self.queue.idle:
                return frame
            assert time.monotonic() < deadline, "no frame came"
            self.breathe()

    def pops(self, count: int) -> list[bytes]:
        frames = [self.pop() for _ in range(count)]
        assert None not in frames, "it ended too early"
        return [frame for frame in frames if frame is not None]

    def rest(self) -> list[bytes]:
        frames: list[bytes] = []
        while (frame := self.pop()) is not None:
            frames.append(frame)
        return frames


class Heard:
    """Decoded frames of one channel, and what a person would say of them."""

    def __init__(self, frames: Sequence[bytes]) -> None:
        codec = av.CodecContext.create("opus", "r")
        assert isinstance(codec, AudioCodecContext)
        codec.sample_rate, codec.layout = RATE, "stereo"
        self.samples = array("f")
        for data in frames:
            for frame in codec.decode(av.Packet(data)):
                plane = array("f")
                plane.frombytes(bytes(frame.planes[0])[: frame.samples * 4])
                self.samples.extend(plane)

    def part(self, begin: float, end: float) -> array[float]:
        return self.samples[round(begin * RATE) : round(end * RATE)]

    def pitch(self, begin: float, end: float) -> float:
        """Return the pitch in Hz between two moments (seconds): rising zero crossings."""
        part = self.part(begin, end)
        places = [i for i in range(1, len(part)) if part[i - 1] < 0 <= part[i]]
        if len(places) < 2:
            return 0.0
        return (len(places) - 1) * RATE / (places[-1] - places[0])

    def level(self, begin: float, end: float) -> float:
        """Return the RMS of full scale 1 between two moments (seconds)."""
        part = self.part(begin, end)
        return math.sqrt(math.fsum(value * value for value in part) / max(1, len(part)))

    def peak(self, begin: float, end: float) -> float:
        return max((abs(value) for value in self.part(begin, end)), default=0.0)

    def roughest_step(self, begin: float, end: float) -> float:
        """Return the largest change of slope: a click stands out, a sine stays small."""
        part = self.part(begin, end)
        return max(
            (abs(part[i + 1] - 2 * part[i] + part[i - 1]) for i in range(1, len(part) - 1)),
            default=0.0,
        )


def packets_of(path: Path) -> list[bytes]:
    """Return the compressed packets that a file holds."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]
