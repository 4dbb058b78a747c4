"""Discord's interaction routes on a loopback socket, with faults on demand."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

DEADLINE_SECONDS = 10.0
"""How long a test waits for something of the real world before it fails."""

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """One request that arrived."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]
    connection: int
    """The client's port, which tells connections apart."""


def reply(status: int, payload: Any = None, **headers: str) -> Handler:
    """Answer with JSON as Discord does."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if payload is None:
            return web.Response(status=status, headers=named)
        return web.Response(
            status=status,
            body=json.dumps(payload).encode(),
            headers={"Content-Type": "application/json", **named},
        )

    return answer


def error(status: int, code: int) -> Handler:
    """Answer with one of Discord's error codes."""
    return reply(status, {"code": code, "message": "an error"})


def too_many(retry_after: float) -> Handler:
    """Answer that there were too many requests."""
    return reply(429, {"message": "slow", "retry_after": retry_after, "global": False})


async def reset(request: web.Request) -> web.StreamResponse:
    """Cut the connection before any answer."""
    assert request.transport is not None
    request.transport.abort()
    await asyncio.sleep(0)
    return web.Response()


async def silence(_request: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


@dataclass
class DiscordServer:
    """Answers by the scripted faults first, then as Discord does when all is well."""

    api_url: str = ""
    asked: list[Asked] = field(default_factory=list)
    faults: list[Handler] = field(default_factory=list)
    """What happens to the next callbacks and webhook requests, one each."""
    gate: asyncio.Event | None = None
    """While set and not open, answers wait."""
    _acknowledged: set[str] = field(default_factory=set)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _message_id: int = 7000

    @property
    def callbacks(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.path.endswith("/callback")]

    @property
    def webhooks(self) -> list[Asked]:
        return [asked for asked in self.asked if "/webhooks/" in asked.path]

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until something is true of what was asked."""
        async with asyncio.timeout(DEADLINE_SECONDS), self._changed:
            await self._changed.wait_for(reached)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        peer = request.transport.get_extra_info("peername") if request.transport else (None, 0)
        asked = Asked(
            method=request.method,
            path=request.path,
            body=json.loads(raw) if raw else None,
            headers=dict(request.headers),
            connection=peer[1],
        )
        self.asked.append(asked)
        async with self._changed:
            self._changed.notify_all()
        if request.path.endswith("/gateway"):
            return await reply(200, {"url": "ws://127.0.0.1:1"})(request)
        if self.faults:
            return await self.faults.pop(0)(request)
        if self.gate is not None:
            await self.gate.wait()
        return await self._well(asked)(request)

    def _well(self, asked: Asked) -> Handler:
        if not asked.path.endswith("/callback"):
            if asked.method == "DELETE":
                return reply(204)
            self._message_id += 1
            return reply(200, {"id": str(self._message_id), **asked.body})
        if asked.path in self._acknowledged:
            return error(400, 40060)
        self._acknowledged.add(asked.path)
        return reply(204)


@asynccontextmanager
async def running() -> AsyncIterator[DiscordServer]:
    """Serve on a free port until left."""
    server = DiscordServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=2048)
    await site.start()
    port = runner.addresses[0][1]
    server.api_url = f"http://127.0.0.1:{port}/api/v10"
    try:
        yield server
    finally:
        await runner.cleanup()
