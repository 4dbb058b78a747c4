"""One voice session: identified once, resumed as often as its websockets break.

Life: identify → READY (our ssrc, where UDP goes) → IP discovery → select protocol → session
description (key, encryption version) → speaking → sound. From there on sound flows, whatever
happens to the websocket, until the session itself is lost; then `voice_link` makes another one.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.node.close_codes import ABNORMAL, NORMAL, UNKNOWN_MODE
from bot.node.dave_session import NEWEST_VERSION, DaveSession, Replies
from bot.node.rtp_stream import Route
from bot.node.transport_cipher import NoCommonMode, choose_mode, sealer
from bot.node.udp import DiscoveryFailed, VoiceSocket
from bot.node.voice_gateway import Closing, VoiceGateway, VoiceOp

_log = logging.getLogger(__name__)

_IDENTIFY_SECONDS = 8.0
_RESUME_SECONDS = 3.0
_OPUS = {"name": "opus", "type": "audio", "priority": 1000, "payload_type": 120}


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceCredentials:
    """What a voice update says: where to connect, and as whom."""

    guild_id: int
    user_id: int
    channel_id: int
    endpoint: str
    session_id: str = field(repr=False)
    token: str = field(repr=False)

    @property
    def url(self) -> str:
        """Return the websocket's address; the port is 443 where the endpoint names none."""
        return f"wss://{self.endpoint.removeprefix('wss://').rstrip('/')}/?v=8"


