"""One gathering as a pure state machine: `session.apply(event, now)` → next state and effects.

```
            due, Start now                    nobody missing, cancelled, 30 min over
COUNTDOWN ───────────────────► CHECK_IN ─────────────────────────────────────► CLOSED
     └──────── cancelled ─────────────────────────────────────────────────────────┘
```

During the check-in each expected member is in one of these states:

| state         | I'm here! (in the channel) | joins it | I'm out                     |
| ------------- | -------------------------- | -------- | --------------------------- |
| missing       | arrived                    | arrived  | reconsidering, disconnected |
| arrived       | refused: already           | nothing  | refused: already here       |
| reconsidering | refused: join the channel  | arrived  | refused: already out        |

A reconsidering member is out, and watched: only a *join* (a change of channel, never a mute or
deafen) brings them back. Whoever is in the channel when the check-in starts is expected, not
arrived: they press the button. Members who are not expected are not touched by joining; pressing
*I'm here!* in the channel puts them on the list.

Nothing here knows Discord, storage or a clock. Effects may be performed twice without harm, so a
service stores the new state first and performs them afterwards, also after a crash.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.gather.events import (
    CameBack,
    Cancelled,
    ChannelGone,
    ClickedHere,
    ClickedOut,
    Event,
    Expected,
    Extended,
    Forgotten,
    JoinedChannel,
    JoinedList,
    LeftChannel,
    LeftList,
    MemberGone,
    StartedNow,
    Ticked,
    ToggledPings,
)

GRACE = timedelta(seconds=60)
"""Arrivals within this time after the start count as on time."""
PING_EVERY = timedelta(seconds=30)
CHECK_IN_LIMIT = timedelta(minutes=30)
LONGEST_COUNTDOWN = timedelta(hours=2)
"""Extensions included."""


class Phase(StrEnum):
    """Where the gathering is in its life."""

    COUNTDOWN = "countdown"
    CHECK_IN = "check_in"
    CLOSED = "closed"


class Ending(StrEnum):
    """Why a gathering was closed."""

    COMPLETE = "complete"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    CHANNEL_GONE = "channel_gone"


class Status(StrEnum):
    """An expected member's state in the check-in."""

    MISSING = "missing"
    ARRIVED = "arrived"
    RECONSIDERING = "reconsidering"


class Answer(StrEnum):
    """What a member is told in private about their own click or command."""

    ALREADY_HERE = "already_here"
    ALREADY_OUT = "already_out"
    NOT_IN_CHANNEL = "not_in_channel"
    NOT_EXPECTED = "not_expected"
    ONLY_AUTHOR = "only_author"
    TOO_LONG = "too_long"
    ONLY_IN_COUNTDOWN = "only_in_countdown"
    CLOSED = "closed"


# ── effects ─────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Show:
    """Bring the message up to date with the session."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Take the member out of the gathering's voice channel, beside everything else."""

    user_id: int


@dataclass(frozen=True, slots=True)
class GhostPing:
    """Mention the missing and delete the mention 0.7 s later."""

    user_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tell:
    """Answer one member in private."""

    user_id: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class QuorumReached:
    """Announce, once, that as many as wanted are here."""

    arrived: int


Effect = Show | Disconnect | GhostPing | Tell | QuorumReached


