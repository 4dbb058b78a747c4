"""Between one guild's queue and its audio node: what starts, what follows, what is given up.

Whatever plays got there in one of three ways, and each ends in `now_playing`:
- `kick_off` started it (a command, the end of a track without a handover, a return from waiting);
- the node went on by itself with what it had been handed (`Reactions`);
- it was found playing on a node that outlived us (`Reactions`).

A current track while nothing sounds is one that waits: its node is gone, or the bot has just been
started. Everything that is awaited here runs under the guild's lock.
"""

import logging
from typing import Protocol

from services.audio.announcer import Announcer
from services.audio.belief import Belief
from services.audio.countdown import Countdown
from services.audio.errors import (
    AddressRefused,
    ExtractionFailed,
    NodeUnavailable,
    TrackRefused,
    TrackUnplayable,
    VoiceJoinRefused,
)
from services.audio.handover import Handover
from services.audio.opening import Interrupted, Opening
from services.audio.outside import Outside
from services.audio.player_events import (
    NowPlaying,
    PlaybackInterrupted,
    PlaybackStopped,
    PlaybackWentOn,
    QueueFinished,
    StopCause,
    TrackSkipped,
)
from services.audio.player_state import LoopMode, QueuedTrack
from services.audio.player_store import Played
from services.audio.ports import NodeTrack
from services.audio.session import Session
from services.audio.track_queue import TrackQueue
from services.errors import UserError

_log = logging.getLogger(__name__)

TRACK_FAILURES = (TrackUnplayable, ExtractionFailed, AddressRefused, TrackRefused)
"""Errors that belong to one track: another one may well play."""

_FAILURES_IN_A_ROW = 3
_INTERRUPTION_SECONDS = 5
"""A node that is back within this time is not worth a message."""


class PlaybackListener(Protocol):
    """Whom the playback tells what it has done; the guild's player."""

    def note(self) -> None:
        """Something that is stored has changed."""

    def sound(self) -> None:
        """A track has started."""

    def silence(self) -> None:
        """Nothing plays, and nothing follows."""


