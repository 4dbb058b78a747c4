"""The embedded node alone: a client that speaks raw Lavalink, voice servers, and media."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from bot.adapters.node_process import NodeProcess
from tests.benchmarks.voice_host import CHANNEL
from tests.contracts.raw_lavalink import RawLavalink
from tests.node.media_site import MediaSite
from tests.simulator.tones import write_tones

USER = 1001
_LINGER_SECONDS = 20.0


class NodeRig:
    """A node process, its client and a site."""

    def __init__(self, client: RawLavalink, *, pid: int, site: MediaSite, folder: Path) -> None:
        self.client = client
        self.process = psutil.Process(pid)
        self.site = site
        self._folder = folder
        self._tracks: dict[str, str] = {}

    async def record(self, name: str, notes: Sequence[tuple[float, float]]) -> None:
        """Serve a file of tones under `name` (its suffix is the format) and look it up."""
        path = write_tones(self._folder / name, notes)
        link = self.site.add(name, path.read_bytes())
        self._tracks[name] = (await self.client.load(link))["data"]["encoded"]

    async def connect(self, guild: int, endpoint: str, *, token: str = "") -> None:
        """Connect a guild's player to a voice server that has admitted it."""
        state = {
            "token": token or f"tok{guild}",
            "endpoint": endpoint,
            "sessionId": f"vs{guild}",
            "channelId": str(CHANNEL),
        }
        await self.client.patch(guild, {"voice": state})

    async def play(self, guild: int, name: str, **fields: Any) -> None:
        """Play a recorded file from its beginning, or from `position`."""
        body = {"track": {"encoded": self._tracks[name]}, "volume": 100, "position": 0}
        await self.client.patch(guild, {**body, **fields}, query="?noReplace=False")

    async def drop(self, guild: int) -> None:
        """Take a guild's player away."""
        await self.client.request("DELETE", self.client.player_path(guild))

    @property
    def cpu_seconds(self) -> float:
        """What the node has computed so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    @property
    def megabytes(self) -> float:
        """The node's resident memory."""
        return float(self.process.memory_info().rss) / 2**20


@asynccontextmanager
async def node_rig(ca_file: str) -> AsyncIterator[NodeRig]:
    """Start a node that trusts the voice server's authority, and connect to it."""
    with TemporaryDirectory(prefix="bench-node-") as name, MediaSite() as site:
        folder = Path(name)
        process = NodeProcess(
            folder, environment={"SSL_CERT_FILE": ca_file}, linger_seconds=_LINGER_SECONDS
        )
        address = await process.start()
        try:
            async with RawLavalink(address.uri, address.password, user_id=USER) as client:
                yield NodeRig(client, pid=address.pid, site=site, folder=folder)
        finally:
            await process.close()