@dataclass(frozen=True, slots=True)
class Attendee:
    """A member on the check-in's list."""

    user_id: int
    status: Status = Status.MISSING
    arrived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """The state after an event, and what is to be done now that it is so."""

    session: "GatherSession"
    effects: tuple[Effect, ...] = ()

    def and_then(self, event: Event, now: datetime) -> "Step":
        """Apply one more event and keep the effects of both."""
        following = self.session.apply(event, now)
        return Step(following.session, self.effects + following.effects)

    def closed_if_complete(self, now: datetime) -> "Step":
        """Close a check-in in which nobody is missing any more."""
        session = self.session
        if session.phase is not Phase.CHECK_IN or session.missing:
            return self
        return Step(session.closed(Ending.COMPLETE, now).session, self.effects)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherSession:
    """Everything about one gathering that must survive a restart."""

    author_id: int
    created_at: datetime
    starts_at: datetime
    present: frozenset[int]
    """People (no bots) in the voice channel, as last seen."""
    phase: Phase = Phase.COUNTDOWN
    wanted: frozenset[int] = frozenset()
    """Named by `expect` or *Join gathering*, beside those present and the author."""
    unwanted: frozenset[int] = frozenset()
    """Named by `forget` or *Leave gathering*."""
    attendees: dict[int, Attendee] = field(default_factory=dict)
    pings_on: bool = True
    next_ping_at: datetime | None = None
    quorum: int | None = None
    quorum_announced: bool = False
    ending: Ending | None = None
    closed_at: datetime | None = None

    # ── reading ─────────────────────────────────────────────────────────────
    @property
    def expected(self) -> frozenset[int]:
        """Who would be expected if the check-in started now."""
        return (self.present | self.wanted | {self.author_id}) - self.unwanted

    @property
    def missing(self) -> tuple[int, ...]:
        """Who is still waited for, by id."""
        return tuple(sorted(u for u, a in self.attendees.items() if a.status is Status.MISSING))

    @property
    def arrived(self) -> tuple[Attendee, ...]:
        """Who is here, the earliest first."""
        here = [a for a in self.attendees.values() if a.arrived_at is not None]
        return tuple(sorted(here, key=lambda a: (a.arrived_at or self.starts_at, a.user_id)))

    @property
    def out(self) -> tuple[int, ...]:
        """Who opted out and may still reconsider, by id."""
        states = self.attendees.items()
        return tuple(sorted(u for u, a in states if a.status is Status.RECONSIDERING))

    def lateness(self, attendee: Attendee) -> timedelta:
        """Return how late the member came: zero within the grace, else the time since the start."""
        if attendee.arrived_at is None:
            return timedelta()
        late = attendee.arrived_at - self.starts_at
        return late if late > GRACE else timedelta()

    @property
    def wakes_at(self) -> datetime | None:
        """When `Ticked` must be applied next; None once closed."""
        if self.phase is Phase.COUNTDOWN:
            return self.starts_at
        if self.phase is Phase.CLOSED:
            return None
        limit = self.starts_at + CHECK_IN_LIMIT
        return limit if self.next_ping_at is None else min(limit, self.next_ping_at)

    # ── changing ────────────────────────────────────────────────────────────
    def apply(self, event: Event, now: datetime) -> Step:
        """Return the state after `event` and what is to be done; never changes this object."""
        if self.phase is Phase.CLOSED:
            return self._refuse_closed(event)
        if self.phase is Phase.COUNTDOWN:
            return self._in_countdown(event, now)
        return self._in_check_in(event, now)

    def _refuse_closed(self, event: Event) -> Step:
        user_id = getattr(event, "by", None)
        return Step(self, (Tell(user_id, Answer.CLOSED),) if user_id is not None else ())

    def _in_countdown(self, event: Event, now: datetime) -> Step:  # noqa: C901, PLR0911, PLR0912 -- one row an event
        match event:
            case JoinedChannel(user_id):
                return self._shown(present=self.present | {user_id})
            case LeftChannel(user_id):
                return self._shown(present=self.present - {user_id})
            case JoinedList(by=user_id):
                return self._list(add={user_id})
            case LeftList(by=user_id):
                return self._list(remove={user_id})
            case Expected(user_ids=user_ids):
                return self._list(add=user_ids)
            case Forgotten(user_ids=user_ids):
                return self._list(remove=user_ids)
            case MemberGone(user_id):
                return self._list(remove={user_id})
            case Extended(by=user_id, duration=duration):
                return self._extend(user_id, duration)
            case StartedNow(by=user_id):
                return self._author_only(user_id) or self._start(now)
            case Cancelled(by=user_id):
                return self._author_only(user_id) or self.closed(Ending.CANCELLED, now)
            case ChannelGone():
                return self.closed(Ending.CHANNEL_GONE, now)
            case CameBack(present=present):
                return Step(replace(self, present=present)).and_then(Ticked(), now)
            case Ticked():
                return self._tick_countdown(now)
            case _:
                return Step(self)

    def _in_check_in(self, event: Event, now: datetime) -> Step:  # noqa: C901, PLR0911, PLR0912 -- one row an event
        match event:
            case JoinedChannel(user_id):
                return self._joined(user_id, now)
            case LeftChannel(user_id):
                return Step(replace(self, present=self.present - {user_id}))
            case ClickedHere(by=user_id, in_channel=in_channel):
                return self._here(user_id, now, in_channel=in_channel)
            case ClickedOut(by=user_id):
                return self._opt_out(user_id, now)
            case ToggledPings():
                return self._toggle_pings(now)
            case Expected(user_ids=user_ids):
                return self._expect(user_ids)
            case Forgotten(user_ids=user_ids):
                return self._forget(user_ids, now)
            case MemberGone(user_id):
                return self._forget({user_id}, now)
            case Extended(by=user_id):
                return Step(self, (Tell(user_id, Answer.ONLY_IN_COUNTDOWN),))
            case Cancelled(by=user_id):
                return self._author_only(user_id) or self.closed(Ending.CANCELLED, now)
            case ChannelGone():
                return self.closed(Ending.CHANNEL_GONE, now)
            case CameBack(present=present):
                return self._came_back(present, now)
            case Ticked():
                return self._tick_check_in(now)
            case _:
                return Step(self)

    # ── countdown ───────────────────────────────────────────────────────────
    def _shown(self, **changes: object) -> Step:
        return Step(replace(self, **changes), (Show(),))  # type: ignore[arg-type]  # fields of ours

    def _list(self, *, add: Iterable[int] = (), remove: Iterable[int] = ()) -> Step:
        added, removed = frozenset(add), frozenset(remove)
        return self._shown(
            wanted=(self.wanted | added) - removed, unwanted=(self.unwanted | removed) - added
        )

    def _extend(self, user_id: int, duration: timedelta) -> Step:
        longer = self.starts_at + duration
        if longer - self.created_at > LONGEST_COUNTDOWN:
            return Step(self, (Tell(user_id, Answer.TOO_LONG),))
        return self._shown(starts_at=longer)

    def _author_only(self, user_id: int) -> Step | None:
        if user_id == self.author_id:
            return None
        return Step(self, (Tell(user_id, Answer.ONLY_AUTHOR),))

    def _tick_countdown(self, now: datetime) -> Step:
        return self._start(now) if now >= self.starts_at else Step(self, (Show(),))

    def _start(self, now: datetime) -> Step:
        return self._shown(
            phase=Phase.CHECK_IN,
            starts_at=now,
            attendees={user_id: Attendee(user_id) for user_id in sorted(self.expected)},
            next_ping_at=now + GRACE,
        ).closed_if_complete(now)

    # ── check-in ────────────────────────────────────────────────────────────
    def _joined(self, user_id: int, now: datetime) -> Step:
        session = replace(self, present=self.present | {user_id})
        attendee = self.attendees.get(user_id)
        if attendee is None or attendee.status is Status.ARRIVED:
            return Step(session)
        return session.arrive(user_id, now)

    def _here(self, user_id: int, now: datetime, *, in_channel: bool) -> Step:
        attendee = self.attendees.get(user_id)
        if attendee is not None and attendee.status is Status.ARRIVED:
            return Step(self, (Tell(user_id, Answer.ALREADY_HERE),))
        reconsidering = attendee is not None and attendee.status is Status.RECONSIDERING
        if not in_channel or reconsidering:
            return Step(self, (Tell(user_id, Answer.NOT_IN_CHANNEL),))
        return self.arrive(user_id, now)

    def arrive(self, user_id: int, now: datetime) -> Step:
        """Count the member as here from `now` on."""
        session = self._with(Attendee(user_id, Status.ARRIVED, now))
        effects: tuple[Effect, ...] = (Show(),)
        count = len(session.arrived)
        if session.quorum is not None and not session.quorum_announced and count >= session.quorum:
            session = replace(session, quorum_announced=True)
            effects += (QuorumReached(count),)
        return Step(session, effects).closed_if_complete(now)

    def _opt_out(self, user_id: int, now: datetime) -> Step:
        attendee = self.attendees.get(user_id)
        if attendee is None:
            return Step(self, (Tell(user_id, Answer.NOT_EXPECTED),))
        if attendee.status is Status.ARRIVED:
            return Step(self, (Tell(user_id, Answer.ALREADY_HERE),))
        if attendee.status is Status.RECONSIDERING:
            return Step(self, (Tell(user_id, Answer.ALREADY_OUT),))
        session = self._with(Attendee(user_id, Status.RECONSIDERING))
        return Step(session, (Disconnect(user_id), Show())).closed_if_complete(now)

    def _toggle_pings(self, now: datetime) -> Step:
        if self.pings_on:
            return self._shown(pings_on=False, next_ping_at=None)
        return self._shown(pings_on=True, next_ping_at=self._ping_after(now))

    def _expect(self, user_ids: frozenset[int]) -> Step:
        new = {u: Attendee(u) for u in sorted(user_ids) if u not in self.attendees}
        return self._shown(attendees={**self.attendees, **new})

    def _forget(self, user_ids: Iterable[int], now: datetime) -> Step:
        gone = {u for u in user_ids if self._may_be_forgotten(u)}
        kept = {u: a for u, a in self.attendees.items() if u not in gone}
        return self._shown(attendees=kept).closed_if_complete(now)

    def _may_be_forgotten(self, user_id: int) -> bool:
        attendee = self.attendees.get(user_id)
        return attendee is not None and attendee.status is not Status.ARRIVED

    def _came_back(self, present: frozenset[int], now: datetime) -> Step:
        """Count the joins, and finish the disconnects, that a restart interrupted."""
        step = Step(replace(self, present=self.present & present), (Show(),))
        for user_id in sorted(present - self.present):
            step = step.and_then(JoinedChannel(user_id), now)
        unfinished = tuple(Disconnect(u) for u in step.session.out if u in self.present & present)
        return replace(step, effects=step.effects + unfinished).and_then(Ticked(), now)

    def _tick_check_in(self, now: datetime) -> Step:
        if now >= self.starts_at + CHECK_IN_LIMIT:
            return self.closed(Ending.TIMED_OUT, now)
        if self.next_ping_at is None or now < self.next_ping_at:
            return Step(self)
        session = replace(self, next_ping_at=self._ping_after(now))
        return Step(session, (GhostPing(self.missing),) if self.missing else ())

    def _ping_after(self, now: datetime) -> datetime:
        """Return the next ping's time; pings that were missed are never made up for."""
        first = self.starts_at + GRACE
        if now < first:
            return first
        return first + ((now - first) // PING_EVERY + 1) * PING_EVERY

    # ── both ────────────────────────────────────────────────────────────────
    def _with(self, attendee: Attendee) -> "GatherSession":
        return replace(self, attendees={**self.attendees, attendee.user_id: attendee})

    def closed(self, ending: Ending, now: datetime) -> Step:
        """End the gathering."""
        return self._shown(phase=Phase.CLOSED, ending=ending, closed_at=now, next_ping_at=None)
