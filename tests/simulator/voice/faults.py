"""What can go wrong on Discord's side of a voice call, on demand."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulator.voice.receiver import Receiver
    from tests.simulator.voice.server import VoiceServer


@dataclass
class Faults:
    """Switches and blows of one voice server."""

    server: "VoiceServer"
    receiver: "Receiver"
    ready_delay: float = 0.0
    """Seconds between an accepted IDENTIFY and READY."""
    heartbeats_unanswered: bool = False

    def close(self, guild_id: int, code: int) -> asyncio.Task[None]:
        """Close the guild's websocket; only after 1001 and 4015 may the client resume."""
        return self.server.close_connection(guild_id, code)

    def cut(self, guild_id: int) -> None:
        """Reset the TCP connection of the guild's websocket; the client may resume."""
        self.server.cut_connection(guild_id)

    def drop_discovery(self, count: int) -> None:
        """Leave the next `count` IP discovery requests unanswered."""
        self.receiver.discoveries_to_drop = count

    def lose_packets(self, count: int) -> None:
        """Lose the next `count` RTP packets of any player on the way in."""
        self.receiver.packets_to_lose = count

    def delay_ready(self, seconds: float) -> None:
        """Answer later IDENTIFYs only after a while."""
        self.ready_delay = seconds

    def leave_heartbeats_unanswered(self, *, unanswered: bool = True) -> None:
        """Swallow heartbeats, or answer them again."""
        self.heartbeats_unanswered = unanswered

    async def refuse_connections(self) -> None:
        """Refuse new TCP connections; those that exist stay."""
        await self.server.stop_listening()

    async def accept_connections(self) -> None:
        """Listen again, on the same port."""
        await self.server.listen()

    def move(self, guild_id: int, to: "VoiceServer", *, token: str) -> None:
        """Move a call to another voice server, as when Discord changes the region.

        The other server admits the client with a new token. The old websocket stays up until the
        client closes it or `server.expel()` does. Telling the client (VOICE_SERVER_UPDATE) is the
        main gateway's part.
        """
        old = self.server.admission(guild_id)
        to.admit(
            guild_id=guild_id,
            channel_id=old.channel_id,
            user_id=old.user_id,
            session_id=old.session_id,
            token=token,
        )
        self.server.withdraw(guild_id)
