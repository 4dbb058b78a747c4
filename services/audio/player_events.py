"""What happens in a player by itself, told upwards so that somebody can tell the members."""

from dataclasses import dataclass
from enum import StrEnum

from services.audio.player_state import QueuedTrack


class StopCause(StrEnum):
    """Why playback stopped though there was something to play."""

    FAILURES = "failures"  # three tracks in a row failed
    VOICE = "voice"  # the voice channel could not be joined again


@dataclass(frozen=True, slots=True, kw_only=True)
class NowPlaying:
    """A track has begun to sound (not again for each turn of a looped track)."""

    guild_id: int
    text_channel_id: int | None
    entry: QueuedTrack
    silent: bool
    """The guild wants no message for it in this session; presence may still show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackWentOn:
    """A track sounds again after its node was gone or the bot restarted; good for presence."""

    guild_id: int
    text_channel_id: int | None
    entry: QueuedTrack


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSkipped:
    """A track could not be played, also not at the second try; the queue goes on."""

    guild_id: int
    text_channel_id: int | None
    entry: QueuedTrack
    reason: str
    """One sentence for the members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackStopped:
    """Playback ended against the members' wish; what is queued stays queued."""

    guild_id: int
    text_channel_id: int | None
    cause: StopCause
    reason: str
    """One sentence for the members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFinished:
    """The last track has ended."""

    guild_id: int
    text_channel_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackHalted:
    """Nothing sounds any more because a member stopped it or made the bot leave."""

    guild_id: int
    text_channel_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftIdle:
    """The bot has said goodbye: nothing was played for a while."""

    guild_id: int
    text_channel_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftAlone:
    """The bot has left because nobody listened any more."""

    guild_id: int
    text_channel_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrownOut:
    """Somebody removed the bot from its voice channel; queue and current track are gone."""

    guild_id: int
    text_channel_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackMoved:
    """Somebody moved the bot; it goes on in the other channel."""

    guild_id: int
    text_channel_id: int | None
    voice_channel_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackInterrupted:
    """The audio node is gone; playback goes on by itself when one is back."""

    guild_id: int
    text_channel_id: int | None


PlayerEvent = (
    NowPlaying
    | PlaybackWentOn
    | TrackSkipped
    | PlaybackStopped
    | QueueFinished
    | PlaybackHalted
    | LeftIdle
    | LeftAlone
    | ThrownOut
    | PlaybackMoved
    | PlaybackInterrupted
)
