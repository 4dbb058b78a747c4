"""A furnished Discord for the simulator's own tests."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.simulator import Guild, Member, Simulator, TextChannel, VoiceChannel
from tests.simulator.raw_bot import RawBot, RawGateway


@dataclass(frozen=True)
class Club:
    """One guild with a channel of each kind, and a bare client in the bot's place."""

    discord: Simulator
    guild: Guild
    general: TextChannel
    lounge: VoiceChannel
    ada: Member
    bot: RawBot

    @property
    def messages(self) -> str:
        """The path of the text channel's messages."""
        return f"/channels/{self.general.id}/messages"


@pytest.fixture
async def club() -> AsyncIterator[Club]:
    discord = Simulator(voice=False, identify_every=0)
    async with discord, RawBot(discord) as bot:
        guild = discord.add_guild("Music Club")
        general = guild.add_text_channel("general")
        lounge = guild.add_voice_channel("Lounge")
        yield Club(discord, guild, general, lounge, guild.add_member("Ada"), bot)


@pytest.fixture
async def gateway(club: Club) -> AsyncIterator[RawGateway]:
    """Return a gateway connection with all intents that is ready."""
    async with club.bot.connect() as gateway:
        await gateway.identify()
        await gateway.event("READY")
        await gateway.event("GUILD_CREATE")
        yield gateway
