"""Reads the moments and durations that members write.

```
when      = relative | date ["_" time | " " time] | time | word
relative  = part {part}            "10s", "1mo 15s", "1h30m"; each unit once
part      = digits unit
unit      = "s" | "m" | "min" | "h" | "d" | "w" | "mo" | "y"   (longer names of them too)
date      = day "-" month "-" year          "24-12-2026"; without a time: 09:00
time      = hour ":" minute                 today, or tomorrow if already past
word      = ("tomorrow" | "week") ["_" time | " " time]     in one or seven days; else 09:00
repeat    = "every" ("day" | weekday) time  "every day 09:00", "every monday 18:30"
```

Seconds, minutes and hours are exact time. Days, weeks, months and years are steps on the calendar
of the guild's zone: the clock on the wall shows the same time, whatever summer time does between.
A month that is too short ends on its last day. A wall time that summer time skips moves forward by
the skipped hour; one that happens twice means the first.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.errors import Refusal

MORNING = time(9, 0)
FARTHEST = timedelta(days=2 * 366)
_LONGEST_TEXT = 64

FORMS = (
    "10s",
    "1h 30m",
    "7d",
    "1mo 15s",
    "14:30",
    "24-12-2026",
    "24-12-2026_15:30",
    "tomorrow",
    "week",
)
"""Examples of everything that can be written for a moment, for the refusal."""

REPEAT_FORMS = ("every day 09:00", "every monday 18:30")
"""Examples of what can be written for something that happens again and again."""


class WhenNotUnderstood(Refusal):
    """The text is none of the forms."""

    def __init__(self, forms: tuple[str, ...] = FORMS) -> None:
        super().__init__("I do not understand that time. Write one of: " + ", ".join(forms) + ".")


class WhenInThePast(Refusal):
    """The moment has passed already."""

    def __init__(self) -> None:
        super().__init__("That time is in the past.")


class WhenTooFar(Refusal):
    """The moment is more than two years away."""

    def __init__(self) -> None:
        super().__init__("That is more than two years away.")


@dataclass(frozen=True, slots=True)
class Span:
    """A written duration: calendar steps, and exact time."""

    months: int = 0
    days: int = 0
    exact: timedelta = timedelta()

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the moment (UTC) that lies this span after an aware `moment`."""
        local = moment.astimezone(zone)
        if self.months or self.days:
            day = _add_months(local.date(), self.months) + timedelta(days=self.days)
            local = _on_the_wall(day, local.time(), zone)
        return local.astimezone(UTC) + self.exact


@dataclass(frozen=True, slots=True)
class Repeat:
    """A time of the day, each day or on one day of the week."""

    clock: time
    weekday: int | None = None
    """0 is Monday; None: each day."""

    def __str__(self) -> str:
        day = "day" if self.weekday is None else _WEEKDAYS[self.weekday]
        return f"every {day} {self.clock:%H:%M}"

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the next time (UTC) after an aware `moment` at which the zone's clocks show it."""
        today = moment.astimezone(zone).date()
        for days in range(-1, 15):  # yesterday's may have moved past midnight
            day = today + timedelta(days=days)
            if self.weekday in (None, day.weekday()):
                then = _on_the_wall(day, self.clock, zone).astimezone(UTC)
                if then > moment:
                    return then
        raise AssertionError("a week has passed in two weeks")


