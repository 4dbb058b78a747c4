"""The two kinds of nodes, and the voice server and media that both are tried with."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.contracts.nodes import Node, Studio, embedded_node
from tests.contracts.raw_lavalink import RawLavalink
from tests.node.media_site import MediaSite
from tests.simulator.tones import write_tones
from tests.simulator.voice import VoiceServer


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
    async with embedded_node(tmp_path / "data", voice) as running:
        yield running


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


@pytest.fixture
def studio(site: MediaSite, tones: Path) -> Studio:
    return Studio(site, tones)
