"""One websocket to a voice server (voice gateway v8): framing, numbers, heartbeats, its end.

It knows no session: what is identified or resumed, and what messages mean, is `voice_session`'s.
Numbered messages count up `sequence`, in JSON as `seq`, in binary frames as the first two bytes
(https://discord.com/developers/docs/topics/voice-connections#buffered-resume).
"""

import asyncio
import contextlib
import json
import logging
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import aiohttp

from bot.node.close_codes import ABNORMAL, NORMAL, TLS_FAILED

_log = logging.getLogger(__name__)


class VoiceOp(IntEnum):
    """Opcodes of the voice gateway."""

    IDENTIFY = 0
    SELECT_PROTOCOL = 1
    READY = 2
    HEARTBEAT = 3
    SESSION_DESCRIPTION = 4
    SPEAKING = 5
    HEARTBEAT_ACK = 6
    RESUME = 7
    HELLO = 8
    RESUMED = 9
    CLIENTS_CONNECT = 11
    CLIENT_DISCONNECT = 13
    MEDIA_SINK_WANTS = 15
    DAVE_PREPARE_TRANSITION = 21
    DAVE_EXECUTE_TRANSITION = 22
    DAVE_TRANSITION_READY = 23
    DAVE_PREPARE_EPOCH = 24
    DAVE_EXTERNAL_SENDER = 25
    DAVE_KEY_PACKAGE = 26
    DAVE_PROPOSALS = 27
    DAVE_COMMIT_WELCOME = 28
    DAVE_ANNOUNCE_COMMIT = 29
    DAVE_WELCOME = 30
    DAVE_INVALID_COMMIT_WELCOME = 31


@dataclass(frozen=True, slots=True)
class Closing:
    """How a websocket ended; `by_remote`: the server sent the close frame."""

    code: int
    reason: str
    by_remote: bool


Listener = Callable[[int, Any], Awaitable[None]]
"""Gets (opcode, data): a JSON message's `d`, or the bytes behind a binary frame's opcode."""

_CLOSE_TIMEOUT = aiohttp.ClientWSTimeout(ws_receive=None, ws_close=1.0)
_TO_BE_RESUMED = 4900
"""Sent when we give a websocket up but not its session: 1000 and 1001 would end both."""
_UNREADABLE = (KeyError, TypeError, ValueError, struct.error)
_FASTEST_BEAT = 0.02
_SEQUENCE_AND_OP = struct.Struct(">HB")


class VoiceGateway:
    """A websocket from its opening to its end; used once.

    Args:
        sequence: the last numbered message that the session's earlier websocket got; -1: none.
        on_message: awaited for each message but heartbeats, one at a time, in order.
    """

    def __init__(self, *, sequence: int, on_message: Listener) -> None:
        self.sequence = sequence
        self.ping_ms = -1
        self._on_message = on_message
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._interval = asyncio.get_running_loop().create_future()
        self._trusted = asyncio.Event()
        self._unanswered: float | None = None
        self._closing: Closing | None = None

    async def run(
        self, http: aiohttp.ClientSession, url: str, *, greeting: dict[str, Any]
    ) -> Closing:
        """Connect, send `greeting` (identify or resume), serve messages; return how it ended."""
        try:
            self._socket = await http.ws_connect(
                url, autoclose=False, max_msg_size=0, timeout=_CLOSE_TIMEOUT
            )
        except aiohttp.ClientSSLError as error:
            return Closing(TLS_FAILED, f"no TLS with the voice server: {error}", by_remote=False)
        except (aiohttp.ClientError, OSError) as error:
            return Closing(
                ABNORMAL, f"the voice server cannot be reached: {error}", by_remote=False
            )
        beating = asyncio.create_task(self._beat())
        try:
            await self._socket.send_json(greeting)
            return await self._serve(self._socket)
        except (aiohttp.ClientError, OSError) as error:
            return self._closing or Closing(ABNORMAL, f"connection lost: {error}", by_remote=False)
        except _UNREADABLE:
            _log.exception("the voice server sent something unreadable")
            return Closing(ABNORMAL, "the voice server sent something unreadable", by_remote=False)
        finally:
            beating.cancel()
            await self._say_goodbye(self._socket)

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse) -> Closing:
        while True:
            message = await socket.receive()
            match message.type:
                case aiohttp.WSMsgType.TEXT:
                    await self._text(message.data)
                case aiohttp.WSMsgType.BINARY:
                    await self._binary(message.data)
                case aiohttp.WSMsgType.CLOSE:
                    return self._closing or Closing(
                        message.data or ABNORMAL, message.extra or "", by_remote=True
                    )
                case _:
                    return self._closing or Closing(ABNORMAL, "connection lost", by_remote=False)

    async def _text(self, text: str) -> None:
        message = json.loads(text)
        self.sequence = message.get("seq", self.sequence)
        op, data = message["op"], message.get("d")
        if op == VoiceOp.HELLO:
            if not self._interval.done():
                self._interval.set_result(max(data["heartbeat_interval"] / 1000, _FASTEST_BEAT))
        elif op == VoiceOp.HEARTBEAT_ACK:
            self._acknowledged()
        else:
            await self._on_message(op, data)

    async def _binary(self, frame: bytes) -> None:
        self.sequence, op = _SEQUENCE_AND_OP.unpack_from(frame)
        await self._on_message(op, frame[_SEQUENCE_AND_OP.size :])

    async def send(self, op: VoiceOp, data: Any) -> bool:
        """Send one message (bytes: as a binary frame); False when the websocket is gone."""
        if self._socket is None or self._socket.closed:
            return False
        try:
            if isinstance(data, bytes):
                await self._socket.send_bytes(bytes((op,)) + data)
            else:
                await self._socket.send_json({"op": op, "d": data})
        except (aiohttp.ClientError, OSError):
            return False  # `run` sees the same end and reports it
        return True

    def trust(self) -> None:
        """Begin to send heartbeats: the server knows who we are (before, they are an error)."""
        self._trusted.set()

    async def close(self, code: int, reason: str) -> None:
        """End the websocket from our side; `run` returns this code and reason."""
        self._closing = self._closing or Closing(code, reason, by_remote=False)
        if self._socket is not None:
            await self._say_goodbye(self._socket)

    async def _say_goodbye(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        leaving = self._closing is not None and self._closing.code == NORMAL
        with contextlib.suppress(aiohttp.ClientError, OSError):
            await socket.close(code=NORMAL if leaving else _TO_BE_RESUMED)

    async def _beat(self) -> None:
        await self._trusted.wait()
        interval = await self._interval
        while True:
            self._unanswered = time.monotonic()
            beat = {"t": int(time.time() * 1000), "seq_ack": self.sequence}
            if not await self.send(VoiceOp.HEARTBEAT, beat):
                return
            await asyncio.sleep(interval)
            if self._unanswered is not None:
                await self.close(ABNORMAL, "the voice server stopped answering heartbeats")
                return

    def _acknowledged(self) -> None:
        if self._unanswered is not None:
            self.ping_ms = round((time.monotonic() - self._unanswered) * 1000)
            self._unanswered = None
