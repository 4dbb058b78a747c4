"""What is to be done about a gathering: the session returns it, the service performs it."""

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """What a member is told in private about their own click or command."""

    ALREADY_HERE = "already_here"
    ALREADY_OUT = "already_out"
    NOT_IN_CHANNEL = "not_in_channel"
    REJOIN_FIRST = "rejoin_first"
    NOT_EXPECTED = "not_expected"
    ONLY_AUTHOR = "only_author"
    TOO_LONG = "too_long"
    ONLY_IN_COUNTDOWN = "only_in_countdown"
    ASKED_ALREADY = "asked_already"
    NOBODY_MISSING = "nobody_missing"
    CLOSED = "closed"


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


@dataclass(frozen=True, slots=True)
class CannotDisconnect:
    """Say, once, that the bot may not take members out of the channel."""

    user_id: int


@dataclass(frozen=True, slots=True)
class FindSubstitute:
    """Ask, once, who comes in the place of those who are not here."""


Effect = Show | Disconnect | GhostPing | Tell | QuorumReached | CannotDisconnect | FindSubstitute