class VoiceSession:
    """What Discord knows as one voice session; used on the event loop.

    Args:
        credentials: from the voice update.
        speaking: tells whether a talk spurt is going on.
        on_change: called when `route`, `usable` or `told_speaking` may have changed.
    """

    def __init__(
        self,
        credentials: VoiceCredentials,
        *,
        speaking: Callable[[], bool],
        on_change: Callable[[], None],
    ) -> None:
        self.route: Route | None = None
        """Where sound may flow now."""
        self.usable = False
        """The websocket is up, and the handshake done."""
        self.told_speaking = False
        """What the voice server was last told by op 5."""
        self._credentials = credentials
        self._speaking = speaking
        self._on_change = on_change
        self._dave = DaveSession(user_id=credentials.user_id, channel_id=credentials.channel_id)
        self._sequence = self._last_ping_ms = -1
        self._gateway: VoiceGateway | None = None
        self._negotiation: asyncio.Task[None] | None = None
        self._limit: asyncio.Timeout | None = None
        self._usable_since: float | None = None
        self._ssrc = 0
        self._socket: VoiceSocket | None = None
        self._way: Route | None = None
        self._held = False
        self._patience = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def established(self) -> bool:
        """Whether there is something that could be resumed."""
        return self._way is not None

    @property
    def ping_ms(self) -> int:
        """Return the last heartbeat's round trip, -1 before the first."""
        current = -1 if self._gateway is None else self._gateway.ping_ms
        return current if current >= 0 else self._last_ping_ms

    @property
    def lasted(self) -> float:
        """For how many seconds the last websocket was usable."""
        return 0.0 if self._usable_since is None else time.monotonic() - self._usable_since

    # ── life ────────────────────────────────────────────────────────────────
    async def serve(self, http: aiohttp.ClientSession) -> Closing:
        """Live through one websocket: identify with the first, resume with later ones."""
        gateway = VoiceGateway(sequence=self._sequence, on_message=self._receive)
        self._gateway, self._usable_since = gateway, None
        limit = _RESUME_SECONDS if self.established else _IDENTIFY_SECONDS
        try:
            async with asyncio.timeout(limit) as self._limit:
                return await gateway.run(http, self._credentials.url, greeting=self._greeting())
        except TimeoutError:
            reason = f"the voice server did not let us in within {limit:g} s"
            return Closing(ABNORMAL, reason, by_remote=False)
        finally:
            self._sequence, self._last_ping_ms = gateway.sequence, self.ping_ms
            self._gateway, self.usable = None, False
            if self._negotiation is not None:
                self._negotiation.cancel()
            self._on_change()

    async def leave(self) -> None:
        """Close the websocket politely: the session ends at once on Discord's side, too."""
        if self._gateway is not None:
            await self._gateway.close(NORMAL, "left")

    def hold(self) -> None:
        """Let no sound flow until the session is resumed."""
        self._held = True
        self._publish()

    def discard(self) -> None:
        """Free what the session holds; it cannot be resumed afterwards."""
        self._way = None
        self._publish()
        self._stop_timer()
        if self._socket is not None:
            self._socket.close()

    def _greeting(self) -> dict[str, Any]:
        who = self._credentials
        data: dict[str, Any] = {
            "server_id": str(who.guild_id),
            "session_id": who.session_id,
            "token": who.token,
        }
        if self.established:
            return {"op": VoiceOp.RESUME, "d": {**data, "seq_ack": self._sequence}}
        data |= {"user_id": str(who.user_id), "max_dave_protocol_version": NEWEST_VERSION}
        return {"op": VoiceOp.IDENTIFY, "d": data}

    # ── messages ────────────────────────────────────────────────────────────
    async def _receive(self, op: int, data: Any) -> None:
        match op:
            case VoiceOp.READY:
                await self._be_ready(data)
            case VoiceOp.SESSION_DESCRIPTION:
                await self._described(data)
            case VoiceOp.RESUMED:
                self._held = False
                await self._become_usable()
            case VoiceOp.CLIENTS_CONNECT:
                self._dave.joined(data["user_ids"])
            case VoiceOp.CLIENT_DISCONNECT:
                self._dave.left(data["user_id"])
            case _ if isinstance(data, bytes):
                await self._reply(self._dave.receive_binary(op, data))
            case _:
                await self._reply(self._dave.receive(op, data))
        self._publish()

    async def _reply(self, replies: Replies) -> None:
        for reply in replies:
            await self._send(reply.op, reply.data)

    async def _send(self, op: VoiceOp, data: Any) -> bool:
        return self._gateway is not None and await self._gateway.send(op, data)

    async def _be_ready(self, ready: dict[str, Any]) -> None:
        """Choose a cipher and open UDP; the discovery must not keep other messages waiting."""
        assert self._gateway is not None
        self._gateway.trust()
        self._ssrc = ready["ssrc"]
        try:
            mode = choose_mode(ready["modes"])
            self._socket = VoiceSocket(ready["ip"], ready["port"])
        except NoCommonMode as error:
            await self._gateway.close(UNKNOWN_MODE, str(error))
        except OSError as error:
            await self._gateway.close(ABNORMAL, f"UDP is impossible: {error}")
        else:
            selecting = self._select_protocol(self._gateway, self._socket, mode)
            self._negotiation = asyncio.create_task(selecting)

    async def _select_protocol(self, gateway: VoiceGateway, udp: VoiceSocket, mode: str) -> None:
        try:
            address, port = await udp.discover(self._ssrc)
        except (DiscoveryFailed, OSError) as error:
            await gateway.close(ABNORMAL, f"UDP: {error}")
            return
        await gateway.send(VoiceOp.MEDIA_SINK_WANTS, {"any": 0})  # we listen to nobody
        where = {"address": address, "port": port, "mode": mode}
        select = {"protocol": "udp", "data": where, "codecs": [_OPUS]}
        await gateway.send(VoiceOp.SELECT_PROTOCOL, select)

    async def _described(self, description: dict[str, Any]) -> None:
        if self._socket is None:
            raise ValueError("a session description came before READY")
        seal = sealer(description["mode"], bytes(description["secret_key"]))
        version = description.get("dave_protocol_version", 0)
        await self._reply(self._dave.start(version, self._ssrc))
        self._way = Route(self._ssrc, seal, self._dave.encrypt, self._socket.send)
        await self._become_usable()

    async def _become_usable(self) -> None:
        assert self._gateway is not None
        self._gateway.trust()
        await self.tell_speaking(speaking=self._speaking())
        if self._limit is not None:
            self._limit.reschedule(None)
        self._usable_since = time.monotonic()
        self.usable = True
        self._on_change()

    async def tell_speaking(self, *, speaking: bool) -> None:
        """Send op 5, where a websocket is there to send it; else a resume will."""
        data = {"speaking": int(speaking), "delay": 0, "ssrc": self._ssrc}
        if self.established and await self._send(VoiceOp.SPEAKING, data):
            self.told_speaking = speaking

    # ── whether sound may flow ──────────────────────────────────────────────
    def _publish(self) -> None:
        route = None if self._held or self._awaits_group() else self._way
        if route is not self.route:
            self.route = route
            self._on_change()

    def _awaits_group(self) -> bool:
        patience = self._dave.patience
        if patience != self._patience:
            self._patience = patience
            self._stop_timer()
            if patience:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(patience, self._lose_patience)
        return self._timer is not None

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lose_patience(self) -> None:
        _log.info("voice of guild %d: no end-to-end key in time", self._credentials.guild_id)
        self._timer = None
        self._publish()
