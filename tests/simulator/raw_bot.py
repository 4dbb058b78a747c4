"""A bot without any library: plain HTTP and a plain websocket, to see the simulator as it is."""

import asyncio
import zlib
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from tests.simulator.simulator import Simulator

ALL_INTENTS = (1 << 17) - 1
_AGENT = "DiscordBot (https://example.invalid, 1.0)"


@dataclass(frozen=True)
class Reply:
    """What the API answered."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> int:
        """The JSON error code."""
        return int(self.body["code"])

    def complaint(self, *path: str) -> str:
        """Return the code of the first complaint about a field."""
        node = self.body["errors"]
        for step in path:
            node = node[step]
        return str(node["_errors"][0]["code"])


class RawBot:
    """REST requests with the bot's token."""

    def __init__(self, discord: Simulator) -> None:
        self.discord = discord
        self._http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        data: aiohttp.FormData | bytes | None = None,
        authorized: bool = True,
    ) -> Reply:
        """Send a request; `body` is sent as JSON."""
        sent = {"User-Agent": _AGENT}
        if authorized:
            sent["Authorization"] = f"Bot {self.discord.token}"
        if body is not None:
            data, sent["Content-Type"] = orjson.dumps(body), "application/json"
        url = self.discord.api_url + path
        async with self._http.request(
            method, url, data=data, headers=sent | (headers or {})
        ) as response:
            raw = await response.read()
            kind = response.headers.get("Content-Type")
            shown = orjson.loads(raw) if raw and kind == "application/json" else raw
            return Reply(response.status, shown, dict(response.headers))

    async def answer(self, interaction: dict[str, Any], kind: int, **data: Any) -> Reply:
        """Send the first answer to an interaction."""
        path = f"/interactions/{interaction['id']}/{interaction['token']}/callback"
        body = {"type": kind, **({"data": data} if data else {})}
        return await self.ask("POST", path, body, authorized=False)

    def webhook(self, interaction: dict[str, Any], tail: str = "") -> str:
        """Return the path for later answers to an interaction."""
        return f"/webhooks/{interaction['application_id']}/{interaction['token']}{tail}"

    def connect(self, query: str = "?v=10&encoding=json") -> "RawGateway":
        """Open a gateway connection."""
        return RawGateway(self._http, self.discord, query)


class RawGateway:
    """One websocket; frames are read when they are asked for."""

    def __init__(self, http: aiohttp.ClientSession, discord: Simulator, query: str) -> None:
        self._http = http
        self._discord = discord
        self._query = query
        self._socket: aiohttp.ClientWebSocketResponse
        self._inflater = zlib.decompressobj()
        self.sequence = 0
        self.session_id = ""

    async def __aenter__(self) -> Self:
        url = self._discord.gateway.url + self._query
        self._socket = await self._http.ws_connect(url, autoclose=True)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._socket.close()

    async def send(self, op: int, data: Any = None) -> None:
        """Send a frame."""
        await self._socket.send_str(orjson.dumps({"op": op, "d": data}).decode())

    async def send_text(self, text: str) -> None:
        """Send anything."""
        await self._socket.send_str(text)

    async def close(self, code: int) -> None:
        """Close with a code."""
        await self._socket.close(code=code)

    async def frame(self, *, within: float = 3.0) -> dict[str, Any]:
        """Return the next frame."""
        async with asyncio.timeout(within):
            message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            raw = self._inflater.decompress(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            raw = message.data.encode()
        else:
            raise AssertionError(f"no frame but {message.type!r} {self._socket.close_code}")
        frame: dict[str, Any] = orjson.loads(raw)
        self.sequence = frame["s"] or self.sequence
        return frame

    async def op(self, number: int) -> Any:
        """Return the data of the next frame with this opcode."""
        while (frame := await self.frame())["op"] != number:
            pass
        return frame["d"]

    async def event(self, name: str) -> Any:
        """Return the data of the next event of this name."""
        while (frame := await self.frame())["t"] != name:
            pass
        if name == "READY":
            self.session_id = frame["d"]["session_id"]
        return frame["d"]

    async def events_until(self, name: str) -> list[str]:
        """Return the names of all events up to one."""
        names: list[str] = []
        while name not in names:
            names.append(str((await self.frame())["t"]))
        return names

    async def closed(self) -> int | None:
        """Return the code with which the server closes; frames before it are skipped."""
        async with asyncio.timeout(3.0):
            while not self._socket.closed:
                await self._socket.receive()
        return self._socket.close_code

    async def identify(self, **changes: Any) -> None:
        """Send IDENTIFY with all intents, or with changes."""
        data = {
            "token": self._discord.token,
            "intents": ALL_INTENTS,
            "properties": {"os": "linux", "browser": "raw", "device": "raw"},
            **changes,
        }
        await self.send(2, data)

    async def resume(self, session_id: str, sequence: int) -> None:
        """Send RESUME."""
        data = {"token": self._discord.token, "session_id": session_id, "seq": sequence}
        await self.send(6, data)
