"""The node's REST routes and websocket, with Lavalink's status codes and error shapes."""

import hmac
import json
import logging
import platform
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from aiohttp import web

from bot.node.filters import FILTER_NAMES
from bot.node.http_media import HttpMedia, MediaMissing, MediaUnreadable
from bot.node.opening import open_media
from bot.node.player import Player
from bot.node.protocol import (
    RequestRefused,
    describe,
    error_payload,
    exception_payload,
    read_encoded,
    read_flag,
    read_next,
    read_player_patch,
    read_session_patch,
    track_payload,
)
from bot.node.session import Session
from bot.node.sessions import Sessions

_log = logging.getLogger(__name__)

PROTOCOL: Final = (4, 2, 2)
"""The Lavalink version whose protocol is spoken."""
VERSION: Final = ".".join(map(str, PROTOCOL))
GAPLESS: Final = {"name": "gapless", "version": "1.0.0"}
"""The plugin of `PUT /v4/sessions/{session}/players/{guild}/next`."""
_HEARTBEAT_SECONDS: Final = 30.0
_BODY_LIMIT: Final = 2**20

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Routes:
    """Answers requests.

    Args:
        sessions: the clients' sessions.
        password: what clients must send as `Authorization`.
    """

    def __init__(self, sessions: Sessions, *, password: str) -> None:
        self._sessions = sessions
        self._password = password.encode()

    def application(self) -> web.Application:
        """Return the application to be served."""
        application = web.Application(
            middlewares=[self._as_errors, self._authorized], client_max_size=_BODY_LIMIT
        )
        session, player = "/v4/sessions/{session}", "/v4/sessions/{session}/players/{guild}"
        application.add_routes(
            [
                web.get("/version", self._version),
                web.get("/v4/info", self._info),
                web.get("/v4/stats", self._stats),
                web.get("/v4/websocket", self._websocket),
                web.get("/v4/loadtracks", self._load_tracks),
                web.get("/v4/decodetrack", self._decode_track),
                web.post("/v4/decodetracks", self._decode_tracks),
                web.get("/v4/routeplanner/status", self._no_route_planner),
                web.patch(session, self._patch_session),
                web.get(f"{session}/players", self._get_players),
                web.get(player, self._get_player),
                web.patch(player, self._patch_player),
                web.delete(player, self._delete_player),
                web.put(f"{player}/next", self._put_next),
            ]
        )
        return application

    # ── around every request ────────────────────────────────────────────────
    @web.middleware
    async def _as_errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RequestRefused as error:
            return _error(request, error.status, str(error))
        except web.HTTPException as error:
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            return _error(request, HTTPStatus(error.status), error.reason)
        except Exception:  # noqa: BLE001 -- error boundary of every request
            _log.exception("a request failed: %s %s", request.method, request.path)
            return _error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "the node failed")

    @web.middleware
    async def _authorized(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization")
        is_right = given is not None and hmac.compare_digest(given.encode(), self._password)
        if is_right:
            return await handler(request)
        asks_first = given is None or request.path == "/v4/websocket"
        raise RequestRefused(
            "the Authorization header is missing or wrong",
            status=HTTPStatus.UNAUTHORIZED if asks_first else HTTPStatus.FORBIDDEN,
        )

    # ── the node ────────────────────────────────────────────────────────────
    async def _version(self, _request: web.Request) -> web.Response:
        return web.Response(text=VERSION)

    async def _info(self, _request: web.Request) -> web.Response:
        major, minor, patch = PROTOCOL
        started = self._sessions.started_ms
        return web.json_response(
            {
                "version": {
                    "semver": VERSION,
                    "major": major,
                    "minor": minor,
                    "patch": patch,
                    "preRelease": None,
                    "build": "embedded",
                },
                "buildTime": started,
                "git": {"branch": "embedded", "commit": "embedded", "commitTime": started},
                "jvm": f"none (Python {platform.python_version()})",
                "lavaplayer": "none (FFmpeg)",
                "sourceManagers": ["http"],
                "filters": list(FILTER_NAMES),
                "plugins": [GAPLESS],
            }
        )

    async def _stats(self, _request: web.Request) -> web.Response:
        return web.json_response(self._sessions.stats())

    async def _no_route_planner(self, _request: web.Request) -> web.Response:
        return web.Response(status=HTTPStatus.NO_CONTENT)

    # ── websocket ───────────────────────────────────────────────────────────
    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        user_id = request.headers.get("User-Id", "")
        if not user_id.isdigit():
            raise RequestRefused("the User-Id header is missing")
        wanted = request.headers.get("Session-Id", "")
        session = self._sessions.find(wanted, user_id=int(user_id))
        resumed = session is not None
        websocket = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS)
        websocket.headers["Session-Resumed"] = str(resumed).lower()
        await websocket.prepare(request)
        if session is None:
            session = self._sessions.open(int(user_id))
        client = request.headers.get("Client-Name", "a client")
        _log.info("%s is connected%s", client, " again" if resumed else "")
        try:
            await session.serve(websocket, resumed=resumed)
        except ConnectionError:
            _log.debug("%s left while it was greeted", client)
        self._sessions.note_client()
        return websocket

    # ── tracks ──────────────────────────────────────────────────────────────
    async def _load_tracks(self, request: web.Request) -> web.Response:
        identifier = request.query.get("identifier")
        if identifier is None:
            raise RequestRefused("identifier is missing")
        return web.json_response(await self._load(identifier))

    async def _load(self, identifier: str) -> dict[str, Any]:
        if not identifier.startswith(("http://", "https://")):
            return {"loadType": "empty", "data": None}
        try:
            source = await open_media(HttpMedia(identifier), readers=self._sessions.engine.readers)
        except MediaMissing:
            return {"loadType": "empty", "data": None}
        except MediaUnreadable as error:
            return {"loadType": "error", "data": exception_payload(error)}
        source.close()
        return {"loadType": "track", "data": track_payload(describe(identifier, source.info))}

    async def _decode_track(self, request: web.Request) -> web.Response:
        encoded = request.query.get("encodedTrack") or request.query.get("track")
        # a plus sign arrives as a space where a client did not quote it
        return web.json_response(track_payload(read_encoded((encoded or "").replace(" ", "+"))))

    async def _decode_tracks(self, request: web.Request) -> web.Response:
        body = await _body(request)
        if not isinstance(body, list):
            raise RequestRefused("the body must be a list of encoded tracks")
        return web.json_response([track_payload(read_encoded(encoded)) for encoded in body])

    # ── sessions and players ────────────────────────────────────────────────
    async def _patch_session(self, request: web.Request) -> web.Response:
        session = self._session(request)
        resuming, timeout = read_session_patch(await _body(request))
        session.resuming = session.resuming if resuming is None else resuming
        session.timeout = session.timeout if timeout is None else timeout
        return web.json_response({"resuming": session.resuming, "timeout": session.timeout})

    async def _get_players(self, request: web.Request) -> web.Response:
        players = self._session(request).players.values()
        return web.json_response([player.payload() for player in players])

    async def _get_player(self, request: web.Request) -> web.Response:
        return web.json_response(self._player(request).payload())

    async def _patch_player(self, request: web.Request) -> web.Response:
        session, guild_id = self._session(request), _guild_id(request)
        patch = read_player_patch(await _body(request))
        player = session.player(guild_id)
        await player.update(patch, no_replace=read_flag(request.query.get("noReplace")))
        return web.json_response(player.payload())

    async def _delete_player(self, request: web.Request) -> web.Response:
        await self._session(request).destroy_player(_guild_id(request))
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _put_next(self, request: web.Request) -> web.Response:
        player = self._player(request)
        await player.set_next(read_next(await _body(request)))
        return web.json_response(player.payload())

    def _session(self, request: web.Request) -> Session:
        session = self._sessions.get(request.match_info["session"])
        if session is None:
            raise RequestRefused("Session not found", status=HTTPStatus.NOT_FOUND)
        return session

    def _player(self, request: web.Request) -> Player:
        player = self._session(request).players.get(_guild_id(request))
        if player is None:
            raise RequestRefused("Player not found", status=HTTPStatus.NOT_FOUND)
        return player


def _guild_id(request: web.Request) -> int:
    text = request.match_info["guild"]
    if not text.isdigit():
        raise RequestRefused("the guild id must be a number")
    return int(text)


async def _body(request: web.Request) -> object:
    try:
        body: object = json.loads(await request.read())
    except ValueError as error:
        raise RequestRefused("the body must be JSON") from error
    except (TimeoutError, aiohttp.ClientError) as error:
        raise RequestRefused("the body was cut off") from error
    return body


def _error(request: web.Request, status: HTTPStatus, message: str) -> web.Response:
    return web.json_response(error_payload(status, message, request.path), status=status)
