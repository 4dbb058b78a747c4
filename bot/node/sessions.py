"""All clients' sessions, and the regular work for them."""

import asyncio
import logging
import time
from typing import Any, Final

from bot.node.machine import Machine, return_memory
from bot.node.player import Engine
from bot.node.protocol import now_ms
from bot.node.session import Session

_log = logging.getLogger(__name__)

_TICK_SECONDS: Final = 1.0
_STATS_SECONDS: Final = 60.0


class Sessions:
    """The sessions of a node.

    Args:
        engine: the threads that players use.
        update_seconds: between two regular playerUpdates.
        lonely_seconds: without any client, after which `lonely` is set; None: never.
    """

    def __init__(
        self, engine: Engine, *, update_seconds: float, lonely_seconds: float | None = None
    ) -> None:
        self.engine = engine
        self.started_ms = now_ms()
        self._update_seconds = update_seconds
        self._lonely_seconds = lonely_seconds
        self.lonely = asyncio.Event()
        self._machine = Machine()
        self._sessions: dict[str, Session] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._client_seen = time.monotonic()
        self._memory_is_free = False

    def open(self, user_id: int) -> Session:
        """Make a session for a client that came."""
        session = Session(user_id, engine=self.engine, on_expired=self._expired)
        self._sessions[session.id] = session
        session.put({"op": "stats", **self.stats()})
        return session

    def find(self, session_id: str, *, user_id: int) -> Session | None:
        """Return the session that a client wants to resume, if it is its own."""
        session = self._sessions.get(session_id)
        may_resume = session is not None and session.user_id == user_id
        return session if may_resume and session is not None and session.resuming else None

    def get(self, session_id: str) -> Session | None:
        """Return a session by its id."""
        return self._sessions.get(session_id)

    def note_client(self) -> None:
        """Note that a client was there just now."""
        self._client_seen = time.monotonic()

    def _note_loneliness(self) -> None:
        if any(session.connected for session in self._sessions.values()):
            self.note_client()
        limit = self._lonely_seconds
        if limit is not None and time.monotonic() - self._client_seen >= limit:
            self.lonely.set()

    def stats(self) -> dict[str, Any]:
        """Return the protocol's Stats."""
        players = [player for each in self._sessions.values() for player in each.players.values()]
        frames = self.engine.sender.statistics()
        return {
            "players": len(players),
            "playingPlayers": sum(player.playing for player in players),
            **self._machine.payload(),
            "frameStats": None
            if frames is None
            else {"sent": frames.sent, "nulled": frames.nulled, "deficit": frames.deficit},
        }

    async def look_after(self) -> None:
        """Do the regular work until cancelled."""
        loop = asyncio.get_running_loop()
        next_update = loop.time() + self._update_seconds
        next_stats = loop.time() + _STATS_SECONDS
        while True:
            await asyncio.sleep(min(_TICK_SECONDS, self._update_seconds))
            self._note_loneliness()
            tells_positions = loop.time() >= next_update
            if tells_positions:
                next_update = loop.time() + self._update_seconds
            tells_stats = loop.time() >= next_stats
            if tells_stats:
                next_stats = loop.time() + _STATS_SECONDS
            for session in list(self._sessions.values()):
                session.tick(tells_positions=tells_positions)
                self._memory_is_free |= session.take_ended()
                if tells_stats and session.connected:
                    session.put({"op": "stats", **self.stats()})
            if self._memory_is_free and tells_positions:
                self._memory_is_free = False
                loop.run_in_executor(self.engine.readers, return_memory)

    async def close(self) -> None:
        """End all sessions."""
        sessions, self._sessions = list(self._sessions.values()), {}
        await asyncio.gather(*(session.close() for session in sessions), *self._closing)

    def _expired(self, session: Session) -> None:
        if session.resuming:
            _log.info("a client did not come back: its players end")
        self._sessions.pop(session.id, None)
        self._memory_is_free = True
        task = asyncio.get_running_loop().create_task(session.close(), name="end a session")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
