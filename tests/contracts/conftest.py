"""The two kinds of nodes, and the voice server and media that both are tried with."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.adapters.node_process import NodeProcess
from tests.contracts.raw_lavalink import Json, RawLavalink
from tests.node.media_site import Manner, MediaSite
from tests.simulator.tones import write_tones
from tests.simulator.voice import VoiceServer
from tests.simulator.voice.ear import Ear

USER = 1001
CHANNEL = 77


@dataclass(frozen=True)
class Node:
    """A node that runs: `gapless` and `voice` say what can be tried with it."""

    uri: str
    password: str
    is_embedded: bool
    voice: VoiceServer | None

    def client(self) -> RawLavalink:
        return RawLavalink(self.uri, self.password, user_id=USER)


@pytest.fixture
async def voice() -> AsyncIterator[VoiceServer]:
    async with VoiceServer(dave_version=0) as server:
        yield server


@pytest.fixture(params=["embedded", pytest.param("lavalink", marks=pytest.mark.lavalink)])
async def node(
    request: pytest.FixtureRequest, tmp_path: Path, voice: VoiceServer
) -> AsyncIterator[Node]:
    """The embedded node, and a real Lavalink where TEST_LAVALINK_URL names one.

    The real one cannot be made to trust a test's certificate, so it is tried without voice.
    """
    if request.param == "lavalink":
        url = os.environ.get("TEST_LAVALINK_URL")
        if not url:
            pytest.skip("TEST_LAVALINK_URL names no Lavalink (http://:password@host:port)")
        parts = urlsplit(url)
        uri = f"{parts.scheme}://{parts.hostname}:{parts.port or 2333}"
        yield Node(uri, parts.password or "", is_embedded=False, voice=None)
        return
    process = NodeProcess(
        tmp_path / "data",
        environment={"SSL_CERT_FILE": str(voice.ca_file)},
        options=("--update-seconds", "0.5", "--stuck-seconds", "1.0"),
    )
    address = await process.start()
    yield Node(address.uri, address.password, is_embedded=True, voice=voice)
    await process.close()


@pytest.fixture
async def lavalink(node: Node) -> AsyncIterator[RawLavalink]:
    async with node.client() as client:
        yield client


@pytest.fixture
def site() -> Iterator[MediaSite]:
    with MediaSite() as running:
        yield running


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 3 s of 440 Hz, then 3 s of 880 Hz, as `steps.<codec>`."""
    folder = tmp_path_factory.mktemp("tones")
    for codec in ("mp3", "ogg", "webm", "m4a", "flac", "wav"):
        tags = {"title": "Steps", "artist": "A. Tester"}
        write_tones(folder / f"steps.{codec}", [(440, 3), (880, 3)], tags=tags)
    return folder


class Studio:
    """A site with the tones on it."""

    def __init__(self, site: MediaSite, tones: Path) -> None:
        self.site = site
        self._tones = tones

    def link(self, codec: str, manner: Manner | None = None) -> str:
        """Serve the tones and return the link."""
        name = f"steps.{codec}"
        return self.site.add(name, (self._tones / name).read_bytes(), manner)


@pytest.fixture
def studio(site: MediaSite, tones: Path) -> Studio:
    return Studio(site, tones)


async def join(lavalink: RawLavalink, node: Node, guild: int) -> Ear:
    """Connect a guild's player to voice, and return who listens there."""
    if node.voice is None:
        pytest.skip("voice is tried with the embedded node only")
    session_id, token = f"vs{guild}", f"tok{guild}"
    node.voice.admit(
        guild_id=guild, channel_id=CHANNEL, user_id=USER, session_id=session_id, token=token
    )
    state: Json = {
        "token": token,
        "endpoint": node.voice.endpoint,
        "sessionId": session_id,
        "channelId": str(CHANNEL),
    }
    await lavalink.patch(guild, {"voice": state})
    return node.voice.ear(guild)
