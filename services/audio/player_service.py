"""The players of all guilds: what commands ask of them, and what the outside world tells them."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

from services.audio.errors import NothingPlaying
from services.audio.guild_player import GuildPlayer
from services.audio.journal import Journal
from services.audio.limits import DEFAULT_LIMITS, TrackLimits
from services.audio.outside import Outside
from services.audio.player_events import PlayerEvent
from services.audio.player_state import (
    Edited,
    Found,
    LoopMode,
    PlayerView,
    QueuedTrack,
    QueuePage,
    SkipOutcome,
    Where,
)
from services.audio.player_store import PlayerStore
from services.audio.ports import (
    AudioNode,
    MediaSource,
    NodeEvent,
    NodeLost,
    NodeReady,
    VoiceControl,
)
from services.audio.queue_editing import QueueEditing, check_position
from services.audio.session import MAX_VOLUME
from services.audio.track import Track
from services.audio.trail import TRAIL_LENGTH
from services.audio.undo_log import Change
from services.background import BackgroundTasks
from services.clock import Clock
from services.db.errors import StorageUnavailable
from services.errors import Refusal

_log = logging.getLogger(__name__)

_POSITION_SECONDS = 5
_SHARE = 100
"""So many players are looked at before the event loop gets its turn."""
_RECOVERIES_AT_ONCE = 16


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
        store: PlayerStore,
        clock: Clock,
        announce: Callable[[PlayerEvent], None],
        limits: TrackLimits = DEFAULT_LIMITS,
        idle_leave_seconds: float = 300,
        alone_leave_seconds: float = 30,
    ) -> None:
        self._store = store
        self._clock = clock
        self._voice = voice
        self._journal = Journal(store, clock)
        self._tasks = BackgroundTasks("player")
        self._editing = QueueEditing(self._player)
        self._outside = Outside(
            node=node,
            voice=voice,
            media=media,
            clock=clock,
            journal=self._journal,
            tasks=self._tasks,
            announce=announce,
            new_play_number=itertools.count(int(clock.now().timestamp() * 1_000_000)).__next__,
            limits=limits,
            idle_leave_seconds=idle_leave_seconds,
            alone_leave_seconds=alone_leave_seconds,
        )
        self._players: dict[int, GuildPlayer] = {}
        self._recoveries = asyncio.Semaphore(_RECOVERIES_AT_ONCE)
        self._node_resumed: bool | None = None  # None: no node has been ready yet
        self._restored = False
        self._closed = False
        node.listen(self._on_node_event)

    def view(self, guild_id: int) -> PlayerView:
        """Show the player as it is now; a guild that never played has a player at rest."""
        return self._player(guild_id).view()

    def page(self, guild_id: int, page: int, *, size: int = 10) -> QueuePage:
        """Show a page of the queue, counted from 1; a number too large or small is corrected."""
        return self._player(guild_id).queue.page(page, size=size)

    async def history(self, guild_id: int, *, limit: int = 10) -> tuple[Track, ...]:
        """Return the tracks that were played last, the newest first."""
        return await self._store.history(guild_id, limit=limit)

    async def connect(
        self, guild_id: int, voice_channel_id: int, *, text_channel_id: int | None
    ) -> None:
        """Join the channel, or stay in it; the player's messages go to `text_channel_id`.

        Raises:
            VoiceJoinRefused: no permission to connect or speak, the channel is full or gone.
            NodeUnavailable: no node takes the connection.
        """
        await self._player(guild_id).connect(voice_channel_id, text_channel_id=text_channel_id)

    def push_track(self, guild_id: int, track: Track, where: Where) -> QueuedTrack:
        """Insert the track; cannot fail and never waits."""
        player = self._player(guild_id)
        queued = player.queue.push(track, where)
        player.queue_changed()
        return queued

    def push_tracks(
        self, guild_id: int, tracks: Sequence[Track], where: Where
    ) -> Sequence[QueuedTrack]:
        """Insert the tracks in their order (also at the front); cannot fail and never waits."""
        if not tracks:
            return ()
        player = self._player(guild_id)
        queued = player.queue.push_many(tracks, where)
        player.queue_changed()
        return queued

    @property
    def storage_problem(self) -> str | None:
        """Return why changes are not stored just now, as one sentence; None: they are."""
        return self._journal.problem

    async def stored(self, guild_id: int) -> None:
        """Return when everything changed in this guild so far is on disk.

        Raises:
            StorageUnavailable: the database does not take it now; the change stays in memory
                and is written as soon as possible.
        """
        await self._journal.stored(guild_id)

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
        return await self._player(guild_id).kick_off(replace=replace)

    def take_back(self, guild_id: int, entry_id: str) -> bool:
        """Take a queued track out again; False when it is not queued (any more)."""
        player = self._player(guild_id)
        taken = player.queue.remove(entry_id)
        if taken:
            player.queue_changed()
        return taken

    async def play_now(self, guild_id: int, track: Track) -> QueuedTrack:
        """Play the track in place of the current one; if it fails, nothing has changed.

        Raises what `kick_off_playback` raises.
        """
        queued = self.push_track(guild_id, track, Where.FRONT)
        try:
            await self.kick_off_playback(guild_id, replace=True)
        except BaseException:
            self.take_back(guild_id, queued.entry_id)
            raise
        return queued

    async def pause(self, guild_id: int, *, by: int) -> QueuedTrack:
        """Pause and remember who did it.

        Raises:
            NothingPlaying: nothing plays, or it is paused already.
        """
        return await self._player(guild_id).pause(by)

    async def resume(self, guild_id: int) -> QueuedTrack:
        """Go on with a paused track.

        Raises:
            NothingPlaying: nothing is paused.
        """
        return await self._player(guild_id).resume()

    async def skip(self, guild_id: int, count: int = 1) -> SkipOutcome:
        """Skip the current track and `count - 1` more; beyond the end playback ends.

        Raises:
            NothingPlaying: nothing plays.
            NodeUnavailable: no audio node answers.
        """
        if count < 1:
            raise Refusal("Skip at least one track.")
        return await self._player(guild_id).skip(count)

    async def stop(self, guild_id: int) -> None:
        """End playback and clear the queue; the history stays, and so does the bot for a while.

        Raises:
            NothingPlaying: nothing plays and nothing is queued.
        """
        await self._player(guild_id).stop()

    async def leave(self, guild_id: int) -> None:
        """Leave the voice channel; queue, current track, loop and silence end with the session.

        Raises:
            NothingPlaying: the bot is in no voice channel.
        """
        await self._player(guild_id).leave()

    async def seek(self, guild_id: int, position_ms: int) -> int:
        """Go to a position of the current track and return it; below 0 is the beginning.

        Raises:
            NothingPlaying: nothing plays.
            Refusal: the position is beyond the end, or the track is live.
        """
        return await self._player(guild_id).seek(position_ms)

    async def replay(self, guild_id: int) -> QueuedTrack:
        """Play the current track from its beginning, also when it was paused.

        Raises:
            NothingPlaying: nothing plays.
        """
        player = self._player(guild_id)
        await player.seek(0)
        if player.session.paused:
            return await player.resume()
        current = player.queue.current
        if current is None:
            raise NothingPlaying("Nothing is playing.")
        return current

    async def set_volume(self, guild_id: int, volume: int) -> None:
        """Set the volume in per cent (0 to 500), also for what plays later.

        Raises:
            Refusal: the number is outside of that.
        """
        if not 0 <= volume <= MAX_VOLUME:
            raise Refusal(f"The volume goes from 0 to {MAX_VOLUME} per cent.")
        await self._player(guild_id).set_volume(volume)

    async def set_loop(self, guild_id: int, loop: LoopMode) -> None:
        """Say what becomes of tracks that have ended."""
        player = self._player(guild_id)
        player.session.loop = loop
        player.queue_changed()

    def set_silent(self, guild_id: int, *, silent: bool) -> None:
        """Say whether this session has messages for new tracks."""
        player = self._player(guild_id)
        player.session.silent = silent
        player.note()

    async def jump(self, guild_id: int, position: int) -> SkipOutcome:
        """Play the track at `position` (from 1) now and pass over what stands before it.

        Raises:
            NothingPlaying: nothing plays.
            Refusal: there is no such position; the sentence names the valid ones.
            NodeUnavailable: no audio node answers.
        """
        player = self._player(guild_id)
        check_position(position, len(player.queue))
        (wanted,) = player.queue.page(position, size=1).entries
        return await player.skip(position, to=wanted.entry_id)

    async def previous(self, guild_id: int) -> QueuedTrack:
        """Play what was played before the current track, which comes again after it.

        Raises:
            NothingPlaying: nothing was.
            and what `kick_off_playback` raises; the current track plays on then.
        """
        player = self._player(guild_id)
        if not player.trail.known:
            with suppress(StorageUnavailable):  # what this process has played is known
                await self.stored(guild_id)
                history = await self.history(guild_id, limit=TRAIL_LENGTH)
                player.trail.remember(history, current=player.queue.current)
        return await player.previous()

    def remove(self, guild_id: int, position: int) -> Edited:
        """Take the track at `position` (from 1) out of the queue.

        Raises:
            Refusal: there is no such position; the sentence names the valid ones.
        """
        return self._editing.remove(guild_id, position)

    async def remove_range(self, guild_id: int, first: int, last: int) -> Edited:
        """Take the tracks from one position to another (both from 1) out of the queue.

        Raises:
            Refusal: there is no such position; the sentence names the valid ones.
        """
        return await self._editing.remove_range(guild_id, first, last)

    async def remove_of(self, guild_id: int, user_id: int) -> Edited:
        """Take all tracks out of the queue that a member has added.

        Raises:
            NothingFound: there is none.
        """
        return await self._editing.remove_of(guild_id, user_id)

    async def remove_duplicates(self, guild_id: int) -> Edited:
        """Leave the first of several queued tracks with the same address.

        Raises:
            NothingFound: no track is queued twice.
        """
        return await self._editing.remove_duplicates(guild_id)

    def move(self, guild_id: int, position: int, *, to: int) -> Edited:
        """Move a queued track to another position (both from 1).

        Raises:
            Refusal: there is no such position; the sentence names the valid ones.
        """
        return self._editing.move(guild_id, position, to=to)

    async def shuffle(self, guild_id: int) -> Edited:
        """Mix the queue; the outcome names what comes next now.

        Raises:
            NothingPlaying: fewer than two tracks are queued.
        """
        return await self._editing.shuffle(guild_id)

    def clear(self, guild_id: int) -> Edited:
        """Empty the queue and leave the current track.

        Raises:
            NothingPlaying: the queue is empty.
        """
        return self._editing.clear(guild_id)

    async def undo(self, guild_id: int, number: int | None = None) -> Change:
        """Take the change of that number back, or the newest; return what it was.

        What came into the queue since stays there. A skipped track plays again from where it was.

        Raises:
            Refusal: it is older than a minute, was undone already, or its track is gone.
            and what `kick_off_playback` raises.
        """
        return await self._editing.undo(guild_id, number)

    async def find(self, guild_id: int, text: str, *, limit: int = 100) -> Found:
        """Return the queued tracks whose title and artist hold all words of `text`."""
        return await self._editing.find(guild_id, text, limit=limit)

    async def voice_changed(self, guild_id: int, channel_id: int | None) -> None:
        """Take note that the bot itself is in another channel, or in none."""
        _log.info("the bot is in voice channel %s of guild %s", channel_id, guild_id)
        if not self._closed and (player := self._players.get(guild_id)) is not None:
            player.voice_changed()

    async def listeners_changed(self, guild_id: int) -> None:
        """Take note that people came to or left the bot's channel."""
        if not self._closed and (player := self._players.get(guild_id)) is not None:
            player.listeners_changed()

    async def load(self) -> None:
        """Read every player from the database; before the first command arrives.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        for stored in await self._store.load():
            self._player(stored.record.guild_id).load(stored)

    async def restore(self) -> None:
        """Rejoin and go on where playback was; after each `on_ready`, and safe to repeat."""
        if not self._restored:
            self._restored = True
            self._tasks.start(self._store_positions(), name="store positions")
        if self._node_resumed is not None:
            await self._recover(resumed=True)

    async def close(self) -> None:
        """Store everything and end all background work; voice connections are left alone.

        Close the player before the connection to Discord: the bot's own departure would else
        look like being thrown out. Safe to repeat.
        """
        if self._closed:
            return
        self._closed = True
        for player in self._players.values():
            player.close()
        await self._tasks.close()
        await self._journal.close()

    # ── inside ──────────────────────────────────────────────────────────────
    def _player(self, guild_id: int) -> GuildPlayer:
        if (player := self._players.get(guild_id)) is None:
            player = self._players[guild_id] = GuildPlayer(guild_id, self._outside)
        return player

    def _on_node_event(self, event: NodeEvent) -> None:
        if self._closed:
            return
        match event:
            case NodeLost(guild_ids=guild_ids):
                for guild_id in guild_ids:
                    if (player := self._players.get(guild_id)) is not None:
                        player.suspend()
            case NodeReady(resumed=resumed):
                self._node_resumed = resumed
                if self._restored:
                    self._tasks.start(self._recover(resumed=resumed), name="recover")
            case _:
                if (player := self._players.get(event.guild_id)) is not None:
                    player.node_event(event)

    async def _recover(self, *, resumed: bool) -> None:
        async for player in self._in_shares():
            if player.session.voice_channel_id is not None:
                player.recover(self._recoveries, resumed=resumed)

    async def _store_positions(self) -> None:
        while True:
            await self._clock.sleep(_POSITION_SECONDS)
            async for player in self._in_shares():
                if player.moving:
                    player.note()

    async def _in_shares(self) -> AsyncIterator[GuildPlayer]:
        for share in itertools.batched(list(self._players.values()), _SHARE):
            for player in share:
                yield player
            await asyncio.sleep(0)
