"""Sends, edits and deletes the bot's channel messages, and says in one word what went wrong.

Bodies are Discord's JSON, so that a message looks the same whether it goes to a channel or answers
an interaction. A send carries a nonce that Discord enforces, therefore it may be repeated after a
lost connection without being shown twice; whoever gives a nonce of their own may repeat it after a
crash too, for some minutes, and gets the first message's id. A channel in which more than a few
messages already wait (Discord takes five in five seconds) refuses passing remarks: they would come
too late to matter.
"""

import asyncio
import json
import logging
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import nextcord
from nextcord.http import HTTPClient, Route

from bot.kit.replies import Json

_log = logging.getLogger(__name__)

_UNKNOWN_MESSAGE = 10008
_BACKLOG = 10
"""Messages that may wait in a channel before passing remarks are dropped."""
_RESET_DELAYS_SECONDS = (0.2, 1.0)
_DEADLINE_SECONDS = 60.0


class Undelivered(Exception):
    """Discord does not have what we wanted to show; the text says why, for the log."""


class MessageGone(Undelivered):
    """Somebody deleted the message."""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that goes with a message; Discord takes 10 MiB."""

    filename: str
    content: bytes
    content_type: str


class Outbox(Protocol):
    """The bot's own messages in channels."""

    async def post(
        self,
        channel_id: int,
        body: Json,
        *,
        passing: bool = False,
        nonce: str | None = None,
        files: Sequence[Enclosure] = (),
    ) -> int:
        """Send a message and return its id; a `passing` remark may be dropped.

        The same `nonce` (25 characters at most) sends the same message once.

        Raises:
            Undelivered: no permission, no such channel, or Discord does not take it.
        """
        ...

    async def edit(self, channel_id: int, message_id: int, body: Json) -> None:
        """Replace the parts of a message that `body` names.

        Raises:
            MessageGone: it was deleted.
            Undelivered: anything else that kept it from being shown.
        """
        ...

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Take a message away; fine when it is gone already.

        Raises:
            Undelivered: no permission, or Discord does not answer.
        """
        ...


class HttpOutbox:
    """The outbox over nextcord's HTTP client, which keeps to the rate limits."""

    def __init__(self, http: HTTPClient) -> None:
        self._http = http
        self._waiting: Counter[int] = Counter()

    async def post(
        self,
        channel_id: int,
        body: Json,
        *,
        passing: bool = False,
        nonce: str | None = None,
        files: Sequence[Enclosure] = (),
    ) -> int:
        """Send a message and return its id (see `Outbox`)."""
        if passing and self._waiting[channel_id] >= _BACKLOG:
            raise Undelivered("too many messages wait in that channel")
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=channel_id)
        once = {**body, "nonce": nonce or secrets.token_hex(12), "enforce_nonce": True}
        self._waiting[channel_id] += 1
        try:
            message = await self._request(route, once, files)
        finally:
            self._waiting[channel_id] -= 1
            if not self._waiting[channel_id]:
                del self._waiting[channel_id]
        return int(message["id"])

    async def edit(self, channel_id: int, message_id: int, body: Json) -> None:
        """Replace parts of a message (see `Outbox`)."""
        await self._request(_message_route("PATCH", channel_id, message_id), body)

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Take a message away (see `Outbox`)."""
        try:
            await self._request(_message_route("DELETE", channel_id, message_id), None)
        except MessageGone:
            _log.debug("message %d was deleted already", message_id)

    async def _request(
        self, route: Route, body: Json | None, files: Sequence[Enclosure] = ()
    ) -> Any:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                return await self._patiently(route, body, files)
        except nextcord.NotFound as error:
            if error.code == _UNKNOWN_MESSAGE:
                raise MessageGone("the message was deleted") from None
            raise Undelivered(_reason(error)) from None
        except nextcord.HTTPException as error:
            raise Undelivered(_reason(error)) from None
        except TimeoutError:
            raise Undelivered(f"no answer within {_DEADLINE_SECONDS:.0f} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Undelivered(f"no connection: {type(error).__name__}") from None

    async def _patiently(self, route: Route, body: Json | None, files: Sequence[Enclosure]) -> Any:
        for delay in _RESET_DELAYS_SECONDS:
            try:
                return await self._once(route, body, files)
            except (aiohttp.ClientError, ConnectionError):
                await asyncio.sleep(delay)
        return await self._once(route, body, files)

    async def _once(self, route: Route, body: Json | None, files: Sequence[Enclosure]) -> Any:
        if body is None:
            return await self._http.request(route)
        if files:
            return await self._http.request(route, form=_form(body, files))
        return await self._http.request(route, json=body)


def _message_route(method: str, channel_id: int, message_id: int) -> Route:
    return Route(
        method,
        "/channels/{channel_id}/messages/{message_id}",
        channel_id=channel_id,
        message_id=message_id,
    )


def _form(body: Json, files: Sequence[Enclosure]) -> list[dict[str, Any]]:
    """Return a message with files as multipart fields (Discord, "Uploading Files")."""
    listed = [{"id": number, "filename": file.filename} for number, file in enumerate(files)]
    return [
        {"name": "payload_json", "value": json.dumps({**body, "attachments": listed})},
        *(
            {
                "name": f"files[{number}]",
                "value": file.content,
                "filename": file.filename,
                "content_type": file.content_type,
            }
            for number, file in enumerate(files)
        ),
    ]


def _reason(error: nextcord.HTTPException) -> str:
    return f"Discord answered {error.status} (code {error.code}): {error.text}".replace("\n", " ")
