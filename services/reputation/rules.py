"""What a change of reputation is, who may make it, and for how long it counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from services.reputation.errors import NotABot, NotYourself, ReasonMissing, ReasonTooLong

MAX_REASON = 500
COOLDOWN = timedelta(minutes=10)
"""One change per giver and receiver in this time."""
RETRACTABLE = timedelta(seconds=60)
"""So long the giver can take a change back."""


class Span(Enum):
    """Over which time changes are added up; the value is in days, 0 for ever."""

    WEEK = 7
    MONTH = 30
    EVER = 0

    @property
    def length(self) -> timedelta:
        """How long an entry counts; meaningless for ever."""
        return timedelta(days=self.value)


MOVING = (Span.WEEK, Span.MONTH)
"""The spans that entries leave again, the shortest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a member asks for."""

    guild_id: int
    giver_id: int
    target_id: int
    target_is_bot: bool
    amount: int
    """1 or -1."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A change that was made."""

    id: int
    guild_id: int
    giver_id: int
    target_id: int
    amount: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An entry, and the target's total with it, or without it once it was taken back."""

    entry: Entry
    total: int


def checked(change: Change) -> Change:
    """Return the change as it will be stored.

    Raises:
        NotYourself, NotABot: nobody can be changed so.
        ReasonMissing, ReasonTooLong: a reason has 1 to 500 characters.
    """
    if change.giver_id == change.target_id:
        raise NotYourself
    if change.target_is_bot:
        raise NotABot
    reason = change.reason.strip()
    if not reason:
        raise ReasonMissing
    if len(reason) > MAX_REASON:
        raise ReasonTooLong(MAX_REASON)
    return Change(
        guild_id=change.guild_id,
        giver_id=change.giver_id,
        target_id=change.target_id,
        target_is_bot=False,
        amount=1 if change.amount > 0 else -1,
        reason=reason,
    )


def spans_left(windows: int) -> tuple[Span, ...]:
    """Return the spans in which an entry counts that still is in `windows` of the moving ones."""
    return (*MOVING[len(MOVING) - windows :], Span.EVER)
