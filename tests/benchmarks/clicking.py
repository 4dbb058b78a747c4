"""A Discord with one button on it: our click stream behind it, or the naive bot."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.benchmarks.child import Child
from tests.simulator import Member, SimMessage, Simulator
from tests.simulator.interactions.outcome import Outcome

OURS = "tests.benchmarks.stream_bot"
NAIVE = "tests.benchmarks.naive_bot"

BUTTON = "Click"
WINDOW_MS = 3000.0


class Button:
    """The button, its bot and those who click it."""

    def __init__(self, discord: Simulator, bot: Child, message: SimMessage) -> None:
        self.discord = discord
        self.bot = bot
        self.message = message
        guild = message.channel.guild_or_none
        assert guild is not None
        self.members: Sequence[Member] = [
            member for member in guild.members.values() if not member.user.bot
        ]

    async def click_once(self, member: Member) -> Outcome:
        """Click, and wait until Discord knows how it ended."""
        return await member.click(self.message, BUTTON)


@asynccontextmanager
async def button(module: str, *, members: int) -> AsyncIterator[Button]:
    """Start Discord and a bot that has posted a message with a button."""
    async with Simulator(voice=False) as discord:
        guild = discord.add_guild("Crowd")
        channel = guild.add_text_channel("general")
        for number in range(members):
            guild.add_member(f"Member {number}")
        environment = {"DISCORD_API_URL": discord.api_url, "DISCORD_TOKEN": discord.token}
        async with Child(module, environment=environment) as bot:
            await bot.ask("post", channel=channel.id)
            message = await channel.feed.expect(text="Click", author=discord.bot)
            yield Button(discord, bot, message)
