"""What one guild's player does about what its node says.

The rules that keep two tracks from ever playing at once:
- an event about anything but the play id that is believed to play changes nothing, but for two
  exceptions: what a handed-over track does, and the end of what waits for its node to come back;
- a track that was handed over is current from the moment the one before it ended. That is a
  promise of the node; if its start is not seen soon, or something else starts, we start it.
"""

import asyncio
import logging

from services.audio.belief import Belief, entry_of
from services.audio.errors import NodeUnavailable, VoiceJoinRefused
from services.audio.outside import Outside
from services.audio.playback import TRACK_FAILURES, Playback
from services.audio.ports import (
    EndReason,
    NodeEvent,
    PositionReported,
    TrackEnded,
    TrackFailed,
    TrackStarted,
    TrackStuck,
)
from services.audio.session import Session
from services.audio.track_queue import TrackQueue

_log = logging.getLogger(__name__)

_NEARLY_OVER_MS = 2_000
"""A track that breaks off this close to its end has ended."""
_RETRY_SECONDS = 5
"""Members hear silence already while a second start is tried."""
_BROKE_OFF = "Its sound broke off and could not be read again."
_STUCK = "Its sound got stuck."


class Reactions:
    """Turns node events into what is played next; runs under the guild's lock."""

    def __init__(
        self, session: Session, queue: TrackQueue, outside: Outside, *, playback: Playback
    ) -> None:
        self._session = session
        self._queue = queue
        self._outside = outside
        self._playback = playback

    async def handle(self, event: NodeEvent, position_ms: int) -> str | None:
        """React to what happened when the current track was at `position_ms`.

        Returns a play id whose start was promised and has to be watched for.
        """
        match event:
            case TrackStarted(entry_id=play_id):
                await self._started(play_id)
            case TrackEnded(entry_id=play_id, reason=reason):
                return await self._ended(play_id, reason, position_ms=position_ms)
            case TrackFailed(entry_id=play_id, message=message):
                self._failed(play_id, message)
            case TrackStuck(entry_id=play_id) if play_id == self._belief.playing:
                await self._try_again(_STUCK, position_ms)
            case PositionReported(entry_id=play_id, position_ms=reported_ms):
                if self._belief.playing is None:
                    self._belief.reported = None if play_id is None else (play_id, reported_ms)
            case _:
                pass
        return None

    @property
    def _belief(self) -> Belief:
        return self._playback.belief

    # ── starts ──────────────────────────────────────────────────────────────
    async def _started(self, play_id: str) -> None:
        belief = self._belief
        if belief.playing is None:
            belief.reported = (play_id, 0)
        elif belief.promised is None:
            return  # our own start, which was awaited, or an old one that came late
        elif play_id == belief.promised:
            self._playback.now_playing()
        elif entry_of(play_id) in self._queue:
            # the queue was reordered in the very moment in which the node went on
            self._queue.put_back()
            self._queue.start(entry_of(play_id))
            belief.playing = play_id
            self._playback.now_playing()
        else:
            await self.break_promise(belief.promised)

    async def break_promise(self, play_id: str) -> None:
        """Start the current track ourselves, if the node still owes its start."""
        belief = self._belief
        if belief.promised != play_id:
            return
        _log.info("the node did not go on by itself in guild %s", self._session.guild_id)
        belief.playing = belief.promised = None
        await self._playback.advance()

    # ── ends ────────────────────────────────────────────────────────────────
    async def _ended(self, play_id: str, reason: EndReason, *, position_ms: int) -> str | None:
        belief = self._belief
        if belief.reported is not None and belief.reported[0] == play_id:
            belief.reported = None
        if play_id == belief.waits_for and reason in {EndReason.FINISHED, EndReason.LOAD_FAILED}:
            belief.waits_for = None  # it ended while nobody listened to the node
            self._playback.retire()
            return None
        if play_id != belief.playing or reason in {EndReason.REPLACED, EndReason.STOPPED}:
            return None
        if reason is EndReason.CLEANUP:
            belief.rest_ms = position_ms
            belief.playing, belief.voice_stale = None, True
            await self._playback.advance()
        elif belief.broken or reason is EndReason.LOAD_FAILED:
            await self._try_again(_BROKE_OFF, position_ms)
        else:
            return await self._finished()
        return None

    async def _finished(self) -> str | None:
        self._playback.played_well()
        following, handed = self._playback.following(), self._playback.handover.take()
        belief = self._belief
        belief.playing = None
        belief.retried = False
        belief.rest_ms = 0
        again = following is not None and self._playback.is_current(following)
        if not again:
            self._playback.retire()
        if following is not None and handed is not None and handed.entry_id == following.entry_id:
            if not again:
                self._queue.start(following.entry_id)
            belief.playing = belief.promised = handed.play_id
            return handed.play_id
        await self._playback.advance()
        return None

    # ── failures ────────────────────────────────────────────────────────────
    def _failed(self, play_id: str, message: str) -> None:
        _log.warning("a track failed in guild %s: %s", self._session.guild_id, message)
        if play_id == self._belief.playing:
            self._belief.broken = True
        else:
            self._playback.handover.drop(play_id)

    async def _try_again(self, reason: str, position_ms: int) -> None:
        """Start the current track once more where it was, then skip it."""
        belief, current = self._belief, self._queue.current
        assert current is not None
        length = current.track.duration_ms
        if length is not None and position_ms >= length - _NEARLY_OVER_MS > 0:
            self._playback.handover.replaced()
            await self._finished()
            return
        belief.playing, belief.promised, belief.rest_ms = None, None, position_ms
        if not belief.retried:
            belief.retried = True
            try:
                async with asyncio.timeout(_RETRY_SECONDS):
                    await self._playback.start(current, start_ms=position_ms)
            except TRACK_FAILURES as error:
                reason = error.sentence
            except TimeoutError:
                _log.info("no second start in time in guild %s", self._session.guild_id)
            except (NodeUnavailable, VoiceJoinRefused) as error:
                self._playback.wait(error)
                return
            else:
                return
        if self._playback.give_up(current, reason):
            await self._playback.silence()
        else:
            await self._playback.advance()

    # ── coming back ─────────────────────────────────────────────────────────
    async def recover(self, *, resumed: bool) -> None:
        """Go on where playback was: the node is back, or the bot has just been started."""
        belief, session, voice = self._belief, self._session, self._outside.voice
        if not resumed:
            belief.reported = None
        channel_id = session.voice_channel_id
        if channel_id is None:
            return
        try:
            if belief.voice_stale or voice.channel_of(session.guild_id) != channel_id:
                await voice.connect(session.guild_id, channel_id)
                belief.voice_stale = False
            if belief.playing is not None or await self._adopt():
                return
        except (NodeUnavailable, VoiceJoinRefused) as error:
            self._playback.wait(error)
            return
        if self._queue.current is not None or self._queue.head is not None:
            await self._playback.advance()
        else:
            self._playback.rest()

    async def _adopt(self) -> bool:
        """Take over what the node plays, if it is what should play."""
        belief = self._belief
        if belief.reported is None:
            return False
        play_id, position_ms = belief.reported
        entry_id, current = entry_of(play_id), self._queue.current
        if current is None or current.entry_id != entry_id:
            if entry_id not in self._queue:
                return False
            self._playback.retire()  # the node went on while we were away
            self._queue.start(entry_id)
        belief.playing, belief.rest_ms = play_id, position_ms
        node, session = self._outside.node, self._session
        try:
            await node.set_volume(session.guild_id, session.volume)
            await node.set_paused(session.guild_id, paused=session.paused)
        except NodeUnavailable:
            belief.playing = None
            raise
        belief.waits_for = play_id
        self._playback.handover.inherited()
        self._playback.now_playing()
        return True
