"""What a run of received frames says: losses, lateness, seams, and the same in words."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

FRAME_SECONDS = 0.020
FRAME_SAMPLES = 960

_RESTART_STEP = 1500
_HOLE_SECONDS = 0.060
_SAME_PITCH = 0.03


class Frame(NamedTuple):
    """One received packet.

    `arrival` is the kernel's time of receipt as `time.monotonic()` seconds. `level` (dBFS) and `hz`
    are None where nothing was decoded, `hz` also where there is no single pitch.
    """

    arrival: float
    timestamp: int
    sequence: int
    level: float | None
    hz: float | None
    silent: bool


@dataclass(frozen=True)
class Gaps:
    """Losses by RTP numbers, and the longest wait by arrival.

    `timestamp_errors` are (sequence, step) where the RTP timestamp did not advance by 960 for each
    sequence number; `restarts` counts jumps of the sequence that are no loss but a new numbering.
    """

    packets: int
    lost: int
    duplicated: int
    reordered: int
    restarts: int
    timestamp_errors: tuple[tuple[int, int], ...]
    largest_arrival_ms: float
    silent_frames: int


@dataclass(frozen=True)
class Lateness:
    """How much later than an ideal 20 ms schedule each packet came, in ms.

    The schedule of each stretch of speech starts so that its most punctual packet has 0. A new
    stretch begins after a silent frame followed by a pause, and where the RTP timestamp jumps.
    """

    each_ms: tuple[float, ...]

    def percentile(self, percent: float) -> float:
        """Return the lateness that `percent` of the packets do not exceed; nan without packets."""
        ordered = sorted(self.each_ms)
        if not ordered:
            return math.nan
        return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]

    @property
    def p50(self) -> float:
        """Return the median in ms."""
        return self.percentile(50)

    @property
    def p99(self) -> float:
        """Return the 99th percentile in ms."""
        return self.percentile(99)

    @property
    def worst(self) -> float:
        """Return the largest in ms."""
        return self.percentile(100)


@dataclass(frozen=True)
class Seam:
    """What lies between the last frame of one pitch and the first of the next."""

    before: Frame
    after: Frame
    frames_between: int
    silent_frames: int
    lost: int
    extra_timestamp: int
    largest_arrival_ms: float


def sequence_step(earlier: int, later: int) -> int:
    """Return how far a 16-bit sequence number went, negative when it went back."""
    return ((later - earlier + 0x8000) & 0xFFFF) - 0x8000


def timestamp_step(earlier: int, later: int) -> int:
    """Return how far a 32-bit RTP timestamp went, in samples."""
    return ((later - earlier + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def gaps(frames: Sequence[Frame]) -> Gaps:
    """Count what is missing, doubled or out of order."""
    lost = duplicated = reordered = restarts = 0
    errors: list[tuple[int, int]] = []
    missing: set[int] = set()
    newest: Frame | None = None
    for frame in frames:
        step = 1 if newest is None else sequence_step(newest.sequence, frame.sequence)
        if newest is None or abs(step) > _RESTART_STEP:
            restarts += newest is not None
            missing.clear()
        elif step > 0:
            skipped = {(newest.sequence + index) & 0xFFFF for index in range(1, step)}
            missing |= skipped
            lost += len(skipped)
            advance = timestamp_step(newest.timestamp, frame.timestamp)
            if advance != step * FRAME_SAMPLES:
                errors.append((frame.sequence, advance))
        elif frame.sequence in missing:
            missing.discard(frame.sequence)
            lost, reordered = lost - 1, reordered + 1
            continue
        else:
            duplicated += 1
            continue
        newest = frame
    return Gaps(
        packets=len(frames),
        lost=lost,
        duplicated=duplicated,
        reordered=reordered,
        restarts=restarts,
        timestamp_errors=tuple(errors),
        largest_arrival_ms=largest_arrival_ms(frames),
        silent_frames=sum(frame.silent for frame in frames),
    )


def largest_arrival_ms(frames: Sequence[Frame]) -> float:
    """Return the longest time between two neighbouring packets in ms, 0 without any."""
    steps = (later.arrival - earlier.arrival for earlier, later in pairwise(frames))
    return max(steps, default=0.0) * 1000


def lateness(frames: Sequence[Frame]) -> Lateness:
    """Compare each packet's arrival with its place in the stream."""
    late: list[float] = []
    for stretch in _stretches(frames):
        first = stretch[0]
        offsets = [
            frame.arrival
            - timestamp_step(first.timestamp, frame.timestamp) / FRAME_SAMPLES * FRAME_SECONDS
            for frame in stretch
        ]
        start = min(offsets)
        late += [(offset - start) * 1000 for offset in offsets]
    return Lateness(tuple(late))


