"""What the nodes play, as far as they have told: positions between reports, starts awaited.

A Lavalink message is turned into events of our own here. The play id travels as `userData.entry`
of the track and comes back in each of its events.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.audio.errors import TrackUnplayable
from services.audio.ports import (
    EndReason,
    NodeEvent,
    PositionReported,
    TrackEnded,
    TrackFailed,
    TrackStarted,
    TrackStuck,
    VoiceSocketClosed,
)

_UNPLAYABLE = "The audio of this track cannot be played."


def play_id_of(track: Mapping[str, Any] | None) -> str | None:
    """Return the play id in a protocol's Track, None where it is not ours."""
    if not track:
        return None
    entry = (track.get("userData") or {}).get("entry")
    return entry if isinstance(entry, str) else None


def read_event(message: Mapping[str, Any]) -> NodeEvent | None:
    """Translate a Lavalink v4 `event`; None for one that says nothing to us."""
    guild_id = int(message["guildId"])
    kind = message.get("type")
    if kind == "WebSocketClosedEvent":
        return VoiceSocketClosed(guild_id, int(message["code"]), str(message.get("reason") or ""))
    play_id = play_id_of(message.get("track"))
    event: NodeEvent | None = None
    if play_id is None:
        pass
    elif kind == "TrackStartEvent":
        event = TrackStarted(guild_id, play_id)
    elif kind == "TrackEndEvent":
        event = TrackEnded(guild_id, play_id, EndReason(message["reason"]))
    elif kind == "TrackExceptionEvent":
        exception = message.get("exception") or {}
        event = TrackFailed(guild_id, play_id, str(exception.get("message") or "unknown"))
    elif kind == "TrackStuckEvent":
        event = TrackStuck(guild_id, play_id, int(message["thresholdMs"]))
    return event


@dataclass(slots=True)
class _Playing:
    """One guild's track and the last position that is known of it."""

    play_id: str | None = None
    position_ms: int = 0
    at: float = 0.0
    paused: bool = False


class NodePlayers:
    """The guilds' tracks on all nodes; `monotonic` is a clock in seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._playing: dict[int, _Playing] = {}
        self._starting: dict[str, tuple[int, asyncio.Future[None]]] = {}
        self._start_ms: dict[str, int] = {}

    def play_id(self, guild_id: int) -> str | None:
        """Return what the guild hears."""
        playing = self._playing.get(guild_id)
        return None if playing is None else playing.play_id

    def position_ms(self, guild_id: int) -> int:
        """Return where the track is, or where it ended."""
        if (playing := self._playing.get(guild_id)) is None:
            return 0
        return self._now(playing)

    def _now(self, playing: _Playing) -> int:
        if playing.play_id is None or playing.paused:
            return playing.position_ms
        return playing.position_ms + round((self._monotonic() - playing.at) * 1000)

    # ── what is asked of a node ─────────────────────────────────────────────
    def expect(self, guild_id: int, play_id: str, *, start_ms: int, paused: bool) -> None:
        """Take note that a track is being started."""
        self._guild(guild_id).paused = paused
        self._start_ms[play_id] = start_ms
        started = asyncio.get_running_loop().create_future()
        self._starting[play_id] = (guild_id, started)

    async def started(self, play_id: str, *, within: float) -> None:
        """Wait for its start; no news is good news.

        Raises:
            TrackUnplayable: the node says it cannot be played.
        """
        _, started = self._starting[play_id]
        done, _ = await asyncio.wait({started}, timeout=within)
        if done:
            started.result()

    def expect_no_more(self, play_id: str) -> None:
        """Forget a start that was awaited."""
        self._start_ms.pop(play_id, None)
        if (waiting := self._starting.pop(play_id, None)) is not None:
            waiting[1].cancel()

    def paused(self, guild_id: int, *, paused: bool) -> None:
        """Take note of a pause or its end."""
        playing = self._guild(guild_id)
        self._set(playing, self._now(playing))
        playing.paused = paused

    def sought(self, guild_id: int, position_ms: int) -> None:
        """Take note of a jump."""
        self._set(self._guild(guild_id), position_ms)

    def stop(self, guild_id: int) -> None:
        """Take note that nothing plays: it was stopped, or its node is gone."""
        playing = self._guild(guild_id)
        self._set(playing, self._now(playing))
        playing.play_id = None

    # ── what nodes tell ─────────────────────────────────────────────────────
    def note(self, event: NodeEvent) -> None:
        """Take note of an event, in the order of events."""
        match event:
            case TrackStarted(guild_id=guild_id, entry_id=play_id):
                playing = self._guild(guild_id)
                playing.play_id = play_id
                self._set(playing, self._start_ms.pop(play_id, 0))
                if play_id not in self._starting:
                    playing.paused = False
                self._tell(play_id, None)
            case TrackEnded(guild_id=guild_id, entry_id=play_id):
                if event.reason is EndReason.LOAD_FAILED:
                    self._tell(play_id, TrackUnplayable(_UNPLAYABLE))
                if self.play_id(guild_id) == play_id:
                    self.stop(guild_id)
            case TrackFailed(entry_id=play_id):
                self._tell(play_id, TrackUnplayable(_UNPLAYABLE))
            case _:
                pass

    def report(self, guild_id: int, state: Mapping[str, Any]) -> PositionReported:
        """Take a protocol's Player State; return it as an event."""
        playing = self._guild(guild_id)
        position_ms = max(0, int(state.get("position") or 0))
        if playing.play_id is not None:
            self._set(playing, position_ms)
        return PositionReported(
            guild_id, playing.play_id, position_ms, connected=bool(state.get("connected"))
        )

    def found(self, player: Mapping[str, Any]) -> PositionReported:
        """Take a protocol's Player, as a node that is back shows it."""
        guild_id = int(player["guildId"])
        playing = self._guild(guild_id)
        playing.play_id = play_id_of(player.get("track"))
        playing.paused = bool(player.get("paused"))
        return self.report(guild_id, player.get("state") or {})

    def _guild(self, guild_id: int) -> _Playing:
        if (playing := self._playing.get(guild_id)) is None:
            playing = self._playing[guild_id] = _Playing()
        return playing

    def _set(self, playing: _Playing, position_ms: int) -> None:
        playing.position_ms, playing.at = position_ms, self._monotonic()

    def _tell(self, play_id: str, error: TrackUnplayable | None) -> None:
        _, started = self._starting.get(play_id, (0, None))
        if started is None or started.done():
            return
        if error is None:
            started.set_result(None)
        else:
            started.set_exception(error)

    def fail_all(self, guild_ids: Iterator[int], error: Exception) -> None:
        """Let starts in these guilds fail: their node is gone."""
        gone = set(guild_ids)
        for guild_id, started in self._starting.values():
            if guild_id in gone and not started.done():
                started.set_exception(error)
