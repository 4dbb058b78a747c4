"""A media relay between the music site and a node that is a plain HTTP client."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.adapters.address_guard import AddressGuard
from bot.adapters.guarded_http import GuardedHttp
from bot.adapters.media_relay import LocalFiles, MediaRelay
from bot.adapters.media_store import MediaStore
from bot.adapters.spool import SpoolLimits
from bot.adapters.spool_storage import DiskSpace
from services.audio.limits import TrackLimits
from services.audio.track import Source, Track
from tests.fakes.manual_clock import ManualClock
from tests.fakes.stream_finder import ListedStreams
from tests.simulator.site import MusicSite

MEBIBYTE = 1024 * 1024


@dataclass(slots=True)
class Answer:
    """What the node got."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class Rig:
    """The running parts."""

    site: MusicSite
    relay: MediaRelay
    store: MediaStore
    streams: ListedStreams
    clock: ManualClock
    node: aiohttp.ClientSession

    def direct(self, path: str) -> Track:
        """A track at an address of the site."""
        return track(self.site.url(path))

    async def get(self, played: Track, *, method: str = "GET", **headers: str) -> Answer:
        """Ask the relay as a node does; `Range="bytes=0-"` and so on."""
        async with self.node.request(method, self.relay.link(played), headers=headers) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.read())

    async def original(self, path: str) -> bytes:
        """What the site itself sends."""
        async with self.node.get(self.site.url(path)) as answer:
            assert answer.status == 200
            return await answer.read()


@dataclass(frozen=True, slots=True, kw_only=True)
class RigOptions:
    """What differs between tests."""

    max_bytes: int = 100 * MEBIBYTE
    disk_bytes: int = 1024 * MEBIBYTE
    read_ahead: int = 16 * MEBIBYTE
    idle_timeout: float = 5
    bind: str = "127.0.0.1:0"
    allow_site: bool = True
    spool_folder: Path | None = None
    local_files: LocalFiles = field(default=lambda _: None)


def track(url: str, source: Source = Source.DIRECT) -> Track:
    """A track at `url`."""
    return Track(url=url, title="A tone", source=source, requested_by=1)


@asynccontextmanager
async def running_rig(data_dir: Path, options: RigOptions | None = None) -> AsyncIterator[Rig]:
    """Start a site, a relay and a node's HTTP client."""
    options = options or RigOptions()
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(MusicSite())
        guard = AddressGuard([site.host] if options.allow_site else [])
        http = GuardedHttp(guard, idle_timeout=options.idle_timeout)
        stack.push_async_callback(http.close)
        streams, clock = ListedStreams(), ManualClock()
        store = MediaStore(
            http=http,
            finder=streams,
            folder=options.spool_folder or data_dir / "cache" / "tmp",
            limits=TrackLimits(60),
            spool_limits=SpoolLimits(options.max_bytes, options.read_ahead),
            space=DiskSpace(options.disk_bytes),
            clock=clock,
            keep_seconds=120,
            retry_pauses=(0, 0.01, 0.01),
        )
        await store.start()
        stack.push_async_callback(store.close)
        relay = MediaRelay(
            bind=options.bind,
            base_url="",
            data_dir=data_dir,
            store=store,
            local_files=options.local_files,
            prepare_timeout=5,
        )
        await relay.start()
        stack.push_async_callback(relay.close)
        node = await stack.enter_async_context(aiohttp.ClientSession())
        yield Rig(site=site, relay=relay, store=store, streams=streams, clock=clock, node=node)
