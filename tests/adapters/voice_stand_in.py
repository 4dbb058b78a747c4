"""As much of nextcord and of Discord's gateway as a voice place touches, and a voice server."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.voice.server import VoiceServer

BOT = 33


@dataclass
class User:
    """The bot's account."""

    id: int = BOT


class Connection:
    """Where nextcord keeps its voice clients."""

    def __init__(self) -> None:
        self.voice_clients: dict[int, Any] = {}

    def _remove_voice_client(self, guild_id: int) -> None:
        self.voice_clients.pop(guild_id, None)


class Client:
    """A bot that has logged in."""

    def __init__(self) -> None:
        self.user = User()
        self._connection = Connection()

    @property
    def places(self) -> dict[int, Any]:
        """The voice clients by guild."""
        return self._connection.voice_clients


@dataclass
class Guild:
    """A guild whose gateway answers joins in the order that the test wants."""

    id: int
    client: Client
    server: VoiceServer
    server_first: bool = False
    silent: bool = False
    gateway_down: bool = False
    endpoint: str | None = None
    """Named instead of the voice server's own."""
    token: int = 0
    channels: dict[int, "Channel"] = field(default_factory=dict)
    joined: list[int | None] = field(default_factory=list)

    def get_channel(self, channel_id: int) -> "Channel | None":
        return self.channels.get(channel_id)

    def channel(self, channel_id: int) -> "Channel":
        """Return a voice channel of the guild."""
        return self.channels.setdefault(channel_id, Channel(channel_id, self))

    async def change_voice_state(
        self, *, channel: "Channel | None", self_mute: bool = False, self_deaf: bool = False
    ) -> None:
        if self.gateway_down:
            raise ConnectionResetError("Cannot write to closing transport")
        self.joined.append(None if channel is None else channel.id)
        if not self.silent:
            self._answer = asyncio.create_task(self.move(None if channel is None else channel.id))

    async def move(self, channel_id: int | None) -> None:
        """Do what Discord does when the bot gets to another channel, or out."""
        place = self.client.places.get(self.id)
        if channel_id is None:
            self.server.withdraw(self.id)
            if place is not None:
                await place.on_voice_state_update({"channel_id": None, "session_id": "s"})
            return
        self.token += 1
        token = f"token{self.token}"
        self.server.admit(
            guild_id=self.id, channel_id=channel_id, user_id=BOT, session_id="s", token=token
        )
        assert place is not None
        events = [
            place.on_voice_state_update({"channel_id": str(channel_id), "session_id": "s"}),
            place.on_voice_server_update(
                {"token": token, "endpoint": self.endpoint or self.server.endpoint}
            ),
        ]
        for event in reversed(events) if self.server_first else events:
            await event


@dataclass
class Channel:
    """A voice channel."""

    id: int
    guild: Guild

    def _get_voice_client_key(self) -> tuple[int, str]:
        return self.guild.id, "guild_id"