def seam(frames: Sequence[Frame], first_hz: float, next_hz: float) -> Seam | None:
    """Return the place where one pitch gives way to another, or None when that never happens."""
    last: int | None = None
    for index, frame in enumerate(frames):
        if is_pitch(frame, first_hz):
            last = index
        elif last is not None and is_pitch(frame, next_hz):
            return _seam_between(frames[last : index + 1])
    return None


def is_pitch(frame: Frame, hz: float, tolerance: float = _SAME_PITCH) -> bool:
    """Tell whether a frame sounds at `hz`, within the share `tolerance` of it."""
    return frame.hz is not None and abs(frame.hz - hz) <= tolerance * hz


def mean_level(frames: Sequence[Frame]) -> float:
    """Return the mean power of frames in dBFS; -120 for nothing."""
    powers = [10 ** (frame.level / 10) for frame in frames if frame.level is not None]
    return 10 * math.log10(max(sum(powers) / len(powers), 1e-12)) if powers else -120.0


def in_words(frames: Sequence[Frame], origin: float) -> str:
    """Tell what was heard, one stretch a line, with seconds since `origin`."""
    if not frames:
        return "  nothing was received"
    return "\n".join(_lines(frames, origin))


def _lines(frames: Sequence[Frame], origin: float) -> Iterator[str]:
    begin = 0
    for index in range(1, len(frames) + 1):
        ends = index == len(frames)
        hole = 0.0 if ends else frames[index].arrival - frames[index - 1].arrival
        if not ends and hole < _HOLE_SECONDS and _alike(frames[index - 1], frames[index]):
            continue
        stretch = frames[begin:index]
        start, stop = stretch[0].arrival - origin, stretch[-1].arrival - origin
        count = "1 frame" if len(stretch) == 1 else f"{len(stretch)} frames"
        yield f"  {start:8.3f} - {stop:8.3f} s  {_sound(stretch)} ({count})"
        if hole >= _HOLE_SECONDS:
            yield f"  {'':8} no packets for {hole * 1000:.0f} ms"
        begin = index


def _sound(stretch: Sequence[Frame]) -> str:
    first = stretch[0]
    if first.level is None:
        return "silence frames" if first.silent else "packets, not decoded"
    level = f"{mean_level(stretch):.1f} dBFS"
    if first.silent:
        return "silence"
    if first.hz is None:
        return f"sound without a single pitch, {level}"
    mean = sum(frame.hz or 0.0 for frame in stretch) / len(stretch)
    return f"{mean:.0f} Hz, {level}"


def _alike(one: Frame, other: Frame) -> bool:
    if one.silent != other.silent or (one.level is None) != (other.level is None):
        return False
    if one.hz is None or other.hz is None:
        return one.hz is other.hz
    return is_pitch(one, other.hz)


def _stretches(frames: Sequence[Frame]) -> Iterator[list[Frame]]:
    stretch: list[Frame] = []
    for frame in frames:
        if stretch and _starts_anew(stretch[-1], frame):
            yield stretch
            stretch = []
        stretch.append(frame)
    if stretch:
        yield stretch


def _starts_anew(before: Frame, after: Frame) -> bool:
    expected = sequence_step(before.sequence, after.sequence) * FRAME_SAMPLES
    jumped = timestamp_step(before.timestamp, after.timestamp) != expected
    return jumped or (before.silent and after.arrival - before.arrival > _HOLE_SECONDS)


def _seam_between(frames: Sequence[Frame]) -> Seam:
    before, after = frames[0], frames[-1]
    steps = sequence_step(before.sequence, after.sequence)
    advance = timestamp_step(before.timestamp, after.timestamp)
    return Seam(
        before=before,
        after=after,
        frames_between=len(frames) - 2,
        silent_frames=sum(frame.silent for frame in frames),
        lost=steps - (len(frames) - 1),
        extra_timestamp=advance - steps * FRAME_SAMPLES,
        largest_arrival_ms=largest_arrival_ms(frames),
    )
