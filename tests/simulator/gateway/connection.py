"""One websocket of the gateway: its handshake, its limits, its heartbeats."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import WSMsgType, web

from tests.simulator.clock import Clock
from tests.simulator.gateway import frames
from tests.simulator.gateway.session import Session

if TYPE_CHECKING:
    from tests.simulator.gateway.gateway import Gateway

UNKNOWN_ERROR = 4000
UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED, WRONG_TOKEN, ALREADY_IDENTIFIED = range(4001, 4006)
WRONG_SEQUENCE, RATE_LIMITED, TIMED_OUT, WRONG_SHARD, TOO_MANY_GUILDS, WRONG_VERSION = range(
    4007, 4013
)
WRONG_INTENTS, INTENTS_NOT_ALLOWED = 4013, 4014

_LONGEST_PAYLOAD = 4096
_SENDS, _SENDS_SECONDS = 120, 60.0
_SILENT_INTERVALS = 1.5


class Closed(Exception):
    """The server ends the connection with a code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Connection:
    """A websocket, from HELLO to its end."""

    def __init__(self, gateway: "Gateway", request: web.BaseRequest, clock: Clock) -> None:
        self._gateway = gateway
        self._request = request
        self._clock = clock
        self._socket = web.WebSocketResponse(compress=False, max_msg_size=1 << 20, timeout=0.5)
        compressed = request.query.get("compress") == "zlib-stream" and gateway.compress
        self._stream = frames.ZlibStream() if compressed else None
        self._outgoing: asyncio.Queue[bytes | Closed] = asyncio.Queue()
        self._sends: deque[float] = deque()
        self._last_beat = clock.monotonic()
        self.session: Session | None = None
        self.closed_by_client: int | None = None
        """The code with which the client closed; None where the server did, or nobody."""
        self._closing = False

    # ── life ────────────────────────────────────────────────────────────────

    async def serve(self) -> web.WebSocketResponse:
        """Talk until one side ends it."""
        await self._socket.prepare(self._request)
        self._gateway.connections.add(self)
        writer = asyncio.create_task(self._write_all(), name="gateway writer")
        keeper = asyncio.create_task(self._watch_heartbeats(), name="gateway heartbeats")
        try:
            self._hello()
            await self._read_all()
        finally:
            self._gateway.connections.discard(self)
            keeper.cancel()
            writer.cancel()
            await asyncio.gather(keeper, writer, return_exceptions=True)
            self._gateway.detach(self)
        return self._socket

    def _hello(self) -> None:
        if self._request.query.get("v") != "10":
            self.close(WRONG_VERSION, "You specified an invalid API version.")
        elif self._request.query.get("encoding", "json") != "json":
            self.close(DECODE_ERROR, "Only JSON is spoken here.")
        interval = round(self._gateway.heartbeat_interval * 1000)
        data = {"heartbeat_interval": interval, "_trace": ["simulator"]}
        self.write(frames.envelope(frames.HELLO, data))

    async def _read_all(self) -> None:
        async for message in self._socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            try:
                self._handle(message.data)
            except Closed as closed:
                self.close(closed.code, closed.reason)
            except Exception as error:  # noqa: BLE001  # a defect of ours: kept, and told at the end
                self._gateway.world.defects.append(error)
                self.close(UNKNOWN_ERROR, "Unknown error.")
        if not self._closing:
            self.closed_by_client = self._socket.close_code

    async def _write_all(self) -> None:
        while True:
            frame = await self._outgoing.get()
            with contextlib.suppress(ConnectionError, RuntimeError):
                if isinstance(frame, Closed):
                    await self._socket.close(code=frame.code, message=frame.reason.encode())
                    return
                if self._stream is not None:
                    await self._socket.send_bytes(self._stream.pack(frame))
                else:
                    await self._socket.send_str(frame.decode())

    async def _watch_heartbeats(self) -> None:
        allowed = self._gateway.heartbeat_interval * _SILENT_INTERVALS
        while True:
            silent = self._clock.monotonic() - self._last_beat
            if silent >= allowed:
                self.close(TIMED_OUT, "Session timed out.")
                return
            await asyncio.sleep(allowed - silent)

    # ── sending ─────────────────────────────────────────────────────────────

    def write(self, frame: bytes) -> None:
        """Send a frame after those before it."""
        self._outgoing.put_nowait(frame)

    def close(self, code: int, reason: str = "") -> None:
        """Close after what was written before."""
        self._closing = True
        self._outgoing.put_nowait(Closed(code, reason))

    def cut(self) -> None:
        """Reset the TCP connection."""
        transport = self._request.transport
        if transport is not None:
            transport.abort()

    # ── receiving ───────────────────────────────────────────────────────────

    def _handle(self, raw: str | bytes) -> None:
        op, data = self._decode(raw)
        self._count()
        if op == frames.HEARTBEAT:
            self._last_beat = self._clock.monotonic()
            if not self._gateway.world.faults.heartbeats_unanswered:
                self.write(frames.envelope(frames.HEARTBEAT_ACK))
            return
        if op == frames.IDENTIFY:
            self._must_be_new()
            self._gateway.identify(self, data)
        elif op == frames.RESUME:
            self._must_be_new()
            self._gateway.resume(self, data)
        elif self.session is None:
            raise Closed(NOT_AUTHENTICATED, "Not authenticated.")
        else:
            self._authenticated(self.session, op, data)

    def _authenticated(self, session: Session, op: int, data: Any) -> None:
        handlers: dict[int, Callable[[Session, Any], None]] = {
            frames.PRESENCE: self._gateway.set_presence,
            frames.VOICE_STATE: self._gateway.voice_state,
            frames.REQUEST_MEMBERS: self._gateway.request_members,
        }
        handler = handlers.get(op)
        if handler is None:
            raise Closed(UNKNOWN_OPCODE, "Unknown opcode.")
        if not isinstance(data, dict):
            raise Closed(DECODE_ERROR, "Error while decoding payload.")
        handler(session, data)

    def _decode(self, raw: str | bytes) -> tuple[int, Any]:
        size = len(raw if isinstance(raw, bytes) else raw.encode())
        try:
            payload = orjson.loads(raw)
        except ValueError:
            payload = None
        if size > _LONGEST_PAYLOAD or not isinstance(payload, dict):
            raise Closed(DECODE_ERROR, "Error while decoding payload.")
        op = payload.get("op")
        if not isinstance(op, int) or isinstance(op, bool):
            raise Closed(DECODE_ERROR, "Error while decoding payload.")
        return op, payload.get("d")

    def _count(self) -> None:
        now = self._clock.monotonic()
        while self._sends and self._sends[0] <= now - _SENDS_SECONDS:
            self._sends.popleft()
        self._sends.append(now)
        if len(self._sends) > _SENDS:
            raise Closed(RATE_LIMITED, "Rate limited.")

    def _must_be_new(self) -> None:
        if self.session is not None:
            raise Closed(ALREADY_IDENTIFIED, "Already authenticated.")
