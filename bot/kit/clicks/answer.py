"""Words and changes after the acknowledgement, by the interaction's own token.

The token is good for 15 minutes (Discord, "Followup Messages") and needs no bot authorization, and
these routes do not count against the bot's 50 requests a second. A 429 is waited out, a 5xx and a
lost connection are tried again, all within a patience that ends with the token's life.
"""

import logging
import ssl
from typing import Any

import aiohttp

from bot.kit.clicks.discord_http import Reply, new_session, read_reply
from bot.kit.outbox import MessageGone, Undelivered
from services.clock import Clock

type Json = dict[str, Any]

_log = logging.getLogger(__name__)

_TOKEN_SECONDS = 15 * 60.0
_PATIENCE_SECONDS = 30.0
_ATTEMPT_SECONDS = 10.0
_DELAYS_SECONDS = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0)
"""Pauses after a 5xx or a lost connection; the last one repeats."""

_EPHEMERAL = 64
_SERVER_ERROR = 500
_TOO_MANY = 429
_UNKNOWN_MESSAGE = 10008
_TOKEN_IS_DEAD = frozenset({10015, 50027, 10062})


class AnswerExpired(Undelivered):
    """The interaction is older than 15 minutes, or was never acknowledged."""


class AnswerClient:
    """The HTTP client of all answers; its connections are none of the acknowledgements'."""

    def __init__(self, *, api_url: str, ssl_context: ssl.SSLContext | None, clock: Clock) -> None:
        self._api_url = api_url.rstrip("/")
        self._ssl_context = ssl_context
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    def to(self, *, application_id: int, token: str, received_at: float) -> "InteractionAnswer":
        """Return the answer to the interaction that arrived at `received_at` (monotonic)."""
        return InteractionAnswer(
            self, f"/webhooks/{application_id}/{token}", expires_at=received_at + _TOKEN_SECONDS
        )

    async def request(self, method: str, path: str, body: Json | None, *, expires_at: float) -> Any:
        """Send a request until Discord has taken it; return the JSON of its answer.

        Raises:
            AnswerExpired: the token is too old.
            MessageGone: the message was deleted.
            Undelivered: Discord refused it, or did not answer for 30 s.
        """
        failures = 0
        until = min(expires_at, self._clock.monotonic() + _PATIENCE_SECONDS)
        while self._clock.monotonic() < expires_at:
            reply = await self._attempt(method, path, body)
            if reply is not None and reply.accepted:
                return reply.payload
            pause = _pause(reply, failures)
            if self._clock.monotonic() + pause >= until:
                raise Undelivered("Discord did not take the answer in time")
            failures += 1
            await self._clock.sleep(pause)
        raise AnswerExpired("the interaction is older than 15 minutes")

    async def _attempt(self, method: str, path: str, body: Json | None) -> Reply | None:
        if self._session is None:
            self._session = new_session(self._ssl_context, total=_ATTEMPT_SECONDS)
        try:
            async with self._session.request(method, self._api_url + path, json=body) as response:
                return await read_reply(response)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            _log.info("an answer is tried again: %s", type(error).__name__)
            return None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _pause(reply: Reply | None, failures: int) -> float:
    """Return the seconds to wait before the next attempt; raise where none can help."""
    if reply is not None and reply.status == _TOO_MANY:
        return reply.retry_after if reply.retry_after is not None else 1.0
    if reply is None or reply.status >= _SERVER_ERROR:
        return _DELAYS_SECONDS[min(failures, len(_DELAYS_SECONDS) - 1)]
    if reply.code == _UNKNOWN_MESSAGE:
        raise MessageGone("the message was deleted")
    if reply.code in _TOKEN_IS_DEAD:
        raise AnswerExpired("the interaction cannot be answered any more")
    raise Undelivered(f"Discord answered {reply.status} (code {reply.code}): {reply.message}")


class InteractionAnswer:
    """Answers one acknowledged interaction, for 15 minutes.

    Every method raises `AnswerExpired` after that, `MessageGone` where the message was deleted, and
    `Undelivered` for everything else that kept it from being shown. A body that names no
    `allowed_mentions` pings nobody.
    """

    def __init__(self, client: AnswerClient, path: str, *, expires_at: float) -> None:
        self._client = client
        self._path = path
        self.expires_at = expires_at
        """When the token ends, in monotonic seconds."""

    async def follow_up(self, body: Json, *, private: bool = False) -> int:
        """Send a further message, if `private` for the member alone; return its id."""
        flags = int(body.get("flags", 0)) | (_EPHEMERAL if private else 0)
        sent = await self._request("POST", "?wait=true", {**_quiet(body), "flags": flags})
        return int(sent["id"])

    async def edit_original(self, body: Json) -> int:
        """Change the command's answer, or the message that was clicked; return its id."""
        edited = await self._request("PATCH", "/messages/@original", _quiet(body))
        return int(edited["id"])

    async def edit(self, message_id: int, body: Json) -> None:
        """Change a message that `follow_up` sent, or the clicked one."""
        await self._request("PATCH", f"/messages/{message_id}", _quiet(body))

    async def delete(self, message_id: int) -> None:
        """Take a message away that `follow_up` sent, or the clicked one."""
        await self._request("DELETE", f"/messages/{message_id}", None)

    async def delete_original(self) -> None:
        """Take the command's answer away, or the message whose component was clicked."""
        await self._request("DELETE", "/messages/@original", None)

    async def _request(self, method: str, path: str, body: Json | None) -> Any:
        return await self._client.request(
            method, self._path + path, body, expires_at=self.expires_at
        )


def _quiet(body: Json) -> Json:
    return body if "allowed_mentions" in body else {**body, "allowed_mentions": {"parse": []}}
