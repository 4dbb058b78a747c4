"""One websocket of the voice gateway: reads the client's messages, as strictly as Discord.

Each refusal is a close code of Discord's table (topics/opcodes-and-status-codes): 4001 unknown op,
4002 undecodable, 4003 something before identifying, 4004 wrong token, 4005 identified twice,
4006 unknown session, 4009 no heartbeat, 4011 unknown server, 4012 unknown protocol, 4014 sent away,
4015 crash, 4016 unknown cipher, 4017 no end-to-end encryption, 4020 malformed, 4022 call ended.
"""

import asyncio
import contextlib
import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import ClientConnectionError, WSMsgType, web

from tests.simulator.voice.session import VoiceSession
from tests.simulator.voice.transport import TransportCipher

if TYPE_CHECKING:
    from tests.simulator.voice.server import VoiceServer

RESUMABLE_CLOSES = frozenset({1001, 1006, 4015, 4900})
"""After these a client may resume (4900: it gave a silent websocket up, as koe does); after all
others its session is gone."""

_HELLO, _READY, _SESSION, _HEARTBEAT_ACK, _RESUMED, _VERSIONS = 8, 2, 4, 6, 9, 16
_LARGEST_MESSAGE = 64 << 10
_HEARTBEATS_MISSED = 1.5


