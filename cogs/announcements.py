"""Tells members what the player does by itself: now playing, skipped with the reason, goodbye.

Events of a guild are told in their order. "Now playing" stands as long as its track plays; the next
one takes its place at the end of the channel.
"""

from collections import deque
from functools import singledispatch

from bot.kit import track_text
from bot.kit.posted import Messages, Posted
from bot.kit.replies import Reply, info, refused, waiting
from bot.kit.speaking_order import SpeakingOrder
from services.audio.player_events import (
    LeftAlone,
    LeftIdle,
    NowPlaying,
    PlaybackInterrupted,
    PlaybackMoved,
    PlaybackStopped,
    PlaybackWentOn,
    PlayerEvent,
    ThrownOut,
    TrackSkipped,
)
from services.background import BackgroundTasks

_STILL_PLAYING = (PlaybackMoved, PlaybackInterrupted, PlaybackWentOn)
"""Events after which "Now playing" is still true."""


class Announcements:
    """The player's voice in text channels."""

    def __init__(self, messages: Messages, order: SpeakingOrder) -> None:
        self._messages = messages
        self._order = order
        self._tasks = BackgroundTasks("announcements")
        self._waiting: dict[int, deque[PlayerEvent]] = {}
        self._now: dict[int, Posted] = {}
        self._interrupted: dict[int, Posted] = {}

    def receive(self, event: PlayerEvent) -> None:
        """Take an event; it is told after the guild's earlier ones."""
        guild_id = event.guild_id
        if guild_id in self._waiting:
            self._waiting[guild_id].append(event)
            return
        self._waiting[guild_id] = deque([event])
        self._tasks.start(self._tell(guild_id), name=f"guild {guild_id}")

    async def _tell(self, guild_id: int) -> None:
        waiting_events = self._waiting[guild_id]
        try:
            while waiting_events:
                await self._order.news_may_speak(guild_id)
                await self._announce(waiting_events.popleft())
        finally:
            del self._waiting[guild_id]

    async def _announce(self, event: PlayerEvent) -> None:
        guild_id = event.guild_id
        if (interruption := self._interrupted.pop(guild_id, None)) is not None:
            interruption.remove_soon()
        if not isinstance(event, _STILL_PLAYING) and guild_id in self._now:
            self._now.pop(guild_id).remove_soon()
        if isinstance(event, PlaybackWentOn) and guild_id in self._now:
            return
        reply = words_for(event)
        if reply is None or event.text_channel_id is None:
            return
        posted = self._messages.in_channel(event.text_channel_id)
        posted.show(reply)
        if isinstance(event, NowPlaying | PlaybackWentOn):
            self._now[guild_id] = posted
        elif isinstance(event, PlaybackInterrupted):
            self._interrupted[guild_id] = posted
        await posted.settled()

    async def close(self) -> None:
        """Stop telling."""
        await self._tasks.close()


@singledispatch
def words_for(event: PlayerEvent) -> Reply | None:
    """Return what members read about an event; None where nothing has to be said."""
    del event
    return None


@words_for.register
def _(event: NowPlaying) -> Reply | None:
    if event.silent:
        return None
    track = event.entry.track
    return info(
        "🎶 Now playing", track_text.line(track, 300), picture=track.artwork_url, stays=True
    )


@words_for.register
def _(event: PlaybackWentOn) -> Reply:
    track = event.entry.track
    return info("🎶 Playing on", track_text.line(track, 300), picture=track.artwork_url, stays=True)


@words_for.register
def _(event: TrackSkipped) -> Reply:
    return refused("⏭️ Skipped", f"{track_text.name(event.entry.track)}\n{event.reason}")


@words_for.register
def _(event: PlaybackStopped) -> Reply:
    return refused("⏹️ Stopped", event.reason)


@words_for.register
def _(event: PlaybackMoved) -> Reply:
    return info("🚚 Moved", f"I go on in <#{event.voice_channel_id}>.")


@words_for.register
def _(_event: PlaybackInterrupted) -> Reply:
    sentence = "My sound has failed. I go on as soon as it is back."
    return waiting("🔌 Interrupted", sentence, stays=True)


@words_for.register
def _(_event: LeftIdle) -> Reply:
    return info("👋 Goodbye", "Nothing was played for a while, so I left. `play` brings me back.")


@words_for.register
def _(_event: LeftAlone) -> Reply:
    return info("👋 Goodbye", "Nobody was listening any more, so I left. `play` brings me back.")


@words_for.register
def _(_event: ThrownOut) -> Reply:
    return info("👋 Goodbye", "I was removed from the voice channel; the queue is empty now.")
