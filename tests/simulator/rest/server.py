"""The HTTP server: authorization, limits, bodies, errors, faults; handlers see none of that."""

import asyncio
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from tests.simulator.errors import ApiError, Unauthorized, UnknownClient
from tests.simulator.faults import Failure, Planned
from tests.simulator.news import News
from tests.simulator.rest import (
    channels,
    commands,
    guilds,
    identity,
    interactions,
    members,
    messages,
    reactions,
    webhooks,
)
from tests.simulator.rest.call import Answer, Call, read_body, read_reason
from tests.simulator.rest.log import RequestRecord
from tests.simulator.rest.rate_limits import RateLimiter, Refusal
from tests.simulator.rest.router import Route, Router

if TYPE_CHECKING:
    from tests.simulator.world import World

API = "/api/v10"
_CDN = "/attachments/"
_JSON = {"Content-Type": "application/json", "Via": "1.1 google"}
_EMPTY = {"Via": "1.1 google"}
_CLIENT_GONE = 499
"""nginx's status for a client that hung up before it was answered."""
_CLOUDFLARE_PAGE = "<html><body>error code: 1015</body></html>"


class ApiServer:
    """Serves the REST API and the files."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.limiter = RateLimiter(world.clock)
        self.requests: list[RequestRecord] = []
        self.news = News()
        """Rings when a request was answered."""
        self._router = Router(
            identity.routes,
            guilds.routes,
            members.routes,
            channels.routes,
            messages.routes,
            reactions.routes,
            webhooks.routes,
            interactions.routes,
            commands.routes,
        )

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        raw_path = request.rel_url.raw_path
        if raw_path.startswith(_CDN):
            return self._file(request, raw_path)
        if not raw_path.startswith(API):
            return _response(404, {"message": "404: Not Found", "code": 0}, {})
        path = raw_path[len(API) :]
        line = f"{request.method} {path}"
        latency = self._world.faults.latency_of(line)
        began = self._world.clock.monotonic()
        if latency:
            await asyncio.sleep(latency / 2)
        response, code, route = await self._with_faults(request, path, line)
        if latency:
            await asyncio.sleep(latency / 2)
        self.requests.append(
            RequestRecord(
                at=began,
                method=request.method,
                route=route.path if route else path,
                path=path,
                status=response.status,
                code=code,
                seconds=self._world.clock.monotonic() - began,
            )
        )
        self.news.ring()
        return response

    async def _with_faults(
        self, request: web.BaseRequest, path: str, line: str
    ) -> tuple[web.Response, int, Route | None]:
        failure = self._world.faults.next_failure(line)
        if failure is not None and not failure.after_processing:
            return self._fail(request, failure), 0, None
        stall = self._world.faults.next_stall(line)
        if stall is not None and not stall.after_processing:
            await stall.hold()
        response, code, route = await self._process(request, path)
        if stall is not None and stall.after_processing:
            await stall.hold()
        if failure is not None:
            response = self._fail(request, failure)
        return response, code, route

    async def _process(
        self, request: web.BaseRequest, path: str
    ) -> tuple[web.Response, int, Route | None]:
        route: Route | None = None
        headers: dict[str, str] = {}
        try:
            if self.limiter.banned:
                return _cloudflare(), 0, None
            route, parameters = self._router.find(request.method, path)
            self._authorize(request, route)
            body, uploads = await read_body(request)
            call = Call(
                self._world,
                request.method,
                path,
                parameters,
                dict(request.rel_url.query),
                body,
                uploads,
                read_reason(request),
            )
            headers, refusal = self._limit(route, call)
            if refusal is not None:
                return self._refuse(refusal), 0, route
            answer = route.handler(call)
            return _answer(answer, headers), 0, route
        except ApiError as error:
            if error.status in {401, 403}:
                self.limiter.count_invalid()
            return _response(error.status, error.body, headers), error.code, route
        except ConnectionError:
            return web.Response(status=_CLIENT_GONE), 0, route
        except Exception as error:  # noqa: BLE001  # a defect of ours: kept, and told at the end
            self._world.defects.append(error)
            return (
                _response(500, {"message": "500: Internal Server Error", "code": 0}, {}),
                0,
                route,
            )

    # ── before the handler ──────────────────────────────────────────────────

    def _authorize(self, request: web.BaseRequest, route: Route) -> None:
        if not request.headers.get("User-Agent", "").startswith("DiscordBot ("):
            raise UnknownClient
        if route.anonymous:
            return
        expected = f"Bot {self._world.application.token}"
        if request.headers.get("Authorization") != expected:
            raise Unauthorized

    def _limit(self, route: Route, call: Call) -> tuple[dict[str, str], Refusal | None]:
        if route.exempt and not route.limits_by:
            return {}, None
        headers, refusal = self.limiter.take(
            route.limits_for(call), route.major_of(call.parameters)
        )
        if refusal is None and not route.exempt:
            refusal = self.limiter.take_global()
        return headers, refusal

    def _refuse(self, refusal: Refusal) -> web.Response:
        if refusal.counts_as_invalid:
            self.limiter.count_invalid()
        return _response(429, refusal.body, refusal.headers)

    # ── faults ──────────────────────────────────────────────────────────────

    def _fail(self, request: web.BaseRequest, planned: Planned) -> web.Response:
        failure: Failure = planned.failure
        if failure == "cloudflare":
            return _cloudflare()
        if failure in ("429", "shared-429"):
            shared = failure == "shared-429"
            return self._refuse(self.limiter.refuse_once((), planned.retry_after, shared=shared))
        if failure == "reset":
            transport = request.transport
            if transport is not None:
                transport.abort()
            return web.Response(status=_CLIENT_GONE)
        assert isinstance(failure, int)
        return web.Response(status=failure, text="upstream error", headers=_EMPTY)

    # ── files ───────────────────────────────────────────────────────────────

    def _file(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        upload = self._world.cdn.fetch(path, dict(request.rel_url.query))
        if upload is None:
            return web.Response(status=404, text="This content is no longer available.")
        total = len(upload.data)
        headers = {"Content-Type": upload.content_type, "Accept-Ranges": "bytes"}
        wanted = request.http_range
        if wanted.start is None and wanted.stop is None:
            return web.Response(body=upload.data, headers=headers)
        start, stop, _ = wanted.indices(total)
        if start >= stop:
            headers["Content-Range"] = f"bytes */{total}"
            return web.Response(status=416, headers=headers)
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{total}"
        return web.Response(status=206, body=upload.data[start:stop], headers=headers)


def _answer(answer: Answer, headers: dict[str, str]) -> web.Response:
    if answer.body is None:
        return web.Response(status=answer.status, headers={**_EMPTY, **headers})
    return _response(answer.status, answer.body, headers)


def _response(status: int, body: object, headers: dict[str, str]) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), headers={**_JSON, **headers})


def _cloudflare() -> web.Response:
    return web.Response(status=429, text=_CLOUDFLARE_PAGE, content_type="text/html")
