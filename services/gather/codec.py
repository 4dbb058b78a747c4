"""Gatherings and their events as JSON, readable by later versions: what is not there is default."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from services.gather.events import Event
from services.gather.gathering import Gathering, Notice, Ping, Stay
from services.gather.session import Attendee, Ending, GatherSession, Phase, Status

type Json = dict[str, Any]


def dump(gathering: Gathering) -> str:
    """Return everything about a gathering that has no column of its own."""
    session = gathering.session
    state: Json = {
        "author_gone": session.author_gone,
        "present": sorted(session.present),
        "wanted": sorted(session.wanted),
        "unwanted": sorted(session.unwanted),
        "roles": sorted(session.role_ids),
        "attendees": [
            [a.user_id, a.status, _stamp(a.arrived_at), a.leaving]
            for a in session.attendees.values()
        ],
        "pings_on": session.pings_on,
        "next_ping_at": _stamp(session.next_ping_at),
        "quorum": session.quorum,
        "quorum_announced": session.quorum_announced,
        "cannot_disconnect": session.cannot_disconnect,
        "substitute_asked": session.substitute_asked,
        "names": {str(user_id): name for user_id, name in gathering.names.items()},
        "stays": [
            [user_id, _stamp(stay.first_join), _stamp(stay.since), stay.seconds]
            for user_id, stay in gathering.stays.items()
        ],
        "message_at": _stamp(gathering.message_at),
        "ping": gathering.ping and [_stamp(gathering.ping.due), *gathering.ping.message_ids],
        "owed": sorted(gathering.owed),
    }
    return json.dumps(state, separators=(",", ":"))


def load(
    state: str,
    *,
    columns: Mapping[str, Any],
) -> Gathering:
    """Return the gathering that was stored as `state` beside its columns."""
    told: Json = json.loads(state)
    return Gathering(
        id=columns["id"],
        guild_id=columns["guild_id"],
        voice_channel_id=columns["voice_channel_id"],
        text_channel_id=columns["text_channel_id"],
        message_id=columns["message_id"],
        session=_session(told, columns),
        names={int(user_id): name for user_id, name in told.get("names", {}).items()},
        stays={line[0]: _stay(line) for line in told.get("stays", ())},
        message_at=_moment(told.get("message_at")),
        ping=_ping(told.get("ping")),
        owed=frozenset(map(Notice, told.get("owed", ()))),
    )


def _session(told: Json, columns: Mapping[str, Any]) -> GatherSession:
    ending = columns["ending"]
    return GatherSession(
        author_id=columns["author_id"],
        created_at=columns["created_at"],
        starts_at=columns["starts_at"],
        closed_at=columns["closed_at"],
        phase=Phase(columns["phase"]),
        ending=None if ending is None else Ending(ending),
        author_gone=told.get("author_gone", False),
        present=frozenset(told.get("present", ())),
        wanted=frozenset(told.get("wanted", ())),
        unwanted=frozenset(told.get("unwanted", ())),
        role_ids=frozenset(told.get("roles", ())),
        attendees={line[0]: _attendee(line) for line in told.get("attendees", ())},
        pings_on=told.get("pings_on", True),
        next_ping_at=_moment(told.get("next_ping_at")),
        quorum=told.get("quorum"),
        quorum_announced=told.get("quorum_announced", False),
        cannot_disconnect=told.get("cannot_disconnect", False),
        substitute_asked=told.get("substitute_asked", False),
    )


def _attendee(line: list[Any]) -> Attendee:
    user_id, status, arrived_at, leaving = line
    return Attendee(user_id, Status(status), _moment(arrived_at), leaving=leaving)


def _stay(line: list[Any]) -> Stay:
    _, first_join, since, seconds = line
    first = _moment(first_join)
    assert first is not None
    return Stay(first_join=first, since=_moment(since), seconds=seconds)


def _ping(line: list[Any] | None) -> Ping | None:
    due = _moment(line[0]) if line else None
    return Ping(due=due, message_ids=tuple(line[1:])) if line and due else None


def _stamp(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _moment(stamp: float | None) -> datetime | None:
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC)


# ── the event log ───────────────────────────────────────────────────────────
def kind_of(event: Event) -> str:
    """Return the event's name in the log."""
    return type(event).__name__


def details_of(event: Event) -> str:
    """Return the event's values for the log."""
    return json.dumps({f.name: _plain(getattr(event, f.name)) for f in fields(event)})


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Iterable):
        return sorted(value)
    return value
