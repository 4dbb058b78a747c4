"""A gathering as it is kept: its session, where it takes place, and what the bot still owes to it.

`Gathering.after(occurrence, now)` is the one way in which it changes. An occurrence is an event of
the session, or a note about what the bot has done in Discord. What must be said exactly once (the
quorum, the closing card, …) is *owed* from the event on until a note says that it was said: stored
with the session, so that a crash in between costs nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
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
from services.gather.events import Event
from services.gather.session import GatherSession, Phase


class Notice(StrEnum):
    """A message that is owed to the channel, once."""

    QUORUM = "quorum"
    CANNOT_DISCONNECT = "cannot_disconnect"
    SUBSTITUTE = "substitute"
    FAREWELL = "farewell"
    """The last state of the message, and the closing card."""


_OWED_FOR: Mapping[type[Effect], Notice] = {
    QuorumReached: Notice.QUORUM,
    CannotDisconnect: Notice.CANNOT_DISCONNECT,
    FindSubstitute: Notice.SUBSTITUTE,
}


# ── notes ───────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class MessagePosted:
    """The gathering's message stands in the channel."""

    message_id: int


@dataclass(frozen=True, slots=True)
class PingPosted:
    """The ghost ping stands in the channel, in these messages, and is to be deleted."""

    message_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PingDeleted:
    """Nothing of the ghost ping is left, or nothing can be done about it any more."""


@dataclass(frozen=True, slots=True)
class NoticePaid:
    """An owed message was sent."""

    notice: Notice


Note = MessagePosted | PingPosted | PingDeleted | NoticePaid
Occurrence = Event | Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """A ghost ping from its being due to its deletion."""

    due: datetime
    message_ids: tuple[int, ...] = ()
    """What is to be deleted, also of the ping before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """How long somebody has been in the voice channel since the check-in began."""

    first_join: datetime
    """When they were first seen there, also during the countdown."""
    since: datetime | None
    """From when on they are there now; None while they are not."""
    seconds: float = 0.0
    """Of earlier stays."""

    def until(self, now: datetime) -> "Stay":
        """Return the stay as it ends now."""
        if self.since is None:
            return self
        seconds = self.seconds + max(0.0, (now - self.since).total_seconds())
        return replace(self, since=None, seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """Everything about one gathering that must survive a restart."""

    id: int = 0
    """Its number in the database; 0 until it is stored."""
    guild_id: int
    voice_channel_id: int
    text_channel_id: int
    session: GatherSession
    names: Mapping[int, str] = field(default_factory=dict)
    """How its people are called; members type that, so make it harmless before showing it."""
    stays: Mapping[int, Stay] = field(default_factory=dict)
    message_id: int | None = None
    message_at: datetime | None = None
    """When that message was posted."""
    ping: Ping | None = None
    """The ghost ping that is on its way or stands in the channel."""
    owed: frozenset[Notice] = frozenset()

    @property
    def open(self) -> bool:
        """Whether it still goes on."""
        return self.session.phase is not Phase.CLOSED

    @property
    def done(self) -> bool:
        """Whether it is over and nothing is left to be done about it."""
        return not (self.open or self.owed or self.ping or self.session.leaving)

    def entered(self) -> "Gathering":
        """Return the same gathering with those present counted from its creation on."""
        created = self.session.created_at
        stay = Stay(first_join=created, since=created)
        return replace(self, stays=dict.fromkeys(sorted(self.session.present), stay))

    def numbered(self, gathering_id: int) -> "Gathering":
        """Return the same gathering as the database counts it."""
        return replace(self, id=gathering_id)

    def known_as(self, names: Mapping[int, str]) -> "Gathering":
        """Return the same gathering with newer names."""
        return replace(self, names={**self.names, **names}) if names else self

    def after(self, occurrence: Occurrence, now: datetime) -> "Change":
        """Return the gathering after something happened, and what is to be done about it."""
        match occurrence:
            case MessagePosted(message_id):
                return Change(replace(self, message_id=message_id, message_at=now))
            case PingPosted(message_ids) if self.ping is not None:
                return Change(replace(self, ping=replace(self.ping, message_ids=message_ids)))
            case PingPosted() | PingDeleted():
                return Change(replace(self, ping=None))
            case NoticePaid(notice):
                return Change(replace(self, owed=self.owed - {notice}))
        return self._after_event(occurrence, now)

    def _after_event(self, event: Event, now: datetime) -> "Change":
        step = self.session.apply(event, now)
        owed = {_OWED_FOR[type(e)] for e in step.effects if type(e) in _OWED_FOR}
        if self.open and step.session.phase is Phase.CLOSED:
            owed.add(Notice.FAREWELL)
        gathering = replace(
            self,
            session=step.session,
            stays=stays_after(self.stays, self.session, step.session, now=now),
            owed=self.owed | owed,
        )
        if any(isinstance(effect, GhostPing) for effect in step.effects):
            left = self.ping.message_ids if self.ping else ()
            gathering = replace(gathering, ping=Ping(due=now, message_ids=left))
        doing = tuple(e for e in step.effects if isinstance(e, Show | Disconnect | GhostPing))
        told = next((e.answer for e in step.effects if isinstance(e, Tell)), None)
        return Change(gathering, doing, told)


@dataclass(frozen=True, slots=True)
class Change:
    """A gathering after an occurrence; `answer` is for whoever caused it."""

    gathering: Gathering
    effects: tuple[Effect, ...] = ()
    answer: Answer | None = None


def stays_after(
    stays: Mapping[int, Stay], before: GatherSession, after: GatherSession, *, now: datetime
) -> Mapping[int, Stay]:
    """Return who has been in the channel for how long, after a session changed."""
    if before.phase is Phase.CLOSED or (
        before.phase is after.phase and before.present == after.present
    ):
        return stays
    changed = dict(stays)
    for user_id in before.present - after.present:
        changed[user_id] = changed[user_id].until(now)
    for user_id in after.present - before.present:
        known = changed.get(user_id)
        first = known.first_join if known else now
        changed[user_id] = Stay(
            first_join=first, since=now, seconds=known.seconds if known else 0.0
        )
    if before.phase is Phase.COUNTDOWN and after.phase is not Phase.COUNTDOWN:
        changed = {
            user_id: replace(stay, seconds=0.0, since=now if stay.since else None)
            for user_id, stay in changed.items()
        }
    if after.phase is Phase.CLOSED:
        changed = {user_id: stay.until(now) for user_id, stay in changed.items()}
    return changed
