"""One thread that sends every player's sound, a frame each 20 ms on an absolute schedule.

Why a thread: the event loop's delays (TLS, JSON, a burst of requests) would be heard. Why only one:
fifty threads that wake at the same moment queue for the interpreter lock; one thread walks through
a hundred players in a millisecond or two.
"""

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from statistics import fmean

from bot.node.rtp_stream import FrameQueue, RtpStream, SlotCounts
from bot.node.schedule import SLOTS_PER_MINUTE, Schedule

__all__ = ["FrameQueue", "FrameStatistics", "Sender"]

_SUSPENDED_SLOTS = 50
"""A player that fails is left alone for a second; the others go on."""

_NEAR_SECONDS = 0.002
"""A frame that could be sent so shortly before the next slot waits for that slot."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FrameStatistics:
    """Frames of one player in the last whole minute, on average (Lavalink v4 `frameStats`)."""

    sent: int
    nulled: int
    deficit: int


class Sender:
    """The sender thread and the players it serves; made once a node process.

    `right_of_way` is held while it serves a slot: threads that compute should wait for it between
    two pieces of work, or each packet sent waits for the interpreter lock that they hold.
    """

    def __init__(self) -> None:
        self.right_of_way = threading.Lock()
        self._streams: tuple[RtpStream, ...] = ()
        self._suspended: dict[RtpStream, int] = {}
        self._changes = threading.Lock()
        self._hurried: deque[RtpStream] = deque()
        self._woken = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="voice sender", daemon=True)
        self._minute = MinuteStatistics()

    def start(self) -> None:
        """Start the thread; add and remove are possible before and after."""
        self._thread.start()

    def add(self, stream: RtpStream) -> None:
        """Serve `stream` from the next slot on."""
        with self._changes:
            self._streams = (*self._streams, stream)
        self._woken.set()

    def hurry(self, stream: RtpStream) -> None:
        """Send the running slot's frame of `stream` now, if it could not be sent before.

        So a hole lasts as long as its cause, instead of until the next slot.
        """
        self._hurried.append(stream)
        self._woken.set()

    def remove(self, stream: RtpStream) -> None:
        """Serve `stream` no more; a slot that has begun may still reach it."""
        with self._changes:
            self._streams = tuple(other for other in self._streams if other is not stream)
            self._suspended.pop(stream, None)

    def close(self) -> None:
        """End the thread and wait for it; at most one frame's time."""
        self._closing = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def statistics(self) -> FrameStatistics | None:
        """Return the averages of the last whole minute; None where no player played through it."""
        return self._minute.latest

    def _run(self) -> None:
        schedule = Schedule(time.monotonic())
        while not self._closing:
            wait: float | None = None
            if self._streams or self._suspended:
                wait = schedule.due - time.monotonic()
            if wait is not None and wait <= 0:
                with self.right_of_way:
                    self._serve(schedule.take(time.monotonic()))
            elif self._woken.wait(wait):
                self._woken.clear()
                self._serve_hurried(schedule)

    def _serve_hurried(self, schedule: Schedule) -> None:
        while self._hurried:
            stream = self._hurried.popleft()
            near = schedule.due - time.monotonic() < _NEAR_SECONDS
            if not near and stream in self._streams and stream.owes(schedule.latest):
                self._tick(stream, schedule.latest)

    def _serve(self, slot: int) -> None:
        if self._suspended:
            self._readmit(slot)
        streams = self._streams
        self._minute.roll(slot, streams)
        for stream in streams:
            self._tick(stream, slot)

    def _tick(self, stream: RtpStream, slot: int) -> None:
        try:
            stream.tick(slot)
        except Exception:  # noqa: BLE001 - stream delivery: one player must not silence all
            _log.exception("a player failed in the sender; it is silent for a second")
            self._suspend(stream, until=slot + _SUSPENDED_SLOTS)

    def _suspend(self, stream: RtpStream, *, until: int) -> None:
        with self._changes:
            if stream in self._streams:  # it may have been removed meanwhile
                self._streams = tuple(other for other in self._streams if other is not stream)
                self._suspended[stream] = until

    def _readmit(self, slot: int) -> None:
        with self._changes:
            for stream, until in tuple(self._suspended.items()):
                if slot >= until:
                    del self._suspended[stream]
                    self._streams = (*self._streams, stream)


class MinuteStatistics:
    """Counts slots minute by minute; used in the sender thread, `latest` from anywhere."""

    def __init__(self) -> None:
        self.latest: FrameStatistics | None = None
        self._minute = 0
        self._counted: dict[RtpStream, SlotCounts] = {}

    def roll(self, slot: int, streams: tuple[RtpStream, ...]) -> None:
        """Close the minute when `slot` is the first one of the next."""
        minute = slot // SLOTS_PER_MINUTE
        if minute == self._minute:
            return
        whole = [
            stream.counts
            for stream in streams
            if self._counted.get(stream) is stream.counts and not stream.counts.idle
        ]
        self.latest = _average(whole) if whole and minute == self._minute + 1 else None
        self._minute = minute
        for stream in streams:
            stream.counts = SlotCounts()
        self._counted = {stream: stream.counts for stream in streams}


def _average(minutes: list[SlotCounts]) -> FrameStatistics:
    sent = round(fmean(counts.sent for counts in minutes))
    nulled = round(fmean(counts.nulled for counts in minutes))
    deficit = max(0, SLOTS_PER_MINUTE - sent - nulled)
    return FrameStatistics(sent=sent, nulled=nulled, deficit=deficit)
