"""What the player needs of the outside world; adapters in `bot/adapters` provide it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from services.audio.track import Track


# ── what an audio node tells ────────────────────────────────────────────────
class EndReason(StrEnum):
    """Why a track ended (Lavalink v4 protocol, TrackEndEvent)."""

    FINISHED = "finished"
    LOAD_FAILED = "loadFailed"
    STOPPED = "stopped"
    REPLACED = "replaced"
    CLEANUP = "cleanup"


@dataclass(frozen=True, slots=True)
class TrackStarted:
    """The node sends the entry's sound."""

    guild_id: int
    entry_id: str


@dataclass(frozen=True, slots=True)
class TrackEnded:
    """The last frame of the entry was sent, or it was taken off."""

    guild_id: int
    entry_id: str
    reason: EndReason


@dataclass(frozen=True, slots=True)
class TrackFailed:
    """The entry could not be opened or decoded, or broke; a `TrackEnded` follows."""

    guild_id: int
    entry_id: str
    message: str


@dataclass(frozen=True, slots=True)
class TrackStuck:
    """No frame could be made for `threshold_ms`."""

    guild_id: int
    entry_id: str
    threshold_ms: int


@dataclass(frozen=True, slots=True)
class PositionReported:
    """Where the entry is, as measured by the node."""

    guild_id: int
    entry_id: str | None
    position_ms: int
    connected: bool


@dataclass(frozen=True, slots=True)
class VoiceSocketClosed:
    """Discord's voice server ended the node's connection for good (voice close `code`)."""

    guild_id: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class NodeLost:
    """A node is gone; the named guilds played there."""

    guild_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NodeReady:
    """A node can be used. `resumed`: it still plays what it played before."""

    resumed: bool


NodeEvent = (
    TrackStarted
    | TrackEnded
    | TrackFailed
    | TrackStuck
    | PositionReported
    | VoiceSocketClosed
    | NodeLost
    | NodeReady
)


# ── what is asked of it ─────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTrack:
    """A queue entry as the node gets it: our id, and the relay's signed link to its sound."""

    entry_id: str
    link: str
    title: str


class AudioNode(Protocol):
    """Turns links into sound in the guild's voice channel (one or several Lavalink v4 nodes)."""

    def listen(self, listener: Callable[[NodeEvent], None]) -> None:
        """Call `listener` with each event, on the event loop, in the order of events."""
        ...

    async def play(
        self, guild_id: int, track: NodeTrack, *, start_ms: int, volume: int, paused: bool
    ) -> None:
        """Replace what plays by `track`; return once the node has opened it.

        `volume` is in per cent, 0 to 1000.

        Raises:
            NodeUnavailable: no node answers.
            TrackUnplayable: the node cannot open or decode it.
        """
        ...

    async def set_next(self, guild_id: int, track: NodeTrack | None) -> bool:
        """Hand over what follows without a gap; False where the node cannot do that."""
        ...

    async def set_paused(self, guild_id: int, *, paused: bool) -> None:
        """Stop or go on at the very position."""
        ...

    async def seek(self, guild_id: int, position_ms: int) -> None:
        """Go to `position_ms` of the current track."""
        ...

    async def set_volume(self, guild_id: int, volume: int) -> None:
        """Set the loudness in per cent, 0 to 1000."""
        ...

    async def stop(self, guild_id: int) -> None:
        """Take the current track (and the next) off; the voice connection stays."""
        ...

    def position_ms(self, guild_id: int) -> int:
        """Return where the current track is, interpolated from the last report.

        After its end, or the loss of its node, it stays what it was then, until the next start.
        """
        ...


class VoiceControl(Protocol):
    """The bot's own presence in voice channels."""

    async def connect(self, guild_id: int, channel_id: int) -> None:
        """Join, or move to, the channel; return once sound can be sent.

        Raises:
            VoiceJoinRefused: no permission to connect or speak, the channel is full or gone.
            NodeUnavailable: no node takes the connection.
        """
        ...

    async def disconnect(self, guild_id: int) -> None:
        """Leave; nothing happens where the bot is in no channel."""
        ...

    def channel_of(self, guild_id: int) -> int | None:
        """Return the voice channel that the bot is in."""
        ...

    def listeners_in(self, guild_id: int) -> int:
        """Count the people (no bots) who share the bot's channel."""
        ...


class MediaSource(Protocol):
    """Finds the audio behind a track and gives nodes a link to it."""

    async def prepare(self, track: Track) -> None:
        """Resolve and open the audio ahead of time; cheap when it is already prepared.

        Raises:
            ExtractionFailed: the site does not give it any more.
            AddressRefused: it leads to an address that may not be fetched.
            TrackRefused: it turned out too long, or live.
        """
        ...

    def link(self, track: Track) -> str:
        """Return a signed http link under which a node can read the audio, with Range."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What the audio itself says of itself; None where it does not."""

    title: str | None
    artist: str | None
    duration_ms: int | None


class MediaProbe(Protocol):
    """Looks into a media file behind a relay link (an audio node's `loadtracks`)."""

    async def probe(self, link: str) -> Probe:
        """Read tags and length.

        Raises:
            TrackUnplayable: it is no audio that can be decoded.
            NodeUnavailable: no node answers.
        """
        ...
