"""What a reminder is; pure values."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

from services.text.when import (
    FORMS,
    REPEAT_FORMS,
    Repeat,
    WhenNotUnderstood,
    parse_repeat,
    parse_when,
)

MAX_OPEN = 25
"""So many open reminders a member may have scheduled, and as many others may have for them."""
MAX_TARGETS = 3
MAX_NOTE = 1500
PER_PAGE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A reminder that is to be."""

    guild_id: int
    channel_id: int
    scheduled_by: int
    targets: tuple[int, ...]
    note: str
    due_at: datetime
    zone: str
    """The guild's time zone when it was asked for, by name; a repetition keeps to it."""
    repeats: Repeat | None = None
    link: tuple[int, int | None] | None = None
    """Channel and message that led to it; None: not known yet."""
    snooze_of: tuple[int, int] | None = None
    """The reminder that is snoozed, and which occurrence of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A reminder as it is stored."""

    id: int
    guild_id: int
    channel_id: int
    link_channel_id: int
    link_message_id: int | None
    scheduled_by: int
    targets: tuple[int, ...]
    note: str
    created_at: datetime
    due_at: datetime
    zone: str
    repeats: Repeat | None
    occurrence: int
    """How often it has fired."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return when it is due again after this occurrence; None for once."""
        if self.repeats is None:
            return None
        return self.repeats.after(max(moment, self.due_at), ZoneInfo(self.zone))

    def concerns(self, user_id: int) -> bool:
        """Tell whether somebody scheduled it or is reminded by it."""
        return user_id == self.scheduled_by or user_id in self.targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """An occurrence that this process alone is to fire."""

    reminder: Reminder
    tried_at: datetime | None
    """When it was first taken, where nobody said that it was done; None: it is the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderPage:
    """Some of a member's open reminders, the next one first."""

    reminders: tuple[Reminder, ...]
    number: int
    """Counts from 1."""
    pages: int
    count: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of a reminder that somebody did not want any more."""

    reminder: Reminder
    for_all: bool
    """False: the member is not reminded, others still are."""


class Snooze(Enum):
    """How long the buttons put a reminder off; the value is a moment as members write it."""

    TEN_MINUTES = "10m"
    HOUR = "1h"
    TOMORROW = "tomorrow"


def read_schedule(text: str, *, now: datetime, zone: ZoneInfo) -> tuple[datetime, Repeat | None]:
    """Read when a reminder is due first, and how it repeats.

    Raises:
        WhenNotUnderstood: the text is none of the forms, which the sentence lists.
        WhenInThePast, WhenTooFar: the moment is not within the next two years.
    """
    if (repeat := parse_repeat(text)) is not None:
        return repeat.after(now, zone), repeat
    try:
        return parse_when(text, now=now, zone=zone), None
    except WhenNotUnderstood:
        raise WhenNotUnderstood((*FORMS, *REPEAT_FORMS)) from None
