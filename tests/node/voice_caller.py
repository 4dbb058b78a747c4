"""A bot's voice connection with a player and a sender, for tests against voice servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.node.sender import Sender
from bot.node.voice import VoiceConnection
from tests.node.listed_frames import ListedFrames, tone
from tests.simulator.voice import Ear, VoiceServer

GUILD, CHANNEL, USER, TOKEN = 11, 22, 33, "t"


@dataclass
class Caller:
    """A connection, its player, and what it said of its end."""

    connection: VoiceConnection
    frames: ListedFrames
    sender: Sender
    closings: list[tuple[int, str, bool]]
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def connect(self, server: VoiceServer, *, token: str = TOKEN) -> None:
        """Make the voice update that the main gateway would lead to."""
        await self.connection.update(
            token=token, endpoint=server.endpoint, session_id="s", channel_id=CHANNEL
        )

    async def end(self) -> tuple[int, str, bool]:
        """Wait until the connection was lost for good; return how."""
        async with asyncio.timeout(10):
            await self.closed.wait()
        return self.closings[-1]


@asynccontextmanager
async def caller(server: VoiceServer, frames: ListedFrames | None = None) -> AsyncIterator[Caller]:
    """Make a connection that trusts `server`; it plays 440 Hz unless told otherwise."""
    sender = Sender()
    sender.start()
    closings: list[tuple[int, str, bool]] = []
    frames = frames or tone(440)

    def on_closed(code: int, reason: str, by_remote: bool) -> None:  # noqa: FBT001 - its given form
        closings.append((code, reason, by_remote))
        made.closed.set()

    connection = VoiceConnection(
        guild_id=GUILD,
        user_id=USER,
        frames=frames,
        sender=sender,
        on_closed=on_closed,
        tls=server.ca.client_context(),
    )
    made = Caller(connection, frames, sender, closings)
    try:
        yield made
    finally:
        await connection.close()
        sender.close()


def admit(server: VoiceServer, *, token: str = TOKEN) -> Ear:
    """Let the bot in; return who listens."""
    server.admit(guild_id=GUILD, channel_id=CHANNEL, user_id=USER, session_id="s", token=token)
    return server.ear(GUILD)
