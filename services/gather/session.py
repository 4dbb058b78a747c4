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

`leaving` says of a reconsidering member that Discord has yet to take them out of the channel. It
is what tells, after a restart, somebody who was never disconnected from somebody who came back.

Nothing here knows Discord, storage or a clock. Effects may be performed twice without harm, so a
service stores the new state first and performs them afterwards, also after a crash.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.gather.effects import (
    Answer,
    CannotDisconnect,
    Disconnect,
    Effect,
    FindSubstitute,
    GhostPing,
    QuorumReached,
    Show,
    Tell,
)
from services.gather.events import (
    AskedForSubstitute,
    CameBack,
    Cancelled,
    ChannelGone,
    ClickedHere,
    ClickedOut,
    Disconnected,
    DisconnectRefused,
    Event,
    Expected,
    Extended,
    Forgotten,
    JoinedChannel,
    JoinedList,
    LeftChannel,
    LeftList,
    MemberGone,
    SetPings,
    StartedNow,
    Ticked,
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


@dataclass(frozen=True, slots=True)
class Attendee:
    """A member on the check-in's list."""

    user_id: int
    status: Status = Status.MISSING
    arrived_at: datetime | None = None
    leaving: bool = False
    """Out, and not yet taken out of the channel."""


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
        if session.phase is not Phase.CHECK_IN or session.count(Status.MISSING):
            return self
        return Step(session.closed(Ending.COMPLETE, now).session, self.effects)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherSession:
    """Everything about one gathering that its rules need."""

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
    role_ids: frozenset[int] = frozenset()
    """Roles whose members were expected; they are asked for a substitute."""
    attendees: dict[int, Attendee] = field(default_factory=dict)
    author_gone: bool = False
    pings_on: bool = True
    next_ping_at: datetime | None = None
    quorum: int | None = None
    quorum_announced: bool = False
    cannot_disconnect: bool = False
    """Whether it was said that the bot may not take members out of the channel."""
    substitute_asked: bool = False
    ending: Ending | None = None
    closed_at: datetime | None = None

    # ── reading ─────────────────────────────────────────────────────────────
    @property
    def expected(self) -> frozenset[int]:
        """Who would be expected if the check-in started now."""
        author = frozenset() if self.author_gone else frozenset({self.author_id})
        return (self.present | self.wanted | author) - self.unwanted

    @property
    def missing(self) -> tuple[int, ...]:
        """Who is still waited for, by id."""
        return self._with_status(Status.MISSING)

    @property
    def out(self) -> tuple[int, ...]:
        """Who opted out and may still reconsider, by id."""
        return self._with_status(Status.RECONSIDERING)

    @property
    def leaving(self) -> tuple[int, ...]:
        """Who is out and was not taken out of the channel yet, by id."""
        return tuple(sorted(u for u, a in self.attendees.items() if a.leaving))

    @property
    def arrived(self) -> tuple[Attendee, ...]:
        """Who is here, the earliest first."""
        here = [a for a in self.attendees.values() if a.arrived_at is not None]
        return tuple(sorted(here, key=lambda a: (a.arrived_at or self.starts_at, a.user_id)))

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

    def count(self, status: Status) -> int:
        """Return how many members are in a state."""
        return sum(attendee.status is status for attendee in self.attendees.values())

    def _with_status(self, status: Status) -> tuple[int, ...]:
        return tuple(sorted(u for u, a in self.attendees.items() if a.status is status))

    # ── changing ────────────────────────────────────────────────────────────
    def apply(self, event: Event, now: datetime) -> Step:
        """Return the state after `event` and what is to be done; never changes this object."""
        if self.phase is Phase.COUNTDOWN:
            return self._in_countdown(event, now)
        if self.phase is Phase.CHECK_IN:
            return self._in_check_in(event, now)
        return self._when_closed(event)

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
            case Expected(user_ids=user_ids, role_ids=role_ids):
                return self._list(add=user_ids, role_ids=role_ids)
            case Forgotten(user_ids=user_ids):
                return self._list(remove=user_ids)
            case MemberGone(user_id):
                return self._shown(wanted=self.wanted - {user_id}, **self._without(user_id))
            case Extended(by=user_id, duration=duration):
                return self._extend(user_id, duration)
            case StartedNow(by=user_id):
                return self._author_only(user_id) or self._start(now)
            case Cancelled(by=user_id, may_always=may):
                return self._author_only(user_id, may=may) or self.closed(Ending.CANCELLED, now)
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
            case LeftChannel(user_id) | Disconnected(user_id):
                return self._parted(event, user_id)
            case DisconnectRefused(user_id):
                return self._kept_in_channel(user_id)
            case ClickedHere(by=user_id, in_channel=in_channel):
                return self._here(user_id, now, in_channel=in_channel)
            case ClickedOut(by=user_id):
                return self._opt_out(user_id, now)
            case SetPings(on=on):
                return self._set_pings(now, on=on)
            case AskedForSubstitute(by=user_id):
                return self._ask_for_substitute(user_id)
            case Expected(user_ids=user_ids, role_ids=role_ids):
                return self._expect(user_ids, role_ids)
            case Forgotten(user_ids=user_ids):
                return self._forget(user_ids, now)
            case MemberGone(user_id):
                return self._forget({user_id}, now, **self._without(user_id))
            case Extended(by=by) | StartedNow(by=by) | JoinedList(by=by) | LeftList(by=by):
                return Step(self, (Tell(by, Answer.ONLY_IN_COUNTDOWN),))
            case Cancelled(by=user_id, may_always=may):
                return self._author_only(user_id, may=may) or self.closed(Ending.CANCELLED, now)
            case ChannelGone():
                return self.closed(Ending.CHANNEL_GONE, now)
            case CameBack(present=present):
                return self._came_back(present, now)
            case Ticked():
                return self._tick_check_in(now)

    def _when_closed(self, event: Event) -> Step:
        """Finish what the check-in began; everything else comes too late."""
        match event:
            case LeftChannel(user_id=gone) | Disconnected(user_id=gone):
                return self._parted(event, gone)
            case DisconnectRefused(user_id=gone):
                return self._kept_in_channel(gone)
            case CameBack(present=present):
                here = tuple(Disconnect(u) for u in self.leaving if u in present)
                return Step(self._all_parted(set(self.leaving) - present), (Show(), *here))
            case AskedForSubstitute(by=asker):
                return self._ask_for_substitute(asker)
        by: int | None = getattr(event, "by", None)
        return Step(self, (Tell(by, Answer.CLOSED),) if by is not None else ())

    # ── countdown ───────────────────────────────────────────────────────────
    def _list(
        self,
        *,
        add: Iterable[int] = (),
        remove: Iterable[int] = (),
        role_ids: frozenset[int] = frozenset(),
    ) -> Step:
        added, removed = frozenset(add), frozenset(remove)
        return self._shown(
            wanted=(self.wanted | added) - removed,
            unwanted=(self.unwanted | removed) - added,
            role_ids=self.role_ids | role_ids,
        )

    def _extend(self, user_id: int, duration: timedelta) -> Step:
        longer = self.starts_at + duration
        if longer - self.created_at > LONGEST_COUNTDOWN:
            return Step(self, (Tell(user_id, Answer.TOO_LONG),))
        return self._shown(starts_at=longer)

    def _tick_countdown(self, now: datetime) -> Step:
        return self._start(now) if now >= self.starts_at else Step(self, (Show(),))

    def _start(self, now: datetime) -> Step:
        return self._shown(
            phase=Phase.CHECK_IN,
            starts_at=now,
            attendees={user_id: Attendee(user_id) for user_id in sorted(self.expected)},
            next_ping_at=now + GRACE,
        ).closed_if_complete(now)

    # ── check-in: coming ────────────────────────────────────────────────────
    def _joined(self, user_id: int, now: datetime) -> Step:
        present = self.present | {user_id}
        if self._status(user_id) in (None, Status.ARRIVED):
            return Step(replace(self, present=present))
        step = self._arrive(user_id, now)
        return Step(replace(step.session, present=present), step.effects)

    def _here(self, user_id: int, now: datetime, *, in_channel: bool) -> Step:
        status = self._status(user_id)
        if status is Status.ARRIVED:
            return Step(self, (Tell(user_id, Answer.ALREADY_HERE),))
        if status is Status.RECONSIDERING:
            return Step(self, (Tell(user_id, Answer.REJOIN_FIRST),))
        if not in_channel:
            return Step(self, (Tell(user_id, Answer.NOT_IN_CHANNEL),))
        return self._arrive(user_id, now)

    def _arrive(self, user_id: int, now: datetime) -> Step:
        session = self._with(Attendee(user_id, Status.ARRIVED, now))
        effects: tuple[Effect, ...] = (Show(),)
        count = session.count(Status.ARRIVED)
        if session.quorum is not None and not session.quorum_announced and count >= session.quorum:
            session = replace(session, quorum_announced=True)
            effects += (QuorumReached(count),)
        return Step(session, effects).closed_if_complete(now)

    # ── check-in: going ─────────────────────────────────────────────────────
    def _opt_out(self, user_id: int, now: datetime) -> Step:
        match self._status(user_id):
            case None:
                return Step(self, (Tell(user_id, Answer.NOT_EXPECTED),))
            case Status.ARRIVED:
                return Step(self, (Tell(user_id, Answer.ALREADY_HERE),))
            case Status.RECONSIDERING:
                return Step(self, (Tell(user_id, Answer.ALREADY_OUT),))
        inside = user_id in self.present
        session = self._with(Attendee(user_id, Status.RECONSIDERING, leaving=inside))
        effects: tuple[Effect, ...] = (Disconnect(user_id), Show()) if inside else (Show(),)
        return Step(session, effects).closed_if_complete(now)

    def _parted(self, event: LeftChannel | Disconnected, user_id: int) -> Step:
        """Note that a member is not in the channel any more.

        `Disconnected` may come later than what the member did next, so it counts only for those
        who have not been seen leaving.
        """
        attendee = self.attendees.get(user_id)
        leaving = attendee is not None and attendee.leaving
        if isinstance(event, Disconnected) and not leaving:
            return Step(self)
        return Step(self._all_parted({user_id}))

    def _all_parted(self, user_ids: Iterable[int]) -> "GatherSession":
        gone = frozenset(user_ids)
        attendees = {
            u: replace(a, leaving=False) if u in gone and a.leaving else a
            for u, a in self.attendees.items()
        }
        return replace(self, present=self.present - gone, attendees=attendees)

    def _kept_in_channel(self, user_id: int) -> Step:
        attendee = self.attendees.get(user_id)
        if attendee is None or not attendee.leaving:
            return Step(self)
        session = self._with(replace(attendee, leaving=False))
        if session.cannot_disconnect:
            return Step(session)
        return Step(replace(session, cannot_disconnect=True), (CannotDisconnect(user_id),))

    # ── check-in: the list ──────────────────────────────────────────────────
    def _expect(self, user_ids: frozenset[int], role_ids: frozenset[int]) -> Step:
        new = {u: Attendee(u) for u in sorted(user_ids) if u not in self.attendees}
        return self._shown(attendees={**self.attendees, **new}, role_ids=self.role_ids | role_ids)

    def _forget(self, user_ids: Iterable[int], now: datetime, **changes: object) -> Step:
        gone = {u for u in user_ids if self._status(u) is not Status.ARRIVED}
        kept = {u: a for u, a in self.attendees.items() if u not in gone}
        return self._shown(attendees=kept, **changes).closed_if_complete(now)

    def _ask_for_substitute(self, user_id: int) -> Step:
        if user_id != self.author_id and user_id not in self.attendees:
            return Step(self, (Tell(user_id, Answer.NOT_EXPECTED),))
        if self.substitute_asked:
            return Step(self, (Tell(user_id, Answer.ASKED_ALREADY),))
        if not self.missing and not self.out:
            return Step(self, (Tell(user_id, Answer.NOBODY_MISSING),))
        return Step(replace(self, substitute_asked=True), (FindSubstitute(), Show()))

    # ── check-in: time ──────────────────────────────────────────────────────
    def _set_pings(self, now: datetime, *, on: bool) -> Step:
        if on is self.pings_on:
            return Step(self)
        return self._shown(pings_on=on, next_ping_at=self._ping_after(now) if on else None)

    def _came_back(self, present: frozenset[int], now: datetime) -> Step:
        """Count the joins, and finish the disconnects, that a restart interrupted."""
        session = self._all_parted(self.present - present)
        step = Step(session, (Show(), *(Disconnect(u) for u in session.leaving)))
        for user_id in sorted(present - self.present):
            step = step.and_then(JoinedChannel(user_id), now)
        return step.and_then(Ticked(), now)

    def _tick_check_in(self, now: datetime) -> Step:
        if now >= self.starts_at + CHECK_IN_LIMIT:
            return self.closed(Ending.TIMED_OUT, now)
        if self.next_ping_at is None or now < self.next_ping_at:
            return Step(self)
        session = replace(self, next_ping_at=self._ping_after(now))
        return Step(session, (GhostPing(self.missing), Show()))

    def _ping_after(self, now: datetime) -> datetime:
        """Return the next ping's time; pings that were missed are never made up for."""
        first = self.starts_at + GRACE
        if now < first:
            return first
        return first + ((now - first) // PING_EVERY + 1) * PING_EVERY

    # ── all phases ──────────────────────────────────────────────────────────
    def _author_only(self, user_id: int, *, may: bool = False) -> Step | None:
        on_list = user_id in self.expected or user_id in self.attendees
        if may or user_id == self.author_id or (self.author_gone and on_list):
            return None
        return Step(self, (Tell(user_id, Answer.ONLY_AUTHOR),))

    def _status(self, user_id: int) -> Status | None:
        attendee = self.attendees.get(user_id)
        return None if attendee is None else attendee.status

    def _with(self, attendee: Attendee) -> "GatherSession":
        return replace(self, attendees={**self.attendees, attendee.user_id: attendee})

    def _without(self, user_id: int) -> dict[str, object]:
        gone = self.author_gone or user_id == self.author_id
        return {"present": self.present - {user_id}, "author_gone": gone}

    def _shown(self, **changes: object) -> Step:
        return Step(replace(self, **changes), (Show(),))  # type: ignore[arg-type]  # fields of ours

    def closed(self, ending: Ending, now: datetime) -> Step:
        """End the gathering."""
        return self._shown(phase=Phase.CLOSED, ending=ending, closed_at=now, next_ping_at=None)
