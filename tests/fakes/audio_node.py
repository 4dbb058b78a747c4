"""A node that plays nothing, but keeps the rules of one: one sound per guild, events in order."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from services.audio.errors import NodeUnavailable, TrackUnplayable
from services.audio.ports import (
    EndReason,
    NodeEvent,
    NodeLost,
    NodeReady,
    NodeTrack,
    PositionReported,
    TrackEnded,
    TrackFailed,
    TrackStarted,
)
from services.clock import Clock


@dataclass
class Sound:
    """What one guild hears."""

    track: NodeTrack
    start_ms: int
    since: float
    volume: int
    paused: bool


class FakeNode:
    """An audio node whose tracks end when the test says so."""

    def __init__(self, clock: Clock, *, gapless: bool = True) -> None:
        self._clock = clock
        self.gapless = gapless
        self.available = True
        self.turns = 0
        """How many turns of the event loop a request takes, and its answer as many."""
        self.unplayable: set[str] = set()
        """Links that cannot be opened."""
        self.sounds: dict[int, Sound] = {}
        self.next: dict[int, NodeTrack] = {}
        self.heard: list[str] = []
        """Links in the order in which they began to sound."""
        self.starts: list[tuple[str, int]] = []
        """Links with the position from which `play` began."""
        self._started = asyncio.Event()
        self._ended_at: dict[int, int] = {}
        self._listeners: list[Callable[[NodeEvent], None]] = []

    # ── the port ────────────────────────────────────────────────────────────
    def listen(self, listener: Callable[[NodeEvent], None]) -> None:
        self._listeners = [listener]

    async def play(
        self, guild_id: int, track: NodeTrack, *, start_ms: int, volume: int, paused: bool
    ) -> None:
        await self._travel()
        if track.link in self.unplayable:
            raise TrackUnplayable("The audio cannot be read.")
        self.next.pop(guild_id, None)
        if (old := self.sounds.pop(guild_id, None)) is not None:
            self.say(TrackEnded(guild_id, old.track.entry_id, EndReason.REPLACED))
        self.starts.append((track.link, start_ms))
        self._begin(guild_id, track, start_ms=start_ms, volume=volume, paused=paused)
        await self._travel()

    async def set_next(self, guild_id: int, track: NodeTrack | None) -> bool:
        await self._travel()
        if not self.gapless:
            return False
        self.next.pop(guild_id, None)
        if track is not None:
            if guild_id not in self.sounds:
                raise TrackUnplayable("Nothing is playing that could be followed.")
            self.next[guild_id] = track
        await self._travel()
        return True

    async def set_paused(self, guild_id: int, *, paused: bool) -> None:
        await self._travel()
        if (sound := self.sounds.get(guild_id)) is not None:
            sound.start_ms, sound.since = self.position_ms(guild_id), self._clock.monotonic()
            sound.paused = paused

    async def seek(self, guild_id: int, position_ms: int) -> None:
        await self._travel()
        if (sound := self.sounds.get(guild_id)) is not None:
            sound.start_ms, sound.since = position_ms, self._clock.monotonic()

    async def set_volume(self, guild_id: int, volume: int) -> None:
        await self._travel()
        if (sound := self.sounds.get(guild_id)) is not None:
            sound.volume = volume

    async def stop(self, guild_id: int) -> None:
        await self._travel()
        self.next.pop(guild_id, None)
        if (sound := self.sounds.pop(guild_id, None)) is not None:
            self.say(TrackEnded(guild_id, sound.track.entry_id, EndReason.STOPPED))

    def position_ms(self, guild_id: int) -> int:
        if (sound := self.sounds.get(guild_id)) is None:
            return self._ended_at.get(guild_id, 0)
        passed = 0.0 if sound.paused else self._clock.monotonic() - sound.since
        return sound.start_ms + round(passed * 1000)

    # ── what a test makes happen ────────────────────────────────────────────
    def sounding(self, guild_id: int) -> str | None:
        """Return the link that the guild hears."""
        sound = self.sounds.get(guild_id)
        return None if sound is None else sound.track.link

    async def until_started(self) -> None:
        """Return as soon as the next track begins to sound."""
        self._started.clear()
        await self._started.wait()

    def finish(self, guild_id: int) -> None:
        """Let the current track come to its end."""
        sound = self.sounds.pop(guild_id)
        self.say(TrackEnded(guild_id, sound.track.entry_id, EndReason.FINISHED))
        self._go_on(guild_id, sound)

    def break_off(self, guild_id: int) -> None:
        """Let the current track break."""
        sound = self.sounds[guild_id]
        self.say(TrackFailed(guild_id, sound.track.entry_id, "decoding failed"))
        self._ended_at[guild_id] = self.position_ms(guild_id)
        del self.sounds[guild_id]
        self.say(TrackEnded(guild_id, sound.track.entry_id, EndReason.LOAD_FAILED))

    def die(self) -> None:
        """Be gone, with all sound."""
        self.available = False
        for guild_id in self.sounds:
            self._ended_at[guild_id] = self.position_ms(guild_id)
        self.say(NodeLost(tuple(self.sounds)))
        self.sounds.clear()
        self.next.clear()

    def lose_sight(self) -> None:
        """Let the connection to the bot break; the sound goes on."""
        self.available = False
        self.say(NodeLost(tuple(self.sounds)))

    def come_back(self, *, resumed: bool = False) -> None:
        """Be there again; a node that resumes says what it still plays."""
        self.available = True
        if resumed:
            for guild_id, sound in self.sounds.items():
                position = self.position_ms(guild_id)
                self.say(PositionReported(guild_id, sound.track.entry_id, position, connected=True))
        self.say(NodeReady(resumed))

    def say(self, event: NodeEvent) -> None:
        """Tell the listener."""
        for listener in self._listeners:
            listener(event)

    def _go_on(self, guild_id: int, ended: Sound) -> None:
        if (track := self.next.pop(guild_id, None)) is None:
            return
        if track.link in self.unplayable:
            self.say(TrackFailed(guild_id, track.entry_id, "cannot be opened"))
            self.say(TrackEnded(guild_id, track.entry_id, EndReason.LOAD_FAILED))
            return
        self._begin(guild_id, track, start_ms=0, volume=ended.volume, paused=False)

    def _begin(
        self, guild_id: int, track: NodeTrack, *, start_ms: int, volume: int, paused: bool
    ) -> None:
        assert guild_id not in self.sounds, "two tracks at once"
        self.sounds[guild_id] = Sound(track, start_ms, self._clock.monotonic(), volume, paused)
        self.heard.append(track.link)
        self._started.set()
        self.say(TrackStarted(guild_id, track.entry_id))

    async def _travel(self) -> None:
        for _ in range(self.turns):
            await asyncio.sleep(0)
        if not self.available:
            raise NodeUnavailable("No audio node answers.")
