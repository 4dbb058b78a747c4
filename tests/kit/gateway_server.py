"""A gateway for one bot on a loopback socket: enough of it to log in, get events and resume."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.kit.clicks.discord_server import DEADLINE_SECONDS, Handler, reply

USER = {"id": "30", "username": "tunes", "discriminator": "0", "avatar": None, "bot": True}


@dataclass
class GatewayServer:
    """Knows `guild_ids`; says READY to every IDENTIFY and RESUMED to every RESUME."""

    port: int = 0
    guild_ids: tuple[int, ...] = (10,)
    absent_guild_ids: tuple[int, ...] = ()
    """Guilds that READY names but that never come: an outage."""
    serves_gateway_bot: bool = True
    knows_token: bool = True
    unavailable_times: int = 0
    """How many of the next REST requests are answered 503."""
    closes_at_once: int = 0
    """How many of the next connections are closed before anything is said."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of every request."""
    frames: list[dict[str, Any]] = field(default_factory=list)
    """Everything that the bot sent over its sockets."""
    connections: list[str] = field(default_factory=list)
    """The paths that sockets were opened at."""
    _sockets: list[web.WebSocketResponse] = field(default_factory=list)
    _sequence: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v10"

    def sent(self, op: int) -> list[Any]:
        """What the bot sent under an opcode."""
        return [frame["d"] for frame in self.frames if frame["op"] == op]

    async def until_sent(self, op: int, *, times: int = 1) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: len(self.sent(op)) >= times)

    async def dispatch(self, name: str, data: dict[str, Any]) -> None:
        """Send an event to the bot."""
        self._sequence += 1
        frame = {"op": 0, "t": name, "s": self._sequence, "d": data}
        await self._sockets[-1].send_str(json.dumps(frame))

    async def drop(self) -> None:
        """Cut the bot's connection in a way that can be resumed."""
        await self._sockets[-1].close(code=4000)

    async def invalidate(self) -> None:
        """End the session: the bot has to identify again."""
        await self._sockets[-1].send_str(json.dumps({"op": 9, "d": False, "s": None, "t": None}))

    # ── REST ────────────────────────────────────────────────────────────────
    async def rest(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/api/v10")
        self.asked.append((request.method, path))
        return await self._answer(path)(request)

    def _answer(self, path: str) -> Handler:
        if not self.knows_token:
            return reply(401, {"code": 0, "message": "401: Unauthorized"})
        if self.unavailable_times:
            self.unavailable_times -= 1
            return reply(503)
        url = {"url": f"ws://127.0.0.1:{self.port}/gateway-socket"}
        known: dict[str, Any] = {"/users/@me": USER, "/gateway": url}
        if self.serves_gateway_bot:
            known["/gateway/bot"] = {**url, "shards": 1}
        if path in known:
            return reply(200, known[path])
        return reply(404, {"code": 0, "message": "404: Not Found"})

    # ── gateway ─────────────────────────────────────────────────────────────
    async def socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections.append(request.path)
        if self.closes_at_once:
            self.closes_at_once -= 1
            await socket.close(code=4000)
            return socket
        self._sockets.append(socket)
        hello = {"op": 10, "d": {"heartbeat_interval": 41250}, "s": None, "t": None}
        await socket.send_str(json.dumps(hello))
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._received(socket, json.loads(message.data))
        return socket

    async def _received(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        if frame["op"] == 1:
            await socket.send_str(json.dumps({"op": 11, "d": None, "s": None, "t": None}))
        elif frame["op"] == 2:
            await self._ready()
        elif frame["op"] == 6:
            await self.dispatch("RESUMED", {})
        async with self._changed:
            self._changed.notify_all()

    async def _ready(self) -> None:
        guilds = [
            {"id": str(guild), "unavailable": True}
            for guild in (*self.guild_ids, *self.absent_guild_ids)
        ]
        ready = {
            "v": 10,
            "user": USER,
            "guilds": guilds,
            "session_id": "session",
            "resume_gateway_url": f"ws://127.0.0.1:{self.port}/resume-socket",
            "application": {"id": "30", "flags": 0},
        }
        await self.dispatch("READY", ready)
        for guild in self.guild_ids:
            await self.dispatch("GUILD_CREATE", _guild(guild))


def _guild(guild_id: int) -> dict[str, Any]:
    return {
        "id": str(guild_id),
        "name": f"guild {guild_id}",
        "owner_id": "1",
        "member_count": 2,
        "unavailable": False,
        "roles": [{"id": str(guild_id), "name": "@everyone"}],
        "channels": [
            {"id": "20", "type": 0, "name": "general", "position": 0},
            {"id": "21", "type": 2, "name": "lounge", "position": 1},
        ],
        "members": [
            {"user": USER, "roles": []},
            {"user": {**USER, "id": "1", "username": "ada", "bot": False}, "roles": []},
        ],
        "voice_states": [{"user_id": "1", "channel_id": "21", "session_id": "v"}],
    }


@asynccontextmanager
async def running(server: GatewayServer) -> AsyncIterator[GatewayServer]:
    """Serve on a free port until left."""
    app = web.Application()
    app.router.add_get("/gateway-socket", server.socket)
    app.router.add_get("/resume-socket", server.socket)
    app.router.add_get("/gateway-socket/", server.socket)
    app.router.add_get("/resume-socket/", server.socket)
    app.router.add_route("*", "/api/{path:.*}", server.rest)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()