_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS: dict[str, int | None] = {
    "day": None,
    **{name: number for number, name in enumerate(_WEEKDAYS)},
    **{name[:3]: number for number, name in enumerate(_WEEKDAYS)},
}
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "week", "weeks"), "w"),
    **dict.fromkeys(("mo", "month", "months"), "mo"),
    **dict.fromkeys(("y", "year", "years"), "y"),
}
_PART = re.compile(r"\s*(\d{1,9})\s*([a-z]+)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_DATE = re.compile(r"(\d{1,2})-(\d{1,2})-(\d{4})(?:[_ ](\d{1,2}:\d{2}))?")
_IN_DAYS = {"tomorrow": 1, "week": 7}
_WORD = re.compile(r"(tomorrow|week)(?:[_ ](\d{1,2}:\d{2}))?")
_REPEAT = re.compile(r"every\s+([a-z]+)\s+(\d{1,2}:\d{2})")


def parse_span(text: str) -> Span | None:
    """Read a relative time such as `1h 30m`; None where it is none or a unit stands twice."""
    text = text.strip().lower()
    if len(text) > _LONGEST_TEXT:
        return None
    amounts: dict[str, int] = {}
    end = 0
    while end < len(text):
        part = _PART.match(text, end)
        unit = _UNITS.get(part[2]) if part else None
        if part is None or unit is None or unit in amounts:
            return None
        amounts[unit] = int(part[1])
        end = part.end()
    if not amounts:
        return None
    seconds = sum(amounts.get(unit, 0) * length for unit, length in _SECONDS.items())
    return Span(
        months=amounts.get("mo", 0) + 12 * amounts.get("y", 0),
        days=amounts.get("d", 0) + 7 * amounts.get("w", 0),
        exact=timedelta(seconds=seconds),
    )


def parse_clock(text: str) -> time | None:
    """Read a time of the day such as `14:30`; None where it is none."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:  # noqa: PLR2004 -- a clock
        return None
    return time(int(match[1]), int(match[2]))


def next_clock(clock: time, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the next moment (UTC), after `now`, at which clocks in the zone show `clock`."""
    today = now.astimezone(zone).date()
    for days in range(3):
        moment = _on_the_wall(today + timedelta(days=days), clock, zone).astimezone(UTC)
        if moment > now:
            return moment
    raise AssertionError("a day has passed in two days")


def parse_when(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """Read a moment; the answer is aware, in UTC and after `now`.

    Raises:
        WhenNotUnderstood: the text is none of the forms.
        WhenInThePast: the moment is not after `now`.
        WhenTooFar: it is more than two years away.
    """
    try:
        moment = _moment(text.strip().lower(), now=now, zone=zone)
    except (OverflowError, ValueError):
        raise WhenTooFar from None
    if moment is None:
        raise WhenNotUnderstood
    if moment <= now:
        raise WhenInThePast
    if moment - now > FARTHEST:
        raise WhenTooFar
    return moment


def parse_repeat(text: str) -> Repeat | None:
    """Read what happens again and again, such as `every monday 18:30`; None where it is not."""
    match = _REPEAT.fullmatch(text.strip().lower())
    clock = parse_clock(match[2]) if match else None
    if match is None or clock is None or match[1] not in _DAYS:
        return None
    return Repeat(clock, _DAYS[match[1]])


def is_a_time(text: str) -> bool:
    """Tell whether the text is a moment or a repetition, be it past, near or far."""
    if parse_repeat(text) is not None:
        return True
    try:
        moment = _moment(text.strip().lower(), now=_ANY_MOMENT, zone=_ANY_ZONE)
    except (OverflowError, ValueError):
        return True
    return moment is not None


_ANY_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
_ANY_ZONE = ZoneInfo("UTC")


def _moment(text: str, *, now: datetime, zone: ZoneInfo) -> datetime | None:
    if (clock := parse_clock(text)) is not None:
        return next_clock(clock, now, zone)
    if (match := _WORD.fullmatch(text)) is not None:
        day = now.astimezone(zone).date() + timedelta(days=_IN_DAYS[match[1]])
        return _at(day, match[2], zone)
    if (match := _DATE.fullmatch(text)) is not None:
        return _dated(match, zone)
    if (span := parse_span(text)) is not None:
        return span.after(now, zone)
    return None


def _dated(match: re.Match[str], zone: ZoneInfo) -> datetime | None:
    try:
        day = date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        return None
    return _at(day, match[4], zone)


def _at(day: date, clock: str | None, zone: ZoneInfo) -> datetime | None:
    """Return the moment on a day, in the morning where no time is written."""
    time_of_day = parse_clock(clock) if clock else MORNING
    return None if time_of_day is None else _on_the_wall(day, time_of_day, zone).astimezone(UTC)


def _add_months(day: date, months: int) -> date:
    if not months:
        return day
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _on_the_wall(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return the moment at which the zone's clocks show this; a skipped one moves forward."""
    return datetime.combine(day, clock.replace(tzinfo=None, fold=0), zone)
