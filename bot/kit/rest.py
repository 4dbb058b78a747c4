"""nextcord's REST client with rate limits for each channel, and patience that fits a chat.

One seam: `request`, through which everything that nextcord asks of Discord passes. It keeps the
windows of `bot.kit.rate_limits`; it repeats after 0.2 s, not 1 s, what a 5xx stopped, and what a
lost connection stopped where a repetition cannot act twice.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, override
from urllib.parse import quote

import aiohttp
import nextcord
from nextcord.errors import DiscordServerError, HTTPInternalRatelimitLocked, Unauthorized
from nextcord.http import HTTPClient, Route
from nextcord.utils import MISSING

from bot.kit.rate_limits import Key, RateLimits, Window, read_headers
from services.clock import Clock

_log = logging.getLogger(__name__)

_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0)
_TRIES_AFTER_429 = 10
_LONGEST_WAIT_SECONDS = 60.0
_CLOSE_SECONDS = 5.0
_TIMEOUT = aiohttp.ClientTimeout(total=120, sock_connect=10, sock_read=30)

_PASSING = frozenset({500, 502, 503, 504})
_TOO_MANY = 429
_SERVER_ERROR = 500
_BAD = 400
_NO_SUCH_ROUTE = frozenset({404, 405, 501})

type _Answer = tuple[aiohttp.ClientResponse, Any]


class PatientHTTP(HTTPClient):
    """The bot account's REST client."""

    def __init__(self, connector: aiohttp.BaseConnector, *, clock: Clock, dispatch: Any) -> None:
        super().__init__(connector, dispatch=dispatch, ratelimit_shed_timer=None)
        self._clock = clock
        self._limits = RateLimits(clock)
        self._gateway_address: str | None = None

    @override
    async def request(
        self,
        route: Route,
        *,
        files: Sequence[nextcord.File] | None = None,
        form: Iterable[dict[str, Any]] | None = None,
        auth: str | None = MISSING,
        retry_request: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Ask Discord; return the JSON (or text) of its answer.

        Raises:
            HTTPException: Discord refused, or fails for longer than we wait.
            aiohttp.ClientError: no connection, or it was lost where repeating could act twice.
        """
        await self.recreate()
        sending = _Sending(
            method=route.method,
            url=route.url,
            headers=self._headers(kwargs, auth),
            form=list(form) if form is not None else None,
            files=files or (),
            options=kwargs,
        )
        attempts = _Attempts(self._clock, sending, patient=retry_request)
        key = Key(route.method, route.path, _major(route))
        while True:
            window = self._limits.window(key)
            if not retry_request and not window.open:
                raise HTTPInternalRatelimitLocked("the window of the route is full")
            try:
                response, payload = await self._once(key, window, sending)
            except (aiohttp.ClientConnectionError, ConnectionError, TimeoutError) as error:
                await attempts.after_lost_connection(error)
                continue
            if response.status < _BAD:
                return payload
            await attempts.after_refusal(response, payload)

    @override
    async def get_bot_gateway(self, **kwargs: Any) -> tuple[int, str]:
        """Return the number of shards and the gateway's address.

        A Discord that has no `/gateway/bot` (proxies, tests) is taken to want one shard.
        """
        try:
            return await super().get_bot_gateway(**kwargs)
        except nextcord.GatewayNotFound as error:
            status = getattr(error.__cause__, "status", 0)
            if status not in _NO_SUCH_ROUTE:
                raise
        return 1, await self.get_gateway(**kwargs)

    @override
    async def get_gateway(self, **kwargs: Any) -> str:
        """Return where to open a gateway connection."""
        if self._gateway_address is not None:
            return self.format_websocket_url(self._gateway_address)
        return await super().get_gateway(**kwargs)

    @contextmanager
    def gateway_at(self, address: str | None) -> Iterator[None]:
        """Let gateway connections that are opened meanwhile go to `address`, if there is one."""
        self._gateway_address = address
        try:
            yield
        finally:
            self._gateway_address = None

    @override
    async def ws_connect(self, url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        """Open a gateway connection."""
        return await self._session.ws_connect(
            url,
            timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
            max_msg_size=0,
            autoclose=False,
            headers={"User-Agent": self._user_agent},
            compress=compress,
        )

    @property
    def _session(self) -> aiohttp.ClientSession:
        session: aiohttp.ClientSession = self._HTTPClient__session  # type: ignore[attr-defined]  # nextcord offers no other way to its session
        return session

    async def _once(self, key: Key, window: Window, sending: "_Sending") -> _Answer:
        await window.enter()
        said, answered = None, False
        try:
            await self._limits.enter_account()
            async with self._session.request(
                sending.method, sending.url, timeout=_TIMEOUT, **sending.arguments()
            ) as response:
                payload = await _payload(response)
                if response.status == _TOO_MANY:  # it has used nothing up, and says when to go on
                    self._note_429(window, response, payload)
                else:
                    answered = True
                    said = read_headers(response.headers)
            return response, payload
        finally:
            window.leave(said, answered=answered)
            self._limits.learned(key, window)

    def _note_429(self, window: Window, response: aiohttp.ClientResponse, payload: Any) -> None:
        seconds = retry_after(response.headers, payload)
        if response.headers.get("X-RateLimit-Scope") == "global" or (
            isinstance(payload, dict) and payload.get("global")
        ):
            _log.warning("the account's rate limit was reached; waiting %.1f s", seconds)
            self._limits.account_refused(seconds)
        else:
            window.refused(seconds)

    def _headers(self, kwargs: dict[str, Any], auth: str | None) -> dict[str, str]:
        headers = self._make_headers(kwargs.pop("headers", {}), auth=auth)
        if reason := kwargs.pop("reason", None):
            headers["X-Audit-Log-Reason"] = quote(reason, safe="/ ")
        return headers


class _Sending:
    """One request, in a form that can be sent again."""

    def __init__(
        self,
        *,
        method: str,
        url: str,
        headers: dict[str, str],
        form: list[dict[str, Any]] | None,
        files: Sequence[nextcord.File],
        options: dict[str, Any],
    ) -> None:
        self.method = method
        self.url = url
        self._headers = headers
        self._form = form
        self._files = files
        self._options = options

    def arguments(self) -> dict[str, Any]:
        """Return what aiohttp wants, files wound back."""
        for file in self._files:
            file.reset(seek=True)
        arguments = {**self._options, "headers": self._headers}
        if self._form is not None:
            data = aiohttp.FormData(quote_fields=False)
            for field in self._form:
                data.add_field(**field)
            arguments["data"] = data
        return arguments

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does what sending it once does."""
        if self.method != "POST":
            return True
        body = self._options.get("json")
        return isinstance(body, dict) and bool(body.get("enforce_nonce"))


class _Attempts:
    """Decides whether a request is sent again, and waits before."""

    def __init__(self, clock: Clock, sending: _Sending, *, patient: bool) -> None:
        self._clock = clock
        self._sending = sending
        self._patient = patient
        self._failures = 0
        self._refusals = 0

    async def after_lost_connection(self, error: Exception) -> None:
        """Wait before the next attempt, or raise the error."""
        never_sent = isinstance(error, aiohttp.ClientConnectorError)
        if not self._may_fail_again or not (never_sent or self._sending.repeatable):
            raise error
        await self._pause()

    async def after_refusal(self, response: aiohttp.ClientResponse, payload: Any) -> None:
        """Wait before the next attempt, or raise nextcord's error for the status."""
        if response.status in _PASSING and self._may_fail_again:
            await self._pause()
            return
        if response.status == _TOO_MANY and self._worth_waiting(response, payload):
            self._refusals += 1  # the window holds the next attempt back
            return
        raise _error_for(response, payload)

    @property
    def _may_fail_again(self) -> bool:
        return self._patient and self._failures < len(_PAUSES_SECONDS)

    async def _pause(self) -> None:
        await self._clock.sleep(_PAUSES_SECONDS[self._failures])
        self._failures += 1

    def _worth_waiting(self, response: aiohttp.ClientResponse, payload: Any) -> bool:
        from_discord = isinstance(payload, dict)  # a ban by the proxy in front answers in HTML
        soon = retry_after(response.headers, payload) <= _LONGEST_WAIT_SECONDS
        return self._patient and from_discord and soon and self._refusals < _TRIES_AFTER_429


def retry_after(headers: Mapping[str, str], payload: Any) -> float:
    """Return the seconds of a 429: the body's are exact, the header's are rounded up."""
    said = payload.get("retry_after") if isinstance(payload, dict) else None
    try:
        return max(0.0, float(said if said is not None else headers["Retry-After"]))
    except (KeyError, TypeError, ValueError):
        return 1.0


def _major(route: Route) -> tuple[object, ...]:
    return (route.channel_id, route.guild_id, route.webhook_id, route.webhook_token)


async def _payload(response: aiohttp.ClientResponse) -> Any:
    text = await response.text(encoding="utf-8")
    if response.headers.get("Content-Type", "").startswith("application/json"):
        return json.loads(text) if text else None
    return text


def _error_for(response: aiohttp.ClientResponse, payload: Any) -> nextcord.HTTPException:
    kinds: dict[int, type[nextcord.HTTPException]] = {
        401: Unauthorized,
        403: nextcord.Forbidden,
        404: nextcord.NotFound,
    }
    kind = kinds.get(response.status)
    if kind is None:
        server = response.status >= _SERVER_ERROR
        kind = DiscordServerError if server else nextcord.HTTPException
    return kind(response, payload)
