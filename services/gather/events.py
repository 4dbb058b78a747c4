"""What can happen to a gathering. `by` is the member who clicked or typed; times travel beside."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class JoinedChannel:
    """A person's channel changed to the gathering's (no mute, no deafen)."""

    user_id: int


@dataclass(frozen=True, slots=True)
class LeftChannel:
    """A person's channel changed away from the gathering's."""

    user_id: int


@dataclass(frozen=True, slots=True)
class MemberGone:
    """A member left the server."""

    user_id: int


@dataclass(frozen=True, slots=True)
class ChannelGone:
    """The voice channel, or the one with the messages, was deleted."""


@dataclass(frozen=True, slots=True)
class ClickedHere:
    """*I'm here!* was pressed."""

    by: int
    in_channel: bool


@dataclass(frozen=True, slots=True)
class ClickedOut:
    """*I'm out* was pressed."""

    by: int


@dataclass(frozen=True, slots=True)
class SetPings:
    """*Mute pings* or *Unmute pings* was pressed; pressed by two at once, it still means that."""

    by: int
    on: bool


@dataclass(frozen=True, slots=True)
class AskedForSubstitute:
    """*Find a substitute* was pressed."""

    by: int


@dataclass(frozen=True, slots=True)
class StartedNow:
    """*Start now* was pressed."""

    by: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    """*Cancel* was pressed, or the command given."""

    by: int
    may_always: bool = False
    """Whether the member runs this server, and so may cancel what others began."""


@dataclass(frozen=True, slots=True)
class JoinedList:
    """*Join gathering* was pressed."""

    by: int


@dataclass(frozen=True, slots=True)
class LeftList:
    """*Leave gathering* was pressed."""

    by: int


@dataclass(frozen=True, slots=True)
class Expected:
    """`gather expect` named these members, some of them as members of these roles."""

    by: int
    user_ids: frozenset[int]
    role_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Forgotten:
    """`gather forget` named these members."""

    by: int
    user_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Extended:
    """`gather extend` asked for a longer countdown."""

    by: int
    duration: timedelta


@dataclass(frozen=True, slots=True)
class Ticked:
    """The time that the session asked for has come."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Discord took a member who is out of the channel, or found them gone from it."""

    user_id: int


@dataclass(frozen=True, slots=True)
class DisconnectRefused:
    """Discord does not let the bot disconnect members."""

    user_id: int


@dataclass(frozen=True, slots=True)
class CameBack:
    """The bot was away; these people are in the channel now."""

    present: frozenset[int]


Event = (
    JoinedChannel
    | LeftChannel
    | MemberGone
    | ChannelGone
    | ClickedHere
    | ClickedOut
    | SetPings
    | AskedForSubstitute
    | StartedNow
    | Cancelled
    | JoinedList
    | LeftList
    | Expected
    | Forgotten
    | Extended
    | Ticked
    | Disconnected
    | DisconnectRefused
    | CameBack
)
