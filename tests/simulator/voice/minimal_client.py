"""A voice client that does just what a test says, right or wrong, to drive the voice server."""

import asyncio
import json
import math
import socket
import struct
from array import array
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

import aiohttp
import av
from Cryptodome.Cipher import ChaCha20_Poly1305
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.simulator.voice.server import VoiceServer
from tests.simulator.voice.transport import AES_GCM, discovered_address, discovery_request

GUILD, CHANNEL, USER, SESSION, TOKEN = 11, 22, 33, "voice-session", "voice-token"


def admit(voice: VoiceServer, **changed: Any) -> None:
    """Let this client in."""
    who: dict[str, Any] = {
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "user_id": USER,
        "session_id": SESSION,
        "token": TOKEN,
    }
    voice.admit(**{**who, **changed})


def tone_frames(hz: float, count: int, *, level: float = 0.5) -> Iterator[bytes]:
    """Yield Opus frames of 20 ms of a sine."""
    tone = [round(32767 * level * math.sin(2 * math.pi * hz * at / 48000)) for at in range(48000)]
    yield from opus_frames(tone[at * 960 % 48000 :][:960] for at in range(count))


def opus_frames(blocks: Iterable[list[int]]) -> Iterator[bytes]:
    """Yield each block of 960 mono samples as a stereo Opus frame."""
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    encoder.bit_rate = 128_000
    for index, block in enumerate(blocks):
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.sample_rate, frame.pts = 48_000, index * 960
        frame.planes[0].update(array("h", [value for value in block for _ in "lr"]).tobytes())
        for packet in encoder.encode(frame):
            yield bytes(packet)


class MinimalClient:
    """One websocket and one UDP socket; every step is made by the test."""

    def __init__(self, voice: VoiceServer) -> None:
        self.voice = voice
        self.ssrc = 0
        self.mode = ""
        self.key = b""
        self.sequence, self.timestamp, self.nonce = 65_530, 4_294_960_000, 0
        self.seq_ack = -1
        self.close_code: int | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._http = aiohttp.ClientSession()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.settimeout(0)
        self._udp_address = ("127.0.0.1", 0)

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close everything that is open."""
        if self._socket is not None:
            await self._socket.close()
        await self._http.close()
        self._udp.close()

    @property
    def udp_port(self) -> int:
        """Return the own UDP port."""
        return int(self._udp.getsockname()[1])

    async def connect(self, query: str = "?v=8") -> None:
        """Open the websocket and read HELLO."""
        self._socket = await self._http.ws_connect(
            f"wss://{self.voice.endpoint}/{query}", ssl=self.voice.ca.client_context()
        )
        self.hello = await self.receive(8)

    # ── websocket ───────────────────────────────────────────────────────────

    @property
    def socket(self) -> aiohttp.ClientWebSocketResponse:
        """Return the open websocket."""
        assert self._socket is not None
        return self._socket

    async def send(self, op: int, data: Any) -> None:
        """Send a JSON message."""
        await self.socket.send_json({"op": op, "d": data})

    async def send_binary(self, op: int, payload: bytes) -> None:
        """Send a binary message."""
        await self.socket.send_bytes(bytes([op]) + payload)

    async def receive(self, op: int) -> Any:
        """Return the data of the next message, which must be this op; bytes if it is binary."""
        got, data = await self.receive_any()
        assert got == op, f"op {got} came, {op} was expected: {data!r}"
        return data

    async def receive_any(self) -> tuple[int, Any]:
        """Return the next message; when it is a close, op -1 and the code."""
        message = await self.socket.receive(timeout=5)
        if message.type is aiohttp.WSMsgType.BINARY:
            self.seq_ack = int.from_bytes(message.data[:2])
            return message.data[2], message.data[3:]
        if message.type is aiohttp.WSMsgType.TEXT:
            content = json.loads(message.data)
            self.seq_ack = content.get("seq", self.seq_ack)
            return content["op"], content["d"]
        self.close_code = self.socket.close_code
        return -1, self.socket.close_code

    async def closed(self) -> int:
        """Read until the server closes; return its code."""
        while (got := await self.receive_any())[0] != -1:
            pass
        return int(got[1])

    # ── handshake ───────────────────────────────────────────────────────────

    async def identify(self, **changed: Any) -> None:
        """Send IDENTIFY."""
        data = {
            "server_id": str(GUILD),
            "user_id": str(USER),
            "session_id": SESSION,
            "token": TOKEN,
            "video": False,
            "max_dave_protocol_version": 0,
        }
        await self.send(0, {**data, **changed})

    async def ready(self, **changed: Any) -> dict[str, Any]:
        """Identify and read READY."""
        await self.identify(**changed)
        ready: dict[str, Any] = await self.receive(2)
        self.ssrc = ready["ssrc"]
        self._udp_address = (ready["ip"], ready["port"])
        return ready

    async def discover(self, *, within: float = 2.0) -> tuple[str, int]:
        """Ask for the own address; raise TimeoutError when no answer comes."""
        loop = asyncio.get_running_loop()
        self._udp.sendto(discovery_request(self.ssrc), self._udp_address)
        answer = await asyncio.wait_for(loop.sock_recv(self._udp, 200), within)
        return discovered_address(answer)

    async def select(self, mode: str, **changed: Any) -> dict[str, Any]:
        """Choose a cipher and read the session description."""
        await self.send_select(mode, **changed)
        session: dict[str, Any] = await self.receive(4)
        self.mode, self.key = mode, bytes(session["secret_key"])
        return session

    async def send_select(self, mode: str, **changed: Any) -> None:
        """Choose a cipher."""
        data = {"address": "127.0.0.1", "port": self.udp_port or 9, "mode": mode}
        await self.send(1, {"protocol": "udp", "data": data, **changed})

    async def speak(self, speaking: int = 1) -> None:
        """Announce sound, or its end."""
        await self.send(5, {"speaking": speaking, "delay": 0, "ssrc": self.ssrc})

    async def join(self, mode: str, **changed: Any) -> dict[str, Any]:
        """Go through the handshake, up to being able to send."""
        await self.ready(**changed)
        await self.discover()
        session = await self.select(mode)
        await self.speak()
        return session

    async def resume(self, **changed: Any) -> None:
        """Send RESUME."""
        data = {"server_id": str(GUILD), "session_id": SESSION, "token": TOKEN}
        await self.send(7, {**data, "seq_ack": self.seq_ack, **changed})

    # ── sound ───────────────────────────────────────────────────────────────

    def play(self, frames: Iterable[bytes]) -> None:
        """Send frames at once."""
        for frame in frames:
            self.send_datagram(self.seal(frame))

    def seal(self, frame: bytes) -> bytes:
        """Make the next RTP packet."""
        header = struct.pack(
            ">BBHII", 0x80, 0x78, self.sequence, self.timestamp & 0xFFFFFFFF, self.ssrc
        )
        counter = struct.pack("<I", self.nonce)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp += 960
        self.nonce += 1
        if self.mode == AES_GCM:
            sealed = AESGCM(self.key).encrypt(counter + bytes(8), frame, header)
        else:
            cipher = ChaCha20_Poly1305.new(key=self.key, nonce=counter + bytes(20))
            cipher.update(header)
            sealed = b"".join(cipher.encrypt_and_digest(frame))
        return header + sealed + counter

    def send_datagram(self, datagram: bytes) -> None:
        """Send to the voice server's UDP port."""
        self._udp.sendto(datagram, self._udp_address)