class Playback:
    """What one guild hears."""

    def __init__(
        self,
        session: Session,
        queue: TrackQueue,
        outside: Outside,
        *,
        announcer: Announcer,
        listener: PlaybackListener,
    ) -> None:
        self._session = session
        self._queue = queue
        self._outside = outside
        self._announcer = announcer
        self._listener = listener
        self._opening = Opening()
        self._interruption = Countdown(
            _INTERRUPTION_SECONDS, self._tell_interruption, clock=outside.clock, tasks=outside.tasks
        )
        self._told: str | None = None  # the entry that was announced last
        self._failures = 0
        self._failures_before = 0  # those before the current track
        self._played: list[Played] = []
        self.belief = Belief()
        self.handover = Handover(
            session.guild_id, outside, following=self.following, failed=self._failed_ahead
        )

    # ── looking ─────────────────────────────────────────────────────────────
    @property
    def sounding(self) -> bool:
        """Whether a node plays for the guild (or holds a paused track)."""
        return self.belief.playing is not None

    @property
    def position_ms(self) -> int:
        """Where the current track is."""
        if self._queue.current is None:
            return 0
        if self.belief.playing is not None and self.belief.promised is None:
            return self._outside.node.position_ms(self._session.guild_id)
        return self.belief.rest_ms

    def following(self) -> QueuedTrack | None:
        """Return what comes when the current track ends."""
        current = self._queue.current
        if current is not None and self._session.loop is LoopMode.TRACK:
            return current
        if self._queue.head is None and self._session.loop is LoopMode.QUEUE:
            return current
        return self._queue.head

    def take_played(self) -> tuple[Played, ...]:
        """Return the new lines of the history, once."""
        played, self._played = tuple(self._played), []
        return played

    def give_back_played(self, played: tuple[Played, ...]) -> None:
        """Take lines back that could not be stored."""
        self._played[:0] = played

    # ── what anybody may call at any time ───────────────────────────────────
    def plan(self) -> None:
        """Look again at what follows the current track."""
        if self.belief.playing is not None:
            self.handover.plan()

    def interrupt(self) -> QueuedTrack | None:
        """Break off a start that is under way; return what was being started."""
        return self._opening.interrupt()

    def suspend(self) -> None:
        """Keep the place: the node is gone."""
        belief = self.belief
        belief.reported = None
        belief.voice_stale = True
        self.handover.emptied()
        if belief.playing is None:
            return
        belief.rest_ms = self.position_ms
        belief.waits_for, belief.playing, belief.promised = belief.playing, None, None
        self._interruption.start()
        self._listener.note()

    def restored(self, play_id: str | None, position_ms: int) -> None:
        """Take over what an earlier process has stored."""
        self.belief = Belief(waits_for=play_id, rest_ms=position_ms, voice_stale=True)
        if self._queue.current is not None:
            self._told = self._queue.current.entry_id

    def close(self) -> None:
        """End what runs by itself, and keep the position."""
        belief = self.belief
        belief.rest_ms = self.position_ms
        belief.waits_for, belief.playing = belief.play_id, None
        self.handover.cancel()
        self._interruption.cancel()

    # ── starting ────────────────────────────────────────────────────────────
    async def kick_off(
        self, *, replace: bool = False, by_member: bool = False
    ) -> QueuedTrack | None:
        """Start the head of the queue, or a current track that waits; see `PlayerService`."""
        if by_member:
            self._failures = self._failures_before = 0
        if self._queue.current is not None and not replace:
            return await self.go_on() if self.belief.playing is None else None
        while (head := self._queue.head) is not None:
            try:
                return await self.start(head)
            except TRACK_FAILURES as error:
                only_this = replace or len(self._queue) == 1
                if by_member and only_this:
                    await self._return_to_replaced()
                    raise
                enough = self.give_up(head, error.sentence)
                if enough and by_member:
                    raise
            if enough:
                break
        return None

    async def go_on(self) -> QueuedTrack | None:
        """Start the current track where it was."""
        current = self._queue.current
        assert current is not None
        try:
            return await self.start(current, start_ms=self.belief.rest_ms)
        except TRACK_FAILURES as error:
            return None if self.give_up(current, error.sentence) else await self.kick_off()

    async def _return_to_replaced(self) -> None:
        """Bring the current track back if the attempt to replace it has silenced it."""
        if self._queue.current is not None and self.belief.playing is None:
            await self.go_on()

    async def play_instead(self, entry: QueuedTrack, *, start_ms: int = 0) -> None:
        """Play a queued entry in place of the current one, which plays on if that fails."""
        try:
            await self.start(entry, start_ms=start_ms)
        except TRACK_FAILURES:
            await self._return_to_replaced()
            raise

    async def start(self, entry: QueuedTrack, *, start_ms: int = 0) -> QueuedTrack:
        """Play a queued entry in place of what plays, or the current one (again).

        Raises what `kick_off` raises, and `Interrupted`; the queue is unchanged then.
        """
        session, outside = self._session, self._outside
        again = self.is_current(entry)
        await self._join()
        await self._opening.run(entry, outside.media.prepare(entry.track))
        self.belief.rest_ms = start_ms if again else self.position_ms
        play_id = f"{entry.entry_id}.{outside.new_play_number()}"
        track = NodeTrack(
            entry_id=play_id, link=outside.media.link(entry.track), title=entry.track.title
        )
        self.handover.replaced()
        self.belief.promised = None
        # said before it is done: its events may come before the answer
        self.belief.playing = play_id
        try:
            await self._opening.run(
                entry,
                outside.node.play(
                    session.guild_id,
                    track,
                    start_ms=start_ms,
                    volume=session.volume,
                    paused=again and session.paused,
                ),
            )
        except BaseException:
            self.belief.playing = None
            raise
        if self.belief.playing != play_id:
            raise NodeUnavailable("The audio node went away just now. I go on when it is back.")
        if not again:
            await self._make_current(entry)
        self.now_playing()
        return entry

    async def _make_current(self, entry: QueuedTrack) -> None:
        self.retire()
        self.belief.rest_ms = 0
        if not self._queue.start(entry.entry_id):
            await self.silence()  # taken back while it was being opened
            raise Interrupted

    async def _join(self) -> None:
        channel_id = self._session.voice_channel_id
        if channel_id is None:
            raise VoiceJoinRefused("I am in no voice channel. Join one and ask me again.")
        guild_id = self._session.guild_id
        if self.belief.voice_stale or self._outside.voice.channel_of(guild_id) is None:
            await self._outside.voice.connect(guild_id, channel_id)
            self.belief.voice_stale = False

    def now_playing(self) -> None:
        """Take note that the current track sounds: announce it, and look ahead."""
        session, current = self._session, self._queue.current
        assert current is not None
        waited, self.belief.waits_for = self.belief.waits_for, None
        self._failures_before = self._failures
        self.belief.broken = False
        self.belief.promised = None
        self.belief.reported = None
        self._interruption.cancel()
        if self._told != current.entry_id:
            self._told = current.entry_id
            self._played.append(Played(current.track, self._outside.clock.now()))
            self._announcer.tell(
                NowPlaying(
                    guild_id=session.guild_id,
                    text_channel_id=session.text_channel_id,
                    entry=current,
                    silent=session.silent,
                )
            )
        elif waited is not None:
            self._announcer.tell(
                PlaybackWentOn(
                    guild_id=session.guild_id,
                    text_channel_id=session.text_channel_id,
                    entry=current,
                )
            )
        self._listener.sound()
        self._listener.note()
        self.handover.plan()

    # ── ending ──────────────────────────────────────────────────────────────
    async def silence(self) -> None:
        """Take everything off the node."""
        self.handover.cancel()
        self._interruption.cancel()
        self.belief.forget()
        self.belief.broken = False
        try:
            await self._outside.node.stop(self._session.guild_id)
        except NodeUnavailable as error:
            _log.info("nothing to stop in guild %s: %s", self._session.guild_id, error)

    async def skip(self, count: int) -> None:
        """Take the current track and `count - 1` more off, and go on with the queue."""
        self.retire()
        if self._session.loop is LoopMode.QUEUE:
            for _ in range(min(count - 1, len(self._queue))):
                self._queue.requeue_head()
        else:
            self._queue.drop_head(count - 1)
        head = self._queue.head
        if head is None or not self.handover.is_ready(head):
            await self.silence()
        self.belief.playing = None
        self._failures = self._failures_before = 0
        self._listener.note()
        await self.advance()

    async def advance(self) -> None:
        """Go on with the queue; say so when there is nothing to go on with."""
        session = self._session
        try:
            if await self.kick_off() is not None:
                return
        except (NodeUnavailable, VoiceJoinRefused) as error:
            self.wait(error)
            return
        if self._queue.head is None and self._failures < _FAILURES_IN_A_ROW:
            self._announcer.tell(
                QueueFinished(guild_id=session.guild_id, text_channel_id=session.text_channel_id)
            )
        await self.silence()
        self.rest()

    def rest(self) -> None:
        """Take note that nothing plays and nothing follows."""
        self._listener.note()
        self._listener.silence()

    def wait(self, error: NodeUnavailable | VoiceJoinRefused) -> None:
        """Keep everything in its place until the node is back, or a member calls the bot again."""
        if isinstance(error, VoiceJoinRefused):
            self._session.voice_channel_id = None
            self._tell_stopped(StopCause.VOICE, error.sentence)
        else:
            self._interruption.start()
        self._listener.note()

    def retire(self, *, failed: bool = False) -> None:
        """Take the current track off; a looped queue gets it back at its end."""
        self._queue.finish(requeue=self._session.loop is LoopMode.QUEUE and not failed)
        self._session.unpause()
        self.belief.retried = False
        self.belief.rest_ms = 0

    def give_up(self, entry: QueuedTrack, reason: str) -> bool:
        """Skip a track that failed; return whether that was one too many in a row."""
        session = self._session
        self._failures += 1
        if self.is_current(entry):
            self.belief.playing = self.belief.waits_for = None
            self.retire(failed=True)
        else:
            self._queue.remove(entry.entry_id)
        self._announcer.tell(
            TrackSkipped(
                guild_id=session.guild_id,
                text_channel_id=session.text_channel_id,
                entry=entry,
                reason=reason,
            )
        )
        self._listener.note()
        if self._failures < _FAILURES_IN_A_ROW:
            return False
        self._tell_stopped(
            StopCause.FAILURES,
            f"{_FAILURES_IN_A_ROW} tracks in a row could not be played, so I stopped here.",
        )
        self.rest()
        return True

    def played_well(self) -> None:
        """Forget the failures before the track that has come to its end."""
        self._failures -= self._failures_before
        self._failures_before = 0

    def is_current(self, entry: QueuedTrack) -> bool:
        """Whether the entry is the current one."""
        current = self._queue.current
        return current is not None and current.entry_id == entry.entry_id

    def _failed_ahead(self, entry: QueuedTrack, error: UserError) -> None:
        """Skip a track before its turn; the last try in a row is left to its turn."""
        if self.is_current(entry) or self._failures >= _FAILURES_IN_A_ROW - 1:
            return
        self.give_up(entry, error.sentence)
        self.handover.plan()

    # ── telling ─────────────────────────────────────────────────────────────
    def _tell_stopped(self, cause: StopCause, reason: str) -> None:
        """Announce that playback ended against the members' wish."""
        session = self._session
        self._announcer.tell(
            PlaybackStopped(
                guild_id=session.guild_id,
                text_channel_id=session.text_channel_id,
                cause=cause,
                reason=reason,
            )
        )

    def _tell_interruption(self) -> None:
        session = self._session
        self._announcer.tell(
            PlaybackInterrupted(guild_id=session.guild_id, text_channel_id=session.text_channel_id)
        )
