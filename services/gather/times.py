"""Reads when a gathering is to start: a duration or a time of the day, two hours ahead at most."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.errors import Refusal
from services.gather.session import LONGEST_COUNTDOWN
from services.text.when import next_clock, parse_clock, parse_span


class StartNotUnderstood(Refusal):
    """The text is neither a duration nor a time of the day."""

    def __init__(self) -> None:
        super().__init__("Write a time like `10m`, `1h 30m` or `14:30`.")


class StartTooFar(Refusal):
    """The countdown would be longer than it may be."""

    def __init__(self) -> None:
        hours = LONGEST_COUNTDOWN // timedelta(hours=1)
        super().__init__(f"A countdown lasts at most {hours} hours, extensions included.")


class NotLater(Refusal):
    """The countdown would become shorter."""

    def __init__(self) -> None:
        super().__init__("The gathering does not start before that anyway. Name a later time.")


def read_start(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """Return when the check-in starts, in UTC; a time of the day is the zone's next such.

    Raises:
        StartNotUnderstood: the text is neither a duration nor a time of the day.
        StartTooFar: it is more than two hours ahead.
    """
    try:
        start = _moment(text, after=now, now=now, zone=zone)
    except (OverflowError, ValueError):
        raise StartTooFar from None
    if start - now > LONGEST_COUNTDOWN:
        raise StartTooFar
    return start


def read_extension(text: str, *, starts_at: datetime, now: datetime, zone: ZoneInfo) -> timedelta:
    """Return by how much a countdown gets longer.

    Raises:
        StartNotUnderstood: the text is neither a duration nor a time of the day.
        StartTooFar: it is more than two hours.
        NotLater: it would not start later than it does anyway.
    """
    try:
        longer = _moment(text, after=starts_at, now=now, zone=zone) - starts_at
    except (OverflowError, ValueError):
        raise StartTooFar from None
    if longer <= timedelta():
        raise NotLater
    if longer > LONGEST_COUNTDOWN:
        raise StartTooFar
    return longer


def _moment(text: str, *, after: datetime, now: datetime, zone: ZoneInfo) -> datetime:
    if (clock := parse_clock(text)) is not None:
        return next_clock(clock, now, zone)
    if (span := parse_span(text)) is not None:
        return span.after(after, zone)
    raise StartNotUnderstood
