"""An ear in a voice channel: what one listener receives and hears from the bot.

Packets are written by the receiving and decoding threads and read by the test. An ear belongs to a
guild, not to a connection: it hears on through reconnects and moves between servers.
"""

import math
import time
from array import array
from bisect import bisect_left
from dataclasses import dataclass

from tests.simulator.voice import measures
from tests.simulator.voice.bell import Bell
from tests.simulator.voice.measures import Frame, Gaps, Lateness, Seam

_SILENT, _SILENCE_FRAME = 1, 2
_MOST_VIOLATIONS = 200


class NotHeard(AssertionError):
    """What was expected was not heard; the text says what was."""


@dataclass(frozen=True)
class Heard:
    """A stretch of one pitch.

    `at` is the arrival of its first packet (`time.monotonic()` seconds), `level` its mean (dBFS).
    """

    at: float
    level: float
    hz: float
    sequence: int
    timestamp: int


class Ear:
    """What is heard in one guild's call.

    Args:
        guild_id: The guild.
        decode: Whether sound is decoded (level and pitch), or packets are only counted and timed,
            with a decryption now and then as a check.
    """

    def __init__(self, guild_id: int, *, decode: bool = True) -> None:
        self.guild_id = guild_id
        self.decode = decode
        self.bell = Bell()
        self.received = 0
        self.handled = 0
        self._arrivals = array("d")
        self._timestamps = array("I")
        self._sequences = array("H")
        self._levels = array("d")
        self._pitches = array("d")
        self._flags = array("B")
        self._violations: list[str] = []
        self._violations_left_out = 0

    # ── listening ───────────────────────────────────────────────────────────

    async def hears(
        self,
        hz: float,
        *,
        within: float = 5.0,
        since: float | None = None,
        frames: int = 3,
        tolerance: float = 0.03,
    ) -> Heard:
        """Wait until `frames` neighbouring frames sound at `hz`.

        Args:
            hz: The pitch.
            within: Seconds to wait.
            since: Monotonic time from which packets count; None: from now on.
            frames: How many frames make a tone.
            tolerance: Share of `hz` by which the pitch may differ.

        Raises:
            NotHeard: It was not heard in time; the text says what was.
        """
        begin = time.monotonic() if since is None else since
        start = await self.bell.until(
            lambda: self._run_of(hz, begin, frames, tolerance), time.monotonic() + within
        )
        if start is None:
            raise NotHeard(f"{hz:g} Hz was not heard within {within:g} s.\n{self.account(begin)}")
        run = [self._frame(index) for index in range(start, start + frames)]
        pitch = sum(frame.hz or 0.0 for frame in run) / frames
        level = measures.mean_level(run)
        return Heard(run[0].arrival, level, pitch, run[0].sequence, run[0].timestamp)

    async def silence(self, *, within: float = 5.0, seconds: float = 0.2) -> float:
        """Wait until nothing audible has come for `seconds`; return when the last sound ended.

        Raises:
            NotHeard: It did not become silent in time.
        """
        begin = time.monotonic()
        deadline = begin + within

        def ended() -> float | None:
            since = max(begin, self._last_audible(begin))
            calm = self.received == self.handled and time.monotonic() >= since + seconds
            return since if calm else None

        while (since := ended()) is None:
            if (now := time.monotonic()) >= deadline:
                raise NotHeard(f"No silence within {within:g} s.\n{self.account(begin)}")
            earliest = max(begin, self._last_audible(begin)) + seconds
            await self.bell.until(ended, min(deadline, max(earliest, now + 0.005)))
        return since

    async def loudness(self, *, seconds: float = 1.0, since: float | None = None) -> float:
        """Listen for `seconds` of packets, from now on or since a time; return the mean dBFS.

        Raises:
            NotHeard: Not that much came in twice the time and half a second.
        """
        begin = time.monotonic() if since is None else since
        wanted = max(1, round(seconds / measures.FRAME_SECONDS))
        frames = await self.packets(wanted, within=2 * seconds + 0.5, since=begin)
        return measures.mean_level(frames)

    async def first_packet(
        self, *, within: float = 5.0, since: float | None = None, audible: bool = True
    ) -> Frame:
        """Wait for the first packet (that is no silence, if `audible`) since a monotonic time.

        Raises:
            NotHeard: None came in time.
        """
        begin = time.monotonic() if since is None else since

        def first() -> int | None:
            indices = range(self._index(begin), len(self._arrivals))
            return next((at for at in indices if not (audible and self._flags[at])), None)

        index = await self.bell.until(first, time.monotonic() + within)
        if index is None:
            raise NotHeard(f"No packet within {within:g} s.\n{self.account(begin)}")
        return self._frame(index)

    async def packets(
        self, count: int, *, within: float = 5.0, since: float = -math.inf
    ) -> list[Frame]:
        """Wait until `count` packets have come since a monotonic time; return the first ones.

        Raises:
            NotHeard: Fewer came in time.
        """

        def enough() -> bool | None:
            return (len(self._arrivals) - self._index(since) >= count) or None

        if not await self.bell.until(enough, time.monotonic() + within):
            raise NotHeard(f"No {count} packets within {within:g} s.\n{self.account(since)}")
        return self.timeline(since=since)[:count]

    # ── looking back ────────────────────────────────────────────────────────

    def timeline(self, *, since: float = -math.inf, until: float = math.inf) -> list[Frame]:
        """Return the received frames in order of arrival, between two monotonic times."""
        return [self._frame(index) for index in range(self._index(since), self._index(until))]

    def gaps(self, *, since: float = -math.inf, until: float = math.inf) -> Gaps:
        """Count lost, doubled and late frames."""
        return measures.gaps(self.timeline(since=since, until=until))

    def lateness(self, *, since: float = -math.inf, until: float = math.inf) -> Lateness:
        """Compare arrivals with an ideal 20 ms schedule."""
        return measures.lateness(self.timeline(since=since, until=until))

    def seam(self, first_hz: float, next_hz: float, *, since: float = -math.inf) -> Seam:
        """Return what lies between two pitches that follow each other.

        Raises:
            NotHeard: They did not.
        """
        found = measures.seam(self.timeline(since=since), first_hz, next_hz)
        if found is None:
            raise NotHeard(f"{next_hz:g} Hz did not follow {first_hz:g} Hz.\n{self.account(since)}")
        return found

    def silence_frames(self, *, since: float = -math.inf) -> int:
        """Count the frames F8 FF FE, of which five end each stretch of speech."""
        flags = self._flags[self._index(since) :]
        return sum(1 for flag in flags if flag & _SILENCE_FRAME)

    def account(self, since: float = -math.inf) -> str:
        """Tell in words what was heard, and what was wrong with it."""
        frames = self.timeline(since=since)
        origin = since if math.isfinite(since) else (frames[0].arrival if frames else 0.0)
        text = "Heard:\n" + measures.in_words(frames, origin)
        if self._violations:
            text += "\nWrong:\n" + "\n".join(f"  {line}" for line in self.violations[:10])
        return text

    @property
    def violations(self) -> list[str]:
        """Return what Discord's server or a listener's client would not have accepted."""
        if self._violations_left_out:
            return [*self._violations, f"and {self._violations_left_out} more"]
        return list(self._violations)

    # ── written by the receiving side ───────────────────────────────────────

    def record(self, frame: Frame, *, silence_frame: bool) -> None:
        """Add a received frame."""
        self._timestamps.append(frame.timestamp)
        self._sequences.append(frame.sequence)
        self._levels.append(math.nan if frame.level is None else frame.level)
        self._pitches.append(math.nan if frame.hz is None else frame.hz)
        self._flags.append(_SILENT * frame.silent | _SILENCE_FRAME * silence_frame)
        self._arrivals.append(frame.arrival)  # last: readers go by its length
        self.bell.ring()

    def report(self, violation: str) -> None:
        """Note that something was wrong."""
        if len(self._violations) < _MOST_VIOLATIONS:
            self._violations.append(violation)
        else:
            self._violations_left_out += 1
        self.bell.ring()

    # ── own ─────────────────────────────────────────────────────────────────

    def _index(self, moment: float) -> int:
        return bisect_left(self._arrivals, moment)

    def _frame(self, index: int) -> Frame:
        level, hz = self._levels[index], self._pitches[index]
        return Frame(
            arrival=self._arrivals[index],
            timestamp=self._timestamps[index],
            sequence=self._sequences[index],
            level=None if math.isnan(level) else level,
            hz=None if math.isnan(hz) else hz,
            silent=bool(self._flags[index] & _SILENT),
        )

    def _run_of(self, hz: float, since: float, frames: int, tolerance: float) -> int | None:
        run = 0
        for index in range(self._index(since), len(self._arrivals)):
            run = run + 1 if abs(self._pitches[index] - hz) <= tolerance * hz else 0
            if run == frames:
                return index - frames + 1
        return None

    def _last_audible(self, since: float) -> float:
        for index in range(len(self._arrivals) - 1, self._index(since) - 1, -1):
            if not self._flags[index] & _SILENT:
                return self._arrivals[index] + measures.FRAME_SECONDS
        return -math.inf
