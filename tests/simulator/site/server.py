"""The music site's web server: pages, search, lists and sound, on loopback."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.simulator.site.misbehaviour import Misbehaviour
from tests.simulator.site.recordings import Recordings
from tests.simulator.site.songs import LISTS, SONGS, Song, search
from tests.simulator.site.tone_files import ToneFiles

PLUGIN_DIR = Path(__file__).parent / "plugins"
"""For `YTDLP_PLUGIN_DIRS`: the yt-dlp extractors that read this site."""

SEARCH_KEY = "simsearch"
"""For `YTDLP_SEARCH`; the extraction workers need `site.environment` as well."""

_PAGE_SIZE = 100
_BOMB_ENTRIES = 10_000


class MusicSite:
    """A site that behaves and misbehaves; an async context manager."""

    def __init__(self, *, folder: Path | None = None, port: int = 0) -> None:
        """Keep tone files in `folder`, else in a temporary one."""
        self._temporary = None if folder else TemporaryDirectory(prefix="music-site-")
        self._folder = folder or Path(self._temporary.name if self._temporary else ".")
        self._port = port
        self._crashes: Counter[str] = Counter()
        self._seen: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.requests: Counter[str] = Counter()
        """How often each path was asked for."""
        tones = ToneFiles(self._folder)
        self.misbehaviour = Misbehaviour(tones)
        self._recordings = Recordings(tones, self._folder / "hls")
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Listen on loopback."""
        self._folder.mkdir(parents=True, exist_ok=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def close(self) -> None:
        """Stop listening and cut all readers off."""
        await self._runner.cleanup()
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def host(self) -> str:
        """Return `address:port`, as `ALLOW_HOSTS` wants it."""
        return f"127.0.0.1:{self._runner.addresses[0][1]}"

    @property
    def environment(self) -> dict[str, str]:
        """Return what the search extractor needs to find the site."""
        return {"SIMSITE_URL": f"http://{self.host}"}

    async def asked_for(self, path: str) -> None:
        """Wait until somebody has asked for a path."""
        await self._seen[path].wait()

    def url(self, path: str) -> str:
        """Return the address of a path, for example `/tone/440/3.mp3`."""
        return f"http://{self.host}{path}"

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._count])
        application.add_routes(
            [
                *self.misbehaviour.routes(),
                *self._recordings.routes(),
                web.get("/watch/{id}", self._watch),
                web.get("/list/{id}", self._watch),
                web.get("/article/{id}", self._watch),
                web.get("/api/song/{id}", self._song),
                web.get("/api/list/{id}", self._list),
                web.get("/api/search", self._search),
            ]
        )
        return application

    @web.middleware
    async def _count(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.requests[request.path] += 1
        self._seen[request.path].set()
        return await handler(request)

    async def _watch(self, request: web.Request) -> web.Response:
        song = SONGS.get(request.match_info["id"])
        title = song.title if song else "A page"
        return web.Response(
            text=f"<!doctype html><title>{title}</title><p>Music plays here.",
            content_type="text/html",
        )

    async def _song(self, request: web.Request) -> web.Response:
        song = SONGS.get(request.match_info["id"])
        if song is None:
            raise web.HTTPNotFound
        if song.problem == "busy":
            raise web.HTTPTooManyRequests
        problem = song.problem
        if problem == "crash_once":
            self._crashes[song.id] += 1
            problem = "crash" if self._crashes[song.id] == 1 else ""
        return web.json_response(
            {
                **self._entry(song),
                "problem": problem,
                "stream": self.url(self._stream(song)),
                "codec": song.codec,
            }
        )

    def _stream(self, song: Song) -> str:
        if song.codec == "hls":
            return f"/hls/fmp4/{song.hz}/{song.seconds:g}/master.m3u8"
        return f"/tone/{song.hz}/{song.seconds:g}.{song.codec}"

    async def _list(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        page = int(request.query.get("page", "0"))
        if name in LISTS:
            title, ids = LISTS[name]
            entries = [self._entry(SONGS[song]) for song in ids] if page == 0 else []
            return web.json_response({"title": title, "total": len(ids), "entries": entries})
        if name not in {"bomb", "endless"}:
            raise web.HTTPNotFound
        numbers = range(page * _PAGE_SIZE, (page + 1) * _PAGE_SIZE)
        entries = [
            {
                **self._entry(SONGS["morning"]),
                "url": self.url(f"/watch/morning?take={number}"),
                "title": f"Take {number + 1}",
            }
            for number in numbers
            if name == "endless" or number < _BOMB_ENTRIES
        ]
        total = None if name == "endless" else _BOMB_ENTRIES
        return web.json_response({"title": "Playlist bomb", "total": total, "entries": entries})

    async def _search(self, request: web.Request) -> web.Response:
        found = search(request.query.get("q", ""))
        return web.json_response({"entries": [self._entry(song) for song in found]})

    def _entry(self, song: Song) -> dict[str, object]:
        return {
            "id": song.id,
            "url": self.url(f"/watch/{song.id}"),
            "title": song.title,
            "artist": song.artist,
            "seconds": song.length,
            "live": song.problem == "live",
            "private": song.problem == "private",
        }
