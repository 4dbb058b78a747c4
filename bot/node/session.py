"""A client's session: its players, its websocket, and what happens while the client is away.

A session that may be resumed plays on without its client for `timeout` seconds; events are kept.
Who comes back in time with its id gets `resumed: true`, the events, and each player's state. The
id can also be taken over while the old websocket still seems to stand: a killed client's may.
"""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Callable
from typing import Any, Final

import aiohttp
from aiohttp import web

from bot.node.event_queue import EventQueue, Message
from bot.node.player import Engine, Player

_log = logging.getLogger(__name__)

_DEFAULT_TIMEOUT: Final = 60


class Session:
    """One client's players and messages.

    Args:
        user_id: the bot's own id.
        engine: the threads that players use.
        on_expired: called when nobody came back in time.
    """

    def __init__(
        self, user_id: int, *, engine: Engine, on_expired: Callable[["Session"], None]
    ) -> None:
        self.id = secrets.token_hex(8)
        self.user_id = user_id
        self.resuming = False
        self.timeout = _DEFAULT_TIMEOUT
        self.players: dict[int, Player] = {}
        self._engine = engine
        self._on_expired = on_expired
        self._queue = EventQueue(self._player_update)
        self._websocket: web.WebSocketResponse | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._has_ended = False

    @property
    def connected(self) -> bool:
        """Whether the client is there."""
        return self._websocket is not None

    # ── players ─────────────────────────────────────────────────────────────
    def player(self, guild_id: int) -> Player:
        """Return the guild's player, made on first use."""
        if (player := self.players.get(guild_id)) is None:
            player = self.players[guild_id] = Player(
                guild_id,
                self.user_id,
                engine=self._engine,
                emit=self.put,
                report=lambda: self._queue.put_player(guild_id),
            )
        return player

    async def destroy_player(self, guild_id: int) -> None:
        """Take a guild's player away, if there is one."""
        player = self.players.pop(guild_id, None)
        if player is not None:
            await player.destroy("stopped")
            self._queue.forget_player(guild_id)

    def tick(self, *, tells_positions: bool) -> None:
        """Look after the players; `tells_positions`: it is time for the regular playerUpdates."""
        for guild_id, player in self.players.items():
            player.tick()
            if tells_positions and player.has_track and self.connected:
                self._queue.put_player(guild_id)

    def _player_update(self, guild_id: int) -> Message | None:
        player = self.players.get(guild_id)
        if player is None:
            return None
        return {"op": "playerUpdate", "guildId": str(guild_id), "state": player.state()}

    # ── client ──────────────────────────────────────────────────────────────
    def put(self, message: dict[str, Any]) -> None:
        """Tell the client, now or when it is back."""
        self._has_ended = self._has_ended or message.get("type") == "TrackEndEvent"
        self._queue.put(message)

    def take_ended(self) -> bool:
        """Tell whether a track has ended since this was asked before."""
        ended, self._has_ended = self._has_ended, False
        return ended

    async def serve(self, websocket: web.WebSocketResponse, *, resumed: bool) -> None:
        """Talk to the client over `websocket` until it is gone."""
        old, self._websocket = self._websocket, websocket
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if old is not None:
            await old.close(code=aiohttp.WSCloseCode.GOING_AWAY, message=b"taken over")
        ready = {"op": "ready", "resumed": resumed, "sessionId": self.id}
        await websocket.send_str(json.dumps(ready))
        if resumed:
            for guild_id in self.players:
                self._queue.put_player(guild_id)
        writer = asyncio.create_task(self._write(websocket), name=f"session {self.id}: write")
        try:
            async for _ in websocket:  # clients have nothing to say since v4
                pass
        finally:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            self._left(websocket)

    async def _write(self, websocket: web.WebSocketResponse) -> None:
        while True:
            message = await self._queue.next()
            try:
                await websocket.send_str(json.dumps(message))
            except (ConnectionError, RuntimeError):
                self._queue.put_back(message)
                return

    def _left(self, websocket: web.WebSocketResponse) -> None:
        if self._websocket is not websocket:
            return  # another one has taken over
        self._websocket = None
        wait = self.timeout if self.resuming else 0
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_later(wait, self._on_expired, self)

    async def close(self) -> None:
        """End all players and the websocket."""
        if self._expiry is not None:
            self._expiry.cancel()
        players, self.players = list(self.players.values()), {}
        await asyncio.gather(*(player.destroy("cleanup") for player in players))
        if self._websocket is not None:
            await self._websocket.close(code=aiohttp.WSCloseCode.GOING_AWAY)
