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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import aiohttp
import nextcord
from nextcord.http import HTTPClient, Route
from nextcord.utils import time_snowflake

from bot.kit.replies import Json

_log = logging.getLogger(__name__)

_UNKNOWN_MESSAGE = 10008
_PASSING = frozenset({401, 408, 429})
"""Refusals that say nothing of the request itself; so does everything from 500."""
_SERVER_ERROR = 500
_PAGE = 100
_PAGES = 10
"""So many messages, newer than a moment, are looked through at most."""
_BACKLOG = 15
"""Messages that may wait in a channel before passing remarks are dropped."""
_RESET_DELAYS_SECONDS = (0.2, 1.0)
_DEADLINE_SECONDS = 60.0


class Undelivered(Exception):
    """Discord does not have what we wanted to show; the text says why, for the log."""


class Rejected(Undelivered):
    """Discord does not take it there, however often it is asked: no permission, no such place."""


class ChannelBusy(Undelivered):
    """Too many messages wait in that channel already."""


class MessageGone(Rejected):
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
            Rejected: no permission, no such channel, or a body that Discord refuses.
            Undelivered: Discord does not take it now.
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
            raise ChannelBusy("too many messages wait in that channel")
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

    async def open_direct(self, user_id: int) -> int:
        """Return the channel of direct messages with a user.

        Raises:
            Undelivered: there is none, or Discord does not answer.
        """
        route = Route("POST", "/users/@me/channels")
        channel = await self._request(route, {"recipient_id": str(user_id)})
        return int(channel["id"])

    async def find_posted(
        self, channel_id: int, *, since: datetime, where: Callable[[Json], bool]
    ) -> int | None:
        """Return the id of a message in a channel that fits, among the first 1,000 from `since` on.

        Raises:
            Undelivered: the channel cannot be read, or Discord does not answer.
        """
        after = time_snowflake(since)
        for _ in range(_PAGES):
            path = "/channels/{channel_id}/messages?limit={limit}&after={after}"
            route = Route("GET", path, channel_id=channel_id, limit=_PAGE, after=after)
            messages = await self._request(route, None)
            for message in messages:
                if where(message):
                    return int(message["id"])
            if len(messages) < _PAGE:
                break
            after = max(int(message["id"]) for message in messages)
        return None

    async def _request(
        self, route: Route, body: Json | None, files: Sequence[Enclosure] = ()
    ) -> Any:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                return await self._patiently(route, body, files)
        except nextcord.NotFound as error:
            if error.code == _UNKNOWN_MESSAGE:
                raise MessageGone("the message was deleted") from None
            raise Rejected(_reason(error)) from None
        except nextcord.HTTPException as error:
            passing = error.status in _PASSING or error.status >= _SERVER_ERROR
            raise (Undelivered if passing else Rejected)(_reason(error)) from None
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
