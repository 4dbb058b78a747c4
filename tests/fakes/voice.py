"""Voice channels of which the test is Discord."""

from services.audio.errors import VoiceJoinRefused


class FakeVoice:
    """Joins at once, unless the channel is closed to the bot."""

    def __init__(self) -> None:
        self.channels: dict[int, int] = {}
        self.closed: dict[int, str] = {}
        """Channels that cannot be joined, and why."""
        self.listeners: dict[int, int] = {}
        self.joins: list[tuple[int, int]] = []

    async def connect(self, guild_id: int, channel_id: int) -> None:
        if channel_id in self.closed:
            raise VoiceJoinRefused(self.closed[channel_id])
        self.joins.append((guild_id, channel_id))
        self.channels[guild_id] = channel_id

    async def disconnect(self, guild_id: int) -> None:
        self.channels.pop(guild_id, None)

    def channel_of(self, guild_id: int) -> int | None:
        return self.channels.get(guild_id)

    def listeners_in(self, guild_id: int) -> int:
        return self.listeners.get(guild_id, 1) if guild_id in self.channels else 0
