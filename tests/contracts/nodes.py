"""Running nodes to try a contract with, and what they are tried on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.adapters.node_process import NodeProcess
from tests.contracts.raw_lavalink import Json, RawLavalink
from tests.node.media_site import Manner, MediaSite
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


@asynccontextmanager
async def embedded_node(folder: Path, voice: VoiceServer) -> AsyncIterator[Node]:
    """Run the embedded node, which trusts the voice server."""
    process = NodeProcess(
        folder,
        environment={"SSL_CERT_FILE": str(voice.ca_file)},
        options=("--update-seconds", "0.5", "--stuck-seconds", "1.0"),
    )
    address = await process.start()
    try:
        yield Node(address.uri, address.password, is_embedded=True, voice=voice)
    finally:
        await process.close()


class Studio:
    """A site with the tones on it."""

    def __init__(self, site: MediaSite, tones: Path) -> None:
        self.site = site
        self._tones = tones

    def link(self, codec: str, manner: Manner | None = None) -> str:
        """Serve the tones and return the link."""
        name = f"steps.{codec}"
        return self.site.add(name, (self._tones / name).read_bytes(), manner)


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