class Refused(Exception):
    """The client broke a rule: its websocket is closed with `code`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Connection:
    """Serves one websocket until it is closed."""

    def __init__(self, server: "VoiceServer", request: web.Request) -> None:
        self._server = server
        self._request = request
        self._socket = web.WebSocketResponse(
            max_msg_size=_LARGEST_MESSAGE, compress=False, timeout=1.0
        )
        self._last_heartbeat = time.monotonic()
        self._closed_with: int | None = None
        self.session: VoiceSession | None = None
        self._handlers: dict[int, Callable[[Any], Awaitable[None]]] = {
            0: self._identify,
            1: self._select_protocol,
            3: self._heartbeat,
            5: self._speak,
            7: self._resume,
            12: self._note_streams,
            15: self._ignore,
            16: self._tell_versions,
            20: self._ignore,
            23: self._dave_ready,
            31: self._dave_invalid,
        }

    # ── life ────────────────────────────────────────────────────────────────

    async def serve(self) -> web.WebSocketResponse:
        """Speak the protocol until either side closes."""
        await self._socket.prepare(self._request)
        interval = self._server.heartbeat_interval
        watchdog = asyncio.create_task(self._watch_heartbeats(interval), name="voice heartbeats")
        try:
            await self._send_unnumbered(
                _HELLO, {"v": 8, "heartbeat_interval": round(interval * 1000)}
            )
            await self._read()
        except Refused as refused:
            await self.close(refused.code, refused.reason)
        except ConnectionError:
            pass  # the client went while it was being written to
        finally:
            watchdog.cancel()
            if self.session is not None:
                code = self._closed_with or self._socket.close_code or 1006
                self._server.detach(self.session, self, code)
        return self._socket

    async def send_raw(self, message: str | bytes) -> None:
        """Send a ready message; a lost websocket is no error, its reader notices."""
        with contextlib.suppress(ConnectionError, ClientConnectionError):
            if isinstance(message, str):
                await self._socket.send_str(message)
            else:
                await self._socket.send_bytes(message)

    async def close(self, code: int, reason: str = "") -> None:
        """Close with a code."""
        if self._closed_with is None:
            self._closed_with = code
            if self.session is not None:
                self.session.log.add(f"close {code}")
            await self._socket.close(code=code, message=reason.encode())

    def cut(self) -> None:
        """Reset the TCP connection, without a close frame or a TLS farewell."""
        self._closed_with = 1006
        transport = self._request.transport
        if transport is not None:
            reset_on_close(transport)
            transport.abort()

    async def _read(self) -> None:
        if self._request.query.get("v") != "8":
            raise Refused(4020, "This is voice gateway version 8.")
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                await self._handle(message.data)
            elif message.type is WSMsgType.BINARY:
                await self._handle_binary(message.data)

    async def _watch_heartbeats(self, interval: float) -> None:
        while True:
            rest = self._last_heartbeat + interval * _HEARTBEATS_MISSED - time.monotonic()
            if rest <= 0:
                break
            await asyncio.sleep(rest)
        await self.close(4009, "Session timed out.")

    # ── messages ────────────────────────────────────────────────────────────

    async def _handle(self, text: str) -> None:
        try:
            message = json.loads(text)
        except json.JSONDecodeError:
            raise Refused(4002, "Failed to decode payload.") from None
        if not isinstance(message, dict) or type(message.get("op")) is not int:
            raise Refused(4002, "Failed to decode payload.")
        op = message["op"]
        if op not in self._handlers:
            raise Refused(4001, "Unknown opcode.")
        if self.session is None and op not in (0, 3, 7):
            raise Refused(4003, "Not authenticated.")
        await self._handlers[op](message.get("d"))

    async def _handle_binary(self, message: bytes) -> None:
        if self.session is None:
            raise Refused(4003, "Not authenticated.")
        if not message or message[0] not in (26, 28):
            raise Refused(4001, "Unknown opcode.")
        await self._server.dave_message(self.session, message[0], message[1:])

    async def _identify(self, data: Any) -> None:
        if self.session is not None:
            raise Refused(4005, "Already authenticated.")
        version = data.get("max_dave_protocol_version", 0) if isinstance(data, dict) else 0
        if type(version) is not int or version < 0:
            raise Refused(4002, "Failed to decode payload.")
        guild_id, user_id = _snowflake(data, "server_id"), _snowflake(data, "user_id")
        self.session = self._server.identify(
            self,
            guild_id=guild_id,
            user_id=user_id,
            session_id=_text(data, "session_id"),
            token=_text(data, "token"),
            dave_version=version,
        )
        await self._server.send_ready(self.session)

    async def _select_protocol(self, data: Any) -> None:
        session = self._known()
        if _text(data, "protocol", code=4020) != "udp":
            raise Refused(4012, "Unknown protocol.")
        choice = data.get("data")
        _text(choice, "address", code=4020)
        if not 0 < _number(choice, "port") < 1 << 16:
            raise Refused(4020, "Bad request.")
        mode = _text(choice, "mode", code=4020)
        if mode not in self._server.modes:
            raise Refused(4016, "Unknown encryption mode.")
        session.log.add(f"select {mode}")
        key = self._server.new_key()
        session.stream.new_key(TransportCipher(mode, key))
        await session.send(
            _SESSION,
            {
                "mode": mode,
                "secret_key": list(key),
                "audio_codec": "opus",
                "video_codec": "H264",
                "media_session_id": key[:8].hex(),
                "dave_protocol_version": session.dave_version,
            },
        )
        await self._server.protocol_selected(session)

    async def _heartbeat(self, data: Any) -> None:
        moment = _number(data, "t")
        acknowledged = data.get("seq_ack", -1)
        if type(acknowledged) is not int:
            raise Refused(4020, "Bad request.")
        if self.session is not None and not self.session.knows(acknowledged):
            raise Refused(4020, "seq_ack was never sent.")
        self._last_heartbeat = time.monotonic()
        if self.session is not None:
            self.session.log.add(f"heartbeat {acknowledged}")
        if not self._server.faults.heartbeats_unanswered:
            await self._send_unnumbered(_HEARTBEAT_ACK, {"t": moment})

    async def _speak(self, data: Any) -> None:
        session = self._known()
        speaking = _number(data, "speaking")
        if not 0 <= speaking < 8 or _number(data, "delay") < 0:
            raise Refused(4020, "Bad request.")
        if _number(data, "ssrc") != session.stream.ssrc:
            raise Refused(4020, "Invalid SSRC.")
        session.log.add(f"speaking {speaking}")
        self._server.announced(session, speaking)

    async def _resume(self, data: Any) -> None:
        if self.session is not None:
            raise Refused(4005, "Already authenticated.")
        session = self._server.resumable(
            guild_id=_snowflake(data, "server_id"),
            session_id=_text(data, "session_id"),
            token=_text(data, "token"),
        )
        acknowledged = data.get("seq_ack", -1)
        if type(acknowledged) is not int:
            raise Refused(4020, "Bad request.")
        if session.missed_after(acknowledged) is None:
            self._server.forget(session)
            raise Refused(4006, "Session is no longer valid.")
        await self._server.release(session)
        session.log.add(f"resume {acknowledged}")
        await self._send_unnumbered(_RESUMED, None)
        replayed = 0
        while missed := session.missed_after(acknowledged):
            acknowledged = session.last_number
            replayed += len(missed)
            for message in missed:
                await self.send_raw(message)
        self.session, session.connection = session, self
        session.log.add(f"resumed {replayed}")

    async def _note_streams(self, data: Any) -> None:
        if _number(data, "audio_ssrc") not in (0, self._known().stream.ssrc):
            raise Refused(4020, "Invalid SSRC.")

    async def _tell_versions(self, _data: Any) -> None:
        await self._known().send(_VERSIONS, {"voice": "0.11.0", "rtc_worker": "0.4.0"})

    async def _dave_ready(self, data: Any) -> None:
        await self._server.dave_ready(self._known(), _number(data, "transition_id"))

    async def _dave_invalid(self, data: Any) -> None:
        await self._server.dave_invalid(self._known(), _number(data, "transition_id"))

    async def _ignore(self, data: Any) -> None:
        if not isinstance(data, dict):
            raise Refused(4020, "Bad request.")

    async def _send_unnumbered(self, op: int, data: dict[str, Any] | None) -> None:
        await self.send_raw(json.dumps({"op": op, "d": data}))

    def _known(self) -> VoiceSession:
        if self.session is None:
            raise Refused(4003, "Not authenticated.")
        return self.session


def reset_on_close(transport: asyncio.BaseTransport) -> None:
    """Make the closing of a connection a TCP reset."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _text(data: Any, key: str, *, code: int = 4002) -> str:
    value = data.get(key) if isinstance(data, dict) else None
    if not isinstance(value, str) or not value:
        raise Refused(code, f"{key} is missing.")
    return value


def _snowflake(data: Any, key: str) -> int:
    value = _text(data, key)
    if not value.isdigit():
        raise Refused(4002, f"{key} is no snowflake.")
    return int(value)


def _number(data: Any, key: str) -> int:
    value = data.get(key) if isinstance(data, dict) else None
    if type(value) is not int:
        raise Refused(4020, f"{key} is missing.")
    return value
