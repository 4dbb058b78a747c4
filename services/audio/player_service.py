"""The players of all guilds: what commands ask of them, and what the outside world tells them."""

from collections.abc import Callable, Sequence

from services.audio.player_events import PlayerEvent
from services.audio.player_state import (
    LoopMode,
    PlayerView,
    QueuedTrack,
    QueuePage,
    SkipOutcome,
    Where,
)
from services.audio.ports import AudioNode, MediaSource, VoiceControl
from services.audio.track import Track
from services.clock import Clock


class PlayerService:
    """One player for each guild; nothing is shared between guilds.

    Put a track in with `push_track`, wait for `stored` before telling anybody, and call
    `kick_off_playback` after every push: it starts playback where nothing plays.
    """

    def __init__(
        self,
        *,
        node: AudioNode,
        voice: VoiceControl,
        media: MediaSource,
        clock: Clock,
        announce: Callable[[PlayerEvent], None],
        idle_leave_seconds: float = 300,
        alone_leave_seconds: float = 30,
    ) -> None:
        raise NotImplementedError

    def view(self, guild_id: int) -> PlayerView:
        """Show the player as it is now; a guild that never played has a player at rest."""
        raise NotImplementedError

    def page(self, guild_id: int, page: int, *, size: int = 10) -> QueuePage:
        """Show a page of the queue, counted from 1; a number too large or small is corrected."""
        raise NotImplementedError

    async def history(self, guild_id: int, *, limit: int = 10) -> tuple[Track, ...]:
        """Return the tracks that were played last, the newest first."""
        raise NotImplementedError

    async def connect(
        self, guild_id: int, voice_channel_id: int, *, text_channel_id: int | None
    ) -> None:
        """Join the channel, or stay in it; the player's messages go to `text_channel_id`.

        Raises:
            VoiceJoinRefused: no permission to connect or speak, the channel is full or gone.
            NodeUnavailable: no node takes the connection.
        """
        raise NotImplementedError

    def push_track(self, guild_id: int, track: Track, where: Where) -> QueuedTrack:
        """Insert the track; cannot fail and never waits."""
        raise NotImplementedError

    def push_tracks(
        self, guild_id: int, tracks: Sequence[Track], where: Where
    ) -> Sequence[QueuedTrack]:
        """Insert the tracks in their order (also at the front); cannot fail and never waits."""
        raise NotImplementedError

    async def stored(self, guild_id: int) -> None:
        """Return when everything changed in this guild so far is on disk.

        Raises:
            StorageUnavailable: the database does not take it now; the change stays in memory
                and is written as soon as possible.
        """
        raise NotImplementedError

    async def kick_off_playback(
        self, guild_id: int, *, replace: bool = False
    ) -> QueuedTrack | None:
        """Start the head of the queue; the one way in which playback starts.

        Returns what was started, and None when something plays (or is paused) already, when the
        queue is empty, or when a stop or leave came between. With `replace` the head takes the
        place of what plays (`playnow`; `playtop` on a paused player).

        A head that fails is left in the queue and its error raised when nothing else is queued or
        `replace` was asked for (take it back then); otherwise it is announced as `TrackSkipped`
        and the next one is tried, at most three.

        Raises:
            VoiceJoinRefused: the voice channel cannot be joined.
            NodeUnavailable: no audio node answers.
            TrackUnplayable: the audio cannot be opened or decoded.
            ExtractionFailed: the site did not give the track.
            AddressRefused: the address may not be fetched.
            TrackRefused: it turned out to be too long or live.
        """
        raise NotImplementedError

    def take_back(self, guild_id: int, entry_id: str) -> bool:
        """Take a queued track out again; False when it is not queued (any more)."""
        raise NotImplementedError

    async def play_now(self, guild_id: int, track: Track) -> QueuedTrack:
        """Play the track in place of the current one; if it fails, nothing has changed.

        Raises what `kick_off_playback` raises.
        """
        raise NotImplementedError

    async def pause(self, guild_id: int, *, by: int) -> QueuedTrack:
        """Pause and remember who did it.

        Raises:
            NothingPlaying: nothing plays, or it is paused already.
        """
        raise NotImplementedError

    async def resume(self, guild_id: int) -> QueuedTrack:
        """Go on with a paused track.

        Raises:
            NothingPlaying: nothing is paused.
        """
        raise NotImplementedError

    async def skip(self, guild_id: int, count: int = 1) -> SkipOutcome:
        """Skip the current track and `count - 1` more; beyond the end playback ends.

        Raises:
            NothingPlaying: nothing plays.
            NodeUnavailable: no audio node answers.
        """
        raise NotImplementedError

    async def stop(self, guild_id: int) -> None:
        """End playback and clear the queue; the history stays, and so does the bot for a while.

        Raises:
            NothingPlaying: nothing plays and nothing is queued.
        """
        raise NotImplementedError

    async def leave(self, guild_id: int) -> None:
        """Leave the voice channel; queue, current track, loop and silence end with the session.

        Raises:
            NothingPlaying: the bot is in no voice channel.
        """
        raise NotImplementedError

    async def seek(self, guild_id: int, position_ms: int) -> int:
        """Go to a position of the current track and return it; below 0 is the beginning.

        Raises:
            NothingPlaying: nothing plays.
            Refusal: the position is beyond the end, or the track is live.
        """
        raise NotImplementedError

    async def replay(self, guild_id: int) -> QueuedTrack:
        """Play the current track from its beginning, also when it was paused.

        Raises:
            NothingPlaying: nothing plays.
        """
        raise NotImplementedError

    async def set_volume(self, guild_id: int, volume: int) -> None:
        """Set the volume in per cent (0 to 500), also for what plays later.

        Raises:
            Refusal: the number is outside of that.
        """
        raise NotImplementedError

    async def set_loop(self, guild_id: int, loop: LoopMode) -> None:
        """Say what becomes of tracks that have ended."""
        raise NotImplementedError

    def set_silent(self, guild_id: int, *, silent: bool) -> None:
        """Say whether this session has messages for new tracks."""
        raise NotImplementedError

    def remove(self, guild_id: int, position: int) -> QueuedTrack:
        """Take the track at `position` (from 1) out of the queue.

        Raises:
            Refusal: there is no such position; the sentence names the valid ones.
        """
        raise NotImplementedError

    def move(self, guild_id: int, position: int, *, to: int) -> QueuedTrack:
        """Move a queued track to another position (both from 1).

        Raises:
            Refusal: there is no such position; the sentence names the valid ones.
        """
        raise NotImplementedError

    async def shuffle(self, guild_id: int) -> int:
        """Mix the queue and return how many tracks it has.

        Raises:
            NothingPlaying: fewer than two tracks are queued.
        """
        raise NotImplementedError

    def clear(self, guild_id: int) -> int:
        """Empty the queue, leave the current track, and return how many were dropped.

        Raises:
            NothingPlaying: the queue is empty.
        """
        raise NotImplementedError

    async def voice_changed(self, guild_id: int, channel_id: int | None) -> None:
        """Take note that the bot itself is in another channel, or in none."""
        raise NotImplementedError

    async def listeners_changed(self, guild_id: int) -> None:
        """Take note that people came to or left the bot's channel."""
        raise NotImplementedError

    async def load(self) -> None:
        """Read every player from the database; before the first command arrives.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        raise NotImplementedError

    async def restore(self) -> None:
        """Rejoin and go on where playback was; after each `on_ready`, and safe to repeat."""
        raise NotImplementedError

    async def close(self) -> None:
        """Store everything and end all background work; voice connections are left alone."""
        raise NotImplementedError
