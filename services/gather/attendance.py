"""Who came to a gathering, who was late, out or missing: the roll, and statistics over many."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.gather.gathering import Gathering
from services.gather.session import Attendee, Ending, Status

PERIODS = (timedelta(days=30), timedelta(days=90), None)
"""Over which statistics are shown; None is ever."""


class Outcome(StrEnum):
    """How an expected member did."""

    ON_TIME = "on_time"
    LATE = "late"
    OUT = "out"
    MISSING = "missing"


_ORDER = {Outcome.ON_TIME: 0, Outcome.LATE: 0, Outcome.OUT: 1, Outcome.MISSING: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """One expected member of one gathering."""

    user_id: int
    name: str
    outcome: Outcome
    late_s: int = 0
    """Whole seconds since the start; 0 unless late."""
    arrived_at: datetime | None = None
    first_join: datetime | None = None
    """When they were first seen in the voice channel."""
    present_s: int = 0
    """Whole seconds in the voice channel from the start to the end."""


def roll(gathering: Gathering) -> tuple[Attendance, ...]:
    """Return the list: arrived by lateness, then out, then missing, each by name."""
    lines = [_attendance(gathering, attendee) for attendee in gathering.session.attendees.values()]
    return tuple(sorted(lines, key=_place))


def ledger(gathering: Gathering) -> tuple[Attendance, ...]:
    """Return what is kept for good of a gathering that has ended.

    Nobody is missed at a gathering that was called off, but who came to it came.
    """
    called_off = gathering.session.ending in (Ending.CANCELLED, Ending.CHANNEL_GONE)
    return tuple(
        line for line in roll(gathering) if not (called_off and line.outcome is Outcome.MISSING)
    )


def _attendance(gathering: Gathering, attendee: Attendee) -> Attendance:
    late_s = int(gathering.session.lateness(attendee).total_seconds())
    stay = gathering.stays.get(attendee.user_id)
    return Attendance(
        user_id=attendee.user_id,
        name=gathering.names.get(attendee.user_id, f"member {attendee.user_id}"),
        outcome=_outcome(attendee, late_s),
        late_s=late_s,
        arrived_at=attendee.arrived_at,
        first_join=stay.first_join if stay else None,
        present_s=int(stay.seconds) if stay else 0,
    )


def _outcome(attendee: Attendee, late_s: int) -> Outcome:
    if attendee.status is Status.ARRIVED:
        return Outcome.LATE if late_s else Outcome.ON_TIME
    return Outcome.OUT if attendee.status is Status.RECONSIDERING else Outcome.MISSING


def _place(line: Attendance) -> tuple[int, int, float, str, int]:
    arrived = line.arrived_at.timestamp() if line.arrived_at else 0.0
    return (_ORDER[line.outcome], line.late_s, arrived, line.name.casefold(), line.user_id)


# ── statistics ──────────────────────────────────────────────────────────────
type Tally = Mapping[tuple[Outcome, int], int]
"""How often a member had an outcome with that lateness in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How a member did over some time."""

    on_time: int
    late: int
    out: int
    missing: int
    median_late_s: int | None
    """Of all arrivals, those on time counting 0; None where there was none."""
    median_when_late_s: int | None
    """Of the late arrivals alone."""

    @property
    def expected(self) -> int:
        """How often the member was waited for to the end, so not counting opted-out ones."""
        return self.on_time + self.late + self.missing

    @property
    def on_time_rate(self) -> float | None:
        """The share of arrivals on time, 0 to 1; None where the member was never waited for."""
        return self.on_time / self.expected if self.expected else None


def record_of(tally: Tally) -> Record:
    """Return what a tally says."""
    counts = dict.fromkeys(Outcome, 0)
    late: dict[int, int] = {}
    for (outcome, late_s), times in tally.items():
        counts[outcome] += times
        if outcome is Outcome.LATE:
            late[late_s] = late.get(late_s, 0) + times
    return Record(
        on_time=counts[Outcome.ON_TIME],
        late=counts[Outcome.LATE],
        out=counts[Outcome.OUT],
        missing=counts[Outcome.MISSING],
        median_late_s=_median({**late, 0: counts[Outcome.ON_TIME]}),
        median_when_late_s=_median(late),
    )


def _median(times_by_value: Mapping[int, int]) -> int | None:
    """Return the lower median of values that are given with their numbers."""
    left = (sum(times_by_value.values()) + 1) // 2
    for value in sorted(times_by_value) if left else ():
        left -= times_by_value[value]
        if left <= 0:
            return value
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastGathering:
    """One line of a member's history."""

    held_at: datetime
    outcome: Outcome
    late_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberStats:
    """A member's attendance in one guild."""

    records: tuple[Record, ...]
    """One for each of `PERIODS`."""
    recent: tuple[PastGathering, ...]
    """The newest first."""
