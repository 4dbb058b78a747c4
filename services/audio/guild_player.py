"""One guild's player: the commands of its members and the events of its node, one at a time.

What changes only the queue happens at once and without a lock: those steps are synchronous and
therefore atomic. What talks to the node or to voice takes the guild's lock. Node events wait in an
inbox and are handled in their order, each under the lock, so a command never sees half of one.

A stop or leave must not wait until the lookup of some track has ended: it breaks the lookup off
first, and a start that was asked for before it and still waits for the lock comes to nothing
(`_epoch`).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice

from services.audio.announcer import Announcer
from services.audio.countdown import Countdown
from services.audio.errors import NodeUnavailable, NothingPlaying
from services.audio.going_back import GoingBack
from services.audio.inbox import Action, Inbox
from services.audio.opening import Interrupted
from services.audio.outside import Outside
from services.audio.placed_tracks import DroppedTracks, in_slices
from services.audio.playback import Playback
from services.audio.player_events import (
    LeftAlone,
    LeftIdle,
    PlaybackHalted,
    PlaybackMoved,
    PlayerEvent,
    ThrownOut,
)
from services.audio.player_state import LoopMode, PlayerView, QueuedTrack, SkipOutcome
from services.audio.player_store import PlayerDelta, PlayerRecord, StoredPlayer
from services.audio.playing_time import PlayingTime
from services.audio.ports import NodeEvent, VoiceSocketClosed
from services.audio.reactions import Reactions
from services.audio.session import Session
from services.audio.track_queue import TrackQueue
from services.audio.trail import Trail
from services.audio.undo_log import Skipped, UndoLog
from services.audio.voice_mending import VoiceMending
from services.errors import Refusal

_STORED_AT_ONCE = 1_000
_PROMISE_SECONDS = 3
"""A node that goes on by itself says so at once; after this long we do it ourselves."""
_NOTHING = "Nothing is playing."


class GuildPlayer:
    """The queue, the session and the playback of one guild."""

    def __init__(self, guild_id: int, outside: Outside) -> None:
        self.session = Session(guild_id=guild_id)
        self.queue = TrackQueue(outside.new_play_number())
        self._outside = outside
        self._lock = asyncio.Lock()
        self._inbox = Inbox(guild_id, self._lock, tasks=outside.tasks)
        self._epoch = 0
        self._announcer = Announcer(
            guild_id, outside.journal, tasks=outside.tasks, announce=outside.announce
        )
        self._playback = Playback(
            self.session, self.queue, outside, announcer=self._announcer, listener=self
        )
        self._reactions = Reactions(self.session, self.queue, outside, playback=self._playback)
        self._mending = VoiceMending(
            self.session,
            outside,
            playback=self._playback,
            post=self._inbox.post,
            recover=lambda: self._reactions.recover(resumed=False),
        )
        self._back = GoingBack(self.queue, self._playback)
        self.undo_log = UndoLog(
            clock=outside.clock, tasks=outside.tasks, new_number=outside.new_play_number
        )
        self._idle = self._countdown(outside.idle_leave_seconds, self._leave_idle)
        self._alone = self._countdown(outside.alone_leave_seconds, self._leave_alone)
        self._time = PlayingTime(
            outside.limits,
            self.queue,
            self._playback,
            post=self._inbox.post,
            clock=outside.clock,
            tasks=outside.tasks,
        )

    def _countdown(self, seconds: float, action: Action) -> Countdown:
        outside = self._outside
        return Countdown(
            seconds, lambda: self._inbox.post(action), clock=outside.clock, tasks=outside.tasks
        )

    # ── looking ─────────────────────────────────────────────────────────────
    @property
    def guild_id(self) -> int:
        """The guild it belongs to."""
        return self.session.guild_id

    @property
    def moving(self) -> bool:
        """Whether the position changes by itself."""
        return self._playback.sounding and not self.session.paused

    def view(self) -> PlayerView:
        """Show the player as it is now."""
        session = self.session
        return PlayerView(
            current=self.queue.current,
            position_ms=self._playback.position_ms,
            paused=session.paused,
            paused_by=session.paused_by,
            volume=session.volume,
            loop=session.loop,
            queue_length=len(self.queue),
            voice_channel_id=session.voice_channel_id,
            text_channel_id=session.text_channel_id,
            silent=session.silent,
        )

    @property
    def trail(self) -> Trail:
        """What has played here."""
        return self._back.trail

    # ── being stored ────────────────────────────────────────────────────────
    def note(self) -> None:
        """Store what has changed soon."""
        self._outside.journal.note(self)

    def take_changes(self) -> tuple[PlayerDelta, bool]:
        """Return what has changed since the last call, and whether there is more."""
        session, current = self.session, self.queue.current
        changes = self.queue.take_changes(limit=_STORED_AT_ONCE)
        record = PlayerRecord(
            guild_id=session.guild_id,
            voice_channel_id=session.voice_channel_id,
            text_channel_id=session.text_channel_id,
            current_entry_id=None if current is None else int(current.entry_id),
            play_id=self._playback.belief.play_id,
            position_ms=self._playback.position_ms,
            paused=session.paused,
            paused_by=session.paused_by,
            volume=session.volume,
            loop=session.loop,
            silent=session.silent,
        )
        delta = PlayerDelta(record=record, queue=changes, played=self._playback.take_played())
        return delta, changes.more

    def give_back(self, delta: PlayerDelta) -> None:
        """Take changes back that could not be stored."""
        self.queue.give_back(delta.queue)
        self._playback.give_back_played(delta.played)

    def load(self, stored: StoredPlayer) -> None:
        """Become what an earlier process has stored; for a player just made."""
        session, record = self.session, stored.record
        session.voice_channel_id = record.voice_channel_id
        session.text_channel_id = record.text_channel_id
        session.paused = record.paused
        session.paused_by = record.paused_by
        session.volume = record.volume
        session.loop = record.loop
        session.silent = record.silent
        self.queue.load(stored.queue)
        self._playback.restored(record.play_id, record.position_ms)

    # ── what the playback tells ─────────────────────────────────────────────
    def sound(self) -> None:
        """A track has started."""
        self._idle.cancel()
        if self.queue.current is not None:
            self.trail.played(self.queue.current)
        self._time.watch()

    def silence(self) -> None:
        """Nothing plays, and nothing follows."""
        if self.session.voice_channel_id is not None:
            self._idle.start()

    # ── the queue ───────────────────────────────────────────────────────────
    def queue_changed(self) -> None:
        """Store the queue, look ahead anew, and stay a while longer."""
        self.note()
        self._idle.put_off()
        self._playback.plan()

    def work_off(self, slices: Iterator[None]) -> None:
        """Go through `slices` beside everything else."""
        self._outside.tasks.start(in_slices(slices), name="free memory")

    # ── commands ────────────────────────────────────────────────────────────
    async def connect(self, voice_channel_id: int, *, text_channel_id: int | None) -> None:
        """Join the channel, or stay in it."""
        session = self.session
        if not self._is_in(voice_channel_id):
            async with self._lock:
                if not self._is_in(voice_channel_id):
                    await self._join(voice_channel_id)
        session.text_channel_id = text_channel_id
        self.note()
        if self.queue.current is None and not self._idle.running:
            self._idle.start()
        self.listeners_changed()

    def _is_in(self, voice_channel_id: int) -> bool:
        return (
            self.session.voice_channel_id == voice_channel_id
            and not self._playback.belief.voice_stale
            and self._outside.voice.channel_of(self.guild_id) == voice_channel_id
        )

    async def _join(self, voice_channel_id: int) -> None:
        await self._outside.voice.connect(self.guild_id, voice_channel_id)
        self._playback.belief.voice_stale = False
        self.session.voice_channel_id = voice_channel_id

    async def kick_off(self, *, replace: bool) -> QueuedTrack | None:
        """Start the head of the queue, where nothing plays or `replace` says so."""
        epoch = self._epoch
        async with self._lock:
            if epoch != self._epoch:
                return None
            try:
                return await self._playback.kick_off(replace=replace, by_member=True)
            except Interrupted:
                return None

    async def pause(self, by: int) -> QueuedTrack:
        """Pause the current track."""
        async with self._lock:
            current = self._current()
            if self.session.paused:
                raise NothingPlaying("It is paused already.")
            if self._playback.sounding:
                await self._ask_node(self._outside.node.set_paused(self.guild_id, paused=True))
            self.session.paused, self.session.paused_by = True, by
            self.note()
            return current

    async def resume(self) -> QueuedTrack:
        """Go on with the current track."""
        async with self._lock:
            current = self._current()
            if not self.session.paused:
                raise NothingPlaying("Nothing is paused.")
            if self._playback.sounding:
                await self._ask_node(self._outside.node.set_paused(self.guild_id, paused=False))
            self.session.unpause()
            self.note()
            return current

    async def skip(self, count: int, *, to: str | None = None) -> SkipOutcome:
        """Skip the current track, or the one that is just being started, and more.

        With `to`, all before that entry, however many there are.
        """
        opening = self._playback.interrupt() if to is None else None
        async with self._lock:
            skipped = self.queue.current
            if skipped is None and opening is not None and self.queue.remove(opening.entry_id):
                skipped = opening
            if skipped is None:
                raise NothingPlaying(_NOTHING)
            if to is not None:
                count = self._position_of(to)
            count = min(count, len(self.queue) + 1)
            position_ms = self._playback.position_ms
            passed = await self._pass_over(count - 1)
            undo = self.undo_log.note(Skipped(skipped, position_ms, passed))
            with contextlib.suppress(Interrupted):
                in_queue = self.session.loop is LoopMode.QUEUE
                await self._playback.skip(count if in_queue else 1)
            return SkipOutcome(skipped=skipped, count=count, next=self.queue.current, undo=undo)

    def _position_of(self, entry_id: str) -> int:
        if (position := self.queue.position_of(entry_id)) is None:
            raise Refusal("That track is not queued any more.")
        return position

    async def _pass_over(self, count: int) -> DroppedTracks:
        """Take `count` tracks off the head; a looped queue keeps them, to put them at its end."""
        passed = DroppedTracks()
        if self.session.loop is LoopMode.QUEUE:
            for number, item in enumerate(islice(self.queue, count)):
                passed.add(int(item.entry_id), number, item.track)
        elif count and count == len(self.queue):
            passed = self.queue.clear()
        else:
            await in_slices(self.queue.sift(lambda _: True, passed, last=count))
        return passed

    async def previous(self) -> QueuedTrack:
        """Play the track before the current one."""
        return await self._going_back(self._back.previous)

    async def unskip(self, change: Skipped) -> QueuedTrack:
        """Play a skipped track from where it was."""
        return await self._going_back(lambda: self._back.unskip(change))

    async def _going_back(self, go: Callable[[], Awaitable[QueuedTrack]]) -> QueuedTrack:
        self._playback.interrupt()
        async with self._lock:
            try:
                entry = await go()
            except Interrupted:
                raise Refusal("Somebody else was quicker.") from None
            self.queue_changed()
            return entry

    async def stop(self) -> None:
        """End playback and empty the queue."""
        opening = self._halt()
        async with self._lock:
            if self.queue.current is None and not self.queue and opening is None:
                raise NothingPlaying(_NOTHING)
            await self._end_playback()
            self.silence()
            self._tell(PlaybackHalted(guild_id=self.guild_id, text_channel_id=self._text_channel))

    async def leave(self) -> None:
        """Leave the voice channel and end the session."""
        self._halt()
        async with self._lock:
            if self.session.voice_channel_id is None:
                raise NothingPlaying("I am in no voice channel.")
            event = PlaybackHalted(guild_id=self.guild_id, text_channel_id=self._text_channel)
            await self._leave(event)

    async def seek(self, position_ms: int) -> int:
        """Go to a position of the current track."""
        async with self._lock:
            track = self._current().track
            position_ms = max(0, position_ms)
            if track.is_live:
                raise Refusal("One cannot seek in a livestream.")
            if track.duration_ms is not None and position_ms >= track.duration_ms:
                raise Refusal("That is beyond the end of the track.")
            if self._playback.sounding:
                await self._ask_node(self._outside.node.seek(self.guild_id, position_ms))
            self._playback.belief.rest_ms = position_ms
            self.note()
            return position_ms

    async def set_volume(self, volume: int) -> None:
        """Set the volume, also of what plays later."""
        async with self._lock:
            self.session.volume = volume
            self.note()
            if self._playback.sounding:
                with contextlib.suppress(NodeUnavailable):  # the next node gets it at its start
                    await self._outside.node.set_volume(self.guild_id, volume)

    async def _ask_node(self, request: Awaitable[None]) -> None:
        """Change what sounds; a node that is found dead by that gets the change at its start."""
        try:
            await request
        except NodeUnavailable:
            if self._playback.sounding:
                raise

    def _current(self) -> QueuedTrack:
        if (current := self.queue.current) is None:
            raise NothingPlaying(_NOTHING)
        return current

    # ── ending ──────────────────────────────────────────────────────────────
    @property
    def _text_channel(self) -> int | None:
        return self.session.text_channel_id

    def _halt(self) -> QueuedTrack | None:
        """Let starts that are under way, or wait for the lock, come to nothing."""
        self._epoch += 1
        return self._playback.interrupt()

    async def _end_playback(self) -> None:
        self.queue.finish(requeue=False)
        self.work_off(self.queue.clear().free())
        self.undo_log.forget()
        self.session.unpause()
        self.note()
        await self._playback.silence()

    async def _leave(self, event: PlayerEvent) -> None:
        self._idle.cancel()
        self._alone.cancel()
        self.session.end()
        await self._end_playback()
        await self._outside.voice.disconnect(self.guild_id)
        self._tell(event)

    async def _leave_idle(self) -> None:
        if self._playback.sounding or self.queue.current is not None:
            return
        if self.session.voice_channel_id is not None:
            await self._leave(LeftIdle(guild_id=self.guild_id, text_channel_id=self._text_channel))

    async def _leave_alone(self) -> None:
        in_channel = self._outside.voice.channel_of(self.guild_id) is not None
        if in_channel and self._outside.voice.listeners_in(self.guild_id) == 0:
            await self._leave(LeftAlone(guild_id=self.guild_id, text_channel_id=self._text_channel))

    def _tell(self, event: PlayerEvent) -> None:
        self._announcer.tell(event)

    # ── what comes from outside ─────────────────────────────────────────────
    def voice_changed(self) -> None:
        """Take note that the bot's own voice state changed."""
        self._inbox.post(self._compare_voice)

    async def _compare_voice(self) -> None:
        session = self.session
        actual = self._outside.voice.channel_of(self.guild_id)
        if session.voice_channel_id is None or actual == session.voice_channel_id:
            return
        if actual is None:
            event = ThrownOut(guild_id=self.guild_id, text_channel_id=self._text_channel)
            await self._leave(event)
            return
        session.voice_channel_id = actual
        self.note()
        self._tell(
            PlaybackMoved(
                guild_id=self.guild_id,
                text_channel_id=self._text_channel,
                voice_channel_id=actual,
            )
        )
        self.listeners_changed()

    def listeners_changed(self) -> None:
        """Leave after a while if nobody listens, or stay if somebody does again."""
        voice = self._outside.voice
        if voice.channel_of(self.guild_id) is None or voice.listeners_in(self.guild_id) > 0:
            self._alone.cancel()
        elif not self._alone.running:
            self._alone.start()

    def suspend(self) -> None:
        """Keep the place: the node is gone."""
        self._playback.suspend()

    def node_event(self, event: NodeEvent) -> None:
        """Handle an event of the node in its turn."""
        if isinstance(event, VoiceSocketClosed):
            self._mending.closed(event)
        else:
            position_ms = self._playback.position_ms  # as it is now, not when its turn comes
            self._inbox.post(lambda: self._react(event, position_ms))

    async def _react(self, event: NodeEvent, position_ms: int) -> None:
        promised = await self._reactions.handle(event, position_ms)
        if promised is not None:
            Countdown(
                _PROMISE_SECONDS,
                lambda: self._inbox.post(lambda: self._reactions.break_promise(promised)),
                clock=self._outside.clock,
                tasks=self._outside.tasks,
            ).start()

    def recover(self, limit: asyncio.Semaphore, *, resumed: bool) -> None:
        """Go on where playback was, when it is this guild's turn."""

        async def in_turn() -> None:
            async with limit:
                await self._reactions.recover(resumed=resumed)
                self.listeners_changed()

        self._inbox.post(in_turn)

    def close(self) -> None:
        """End what runs by itself and store the position."""
        self._idle.cancel()
        self._alone.cancel()
        self._time.cancel()
        self._playback.close()
        self.note()
