"""An outbox that keeps what members would see, and fails when a test says so."""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

from bot.kit.outbox import Enclosure, MessageGone, Undelivered

type Json = dict[str, Any]


class FakeOutbox:
    """Channels as dictionaries of message bodies."""

    def __init__(self) -> None:
        self._ids = itertools.count(9000)
        self._by_nonce: dict[str, int] = {}
        self.messages: dict[int, Json] = {}
        """What stands in all channels now, by message id."""
        self.channel_of: dict[int, int] = {}
        self.seen: list[str] = []
        """Every title that ever stood somewhere, in order."""
        self.files: dict[int, tuple[Enclosure, ...]] = {}
        """What went with messages, by message id."""
        self.edits = 0
        self.failing: Exception | None = None
        """Raised by every request while it is set."""
        self.held: asyncio.Event | None = None
        """Requests wait for it while it is set."""

    async def post(
        self,
        channel_id: int,
        body: Json,
        *,
        passing: bool = False,
        nonce: str | None = None,
        files: Sequence[Enclosure] = (),
    ) -> int:
        await self._way()
        if nonce is not None and nonce in self._by_nonce:
            return self._by_nonce[nonce]
        message_id = next(self._ids)
        if nonce is not None:
            self._by_nonce[nonce] = message_id
        if files:
            self.files[message_id] = tuple(files)
        self.channel_of[message_id] = channel_id
        self._put(message_id, body)
        return message_id

    async def edit(self, channel_id: int, message_id: int, body: Json) -> None:
        await self._way()
        if message_id not in self.messages:
            raise MessageGone("the message was deleted")
        self.edits += 1
        self._put(message_id, {**self.messages[message_id], **body})

    async def delete(self, channel_id: int, message_id: int) -> None:
        await self._way()
        self.messages.pop(message_id, None)

    def titles(self) -> list[str]:
        """Return the titles of the messages that stand now, the oldest first."""
        return [body["embeds"][0]["title"] for body in self.messages.values()]

    def text(self) -> str:
        """Return the text of the newest message."""
        return str(list(self.messages.values())[-1]["embeds"][0].get("description", ""))

    def newest_id(self) -> int:
        """Return the id of the newest message."""
        return list(self.messages)[-1]

    def _put(self, message_id: int, body: Json) -> None:
        self.messages[message_id] = body
        self.seen += [embed["title"] for embed in body.get("embeds", ())]

    async def _way(self) -> None:
        await asyncio.sleep(0)
        if self.held is not None:
            await self.held.wait()
        if self.failing is not None:
            raise self.failing


NO_PERMISSION = Undelivered("Discord answered 403 (code 50013): Missing Permissions")
