"""A Lavalink v4 client that hides nothing: requests with their status, and every message."""

import asyncio
import json
from types import TracebackType
from typing import Any, Self

import aiohttp

Json = dict[str, Any]


class RawLavalink:
    """One client of one node.

    Args:
        uri: the node's address.
        password: what it wants as `Authorization`.
        user_id: the bot's own id.
    """

    def __init__(self, uri: str, password: str, *, user_id: int = 1) -> None:
        self.uri = uri
        self.user_id = user_id
        self.messages: list[Json] = []
        self.session_id = ""
        self._headers = {"Authorization": password}
        self._http = aiohttp.ClientSession()
        self._websocket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.disconnect()
        await self._http.close()

    # ── websocket ───────────────────────────────────────────────────────────
    async def connect(self, *, resume: str | None = None) -> Json:
        """Open the websocket and return the ready message."""
        headers = {
            **self._headers,
            "User-Id": str(self.user_id),
            "Client-Name": "RawLavalink/1.0",
            **({} if resume is None else {"Session-Id": resume}),
        }
        self._websocket = await self._http.ws_connect(
            f"{self.uri}/v4/websocket", headers=headers, heartbeat=10
        )
        self.messages = []
        self._reader = asyncio.create_task(self._read(self._websocket))
        ready = await self.message("ready")
        self.session_id = ready["sessionId"]
        return ready

    async def disconnect(self) -> None:
        """Close the websocket politely."""
        if self._websocket is not None:
            await self._websocket.close()
        if self._reader is not None:
            await self._reader
        self._websocket = self._reader = None

    async def _read(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in websocket:
            async with self._news:
                self.messages.append(json.loads(message.data))
                self._news.notify_all()

    async def message(
        self, op: str, *, within: float = 10.0, after: int = 0, **fields: object
    ) -> Json:
        """Wait for a message with these fields, not among the first `after` ones.

        Raises:
            AssertionError: it did not come in time.
        """

        def found() -> Json | None:
            for message in self.messages[after:]:
                if message["op"] == op and all(
                    message.get(name) == value for name, value in fields.items()
                ):
                    return message
            return None

        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(lambda: found() is not None)
        except TimeoutError:
            seen = [message.get("type", message["op"]) for message in self.messages]
            raise AssertionError(f"no {op} {fields} within {within} s; there were {seen}") from None
        message = found()
        assert message is not None
        return message

    async def event(self, kind: str, guild: int, *, within: float = 10.0, after: int = 0) -> Json:
        """Wait for an event of a guild."""
        return await self.message(
            "event", within=within, after=after, type=kind, guildId=str(guild)
        )

    def events(self, guild: int) -> list[Json]:
        """Return the guild's events so far."""
        return [
            message
            for message in self.messages
            if message["op"] == "event" and message["guildId"] == str(guild)
        ]

    # ── requests ────────────────────────────────────────────────────────────
    async def request(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, Any]:
        """Return status and decoded answer."""
        async with self._http.request(
            method, f"{self.uri}{path}", json=body, headers={**self._headers, **headers}
        ) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return answer.status, json.loads(text) if is_json and text else text

    def player_path(self, guild: int) -> str:
        return f"/v4/sessions/{self.session_id}/players/{guild}"

    async def patch(self, guild: int, body: Json, *, query: str = "") -> Json:
        """Update a player that must take it, and return it."""
        status, answer = await self.request("PATCH", self.player_path(guild) + query, body)
        assert status == 200, answer
        assert isinstance(answer, dict)
        return answer

    async def player(self, guild: int) -> Json:
        status, answer = await self.request("GET", self.player_path(guild))
        assert status == 200, answer
        assert isinstance(answer, dict)
        return answer

    async def load(self, identifier: str) -> Json:
        """Return what loadtracks answers."""
        async with self._http.get(
            f"{self.uri}/v4/loadtracks", params={"identifier": identifier}, headers=self._headers
        ) as answer:
            assert answer.status == 200, await answer.text()
            result: Json = await answer.json()
            return result
