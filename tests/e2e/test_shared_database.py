"""Three bot processes with a shard each, over one PostgreSQL: every reminder comes exactly once."""

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import make_url

from tests.simulator import Guild, Simulator, TextChannel
from tests.simulator.processes import BotProcess

pytestmark = [pytest.mark.e2e, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="module")]

SERVER = os.environ.get("TEST_POSTGRES_URL", "")
SHARDS = 3
FIRED = "⏰ Reminder"


class Cluster:
    """Three bots, and a channel in a guild of each one's shard."""

    def __init__(self, discord: Simulator, bots: list[BotProcess]) -> None:
        self.discord = discord
        self.bots = bots
        self.channels = [self._guild_of(shard).add_text_channel("general") for shard in range(3)]

    def _guild_of(self, shard: int) -> Guild:
        ids = self.discord.world.ids
        while ((ids.settled() >> 22) + 1) % SHARDS != shard:
            pass
        return self.discord.add_guild(f"Club of {shard}")

    async def remind(self, channel: TextChannel, when: str, note: str) -> None:
        """Let a new member set a reminder, and wait until it is set."""
        member = channel.guild.add_member(note.replace(" ", ""))
        said = await member.say(channel, f"!notify me {when} {note}")
        await channel.expect(title="Reminder set", text=note, after=said, within=10)

    async def fires(self, channel: TextChannel, note: str) -> None:
        """Wait for a reminder."""
        await channel.expect(where=lambda m: m.title == FIRED, text=note, within=20)

    def fired(self) -> list[str]:
        """Return the notes of all reminders that fired, in all channels."""
        return sorted(
            message.embeds[0]["description"]
            for channel in self.channels
            for message in channel.feed.all
            if message.title == FIRED
        )


@contextlib.asynccontextmanager
async def database() -> AsyncIterator[str]:
    """An empty database, dropped in the end."""
    if not SERVER:
        pytest.skip("TEST_POSTGRES_URL names no PostgreSQL")
    server, name = make_url(SERVER), f"cluster_{uuid.uuid4().hex[:12]}"
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield server.set(database=name).render_as_string(hide_password=False)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster() -> AsyncIterator[Cluster]:
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(database())
        discord = await stack.enter_async_context(Simulator())
        bots = [
            BotProcess(
                discord,
                environment={
                    **discord.environment(),
                    "DATABASE_URL": url,
                    "SHARD_COUNT": str(SHARDS),
                    "SHARD_IDS": str(shard),
                },
            )
            for shard in range(SHARDS)
        ]
        for bot in bots:
            stack.push_async_callback(bot.close)
        cluster = Cluster(discord, bots)
        await asyncio.gather(*(bot.start() for bot in bots))  # all of them run the migrations
        await asyncio.gather(*(bot.ready(within=60) for bot in bots))
        yield cluster


async def test_reminders_of_three_processes_come_once_and_in_time(cluster: Cluster) -> None:
    notes = [f"note {number}" for number in range(12)]
    await asyncio.gather(
        *(
            cluster.remind(cluster.channels[number % SHARDS], "5s", note)
            for number, note in enumerate(notes)
        )
    )
    for number, note in enumerate(notes):
        await cluster.fires(cluster.channels[number % SHARDS], note)
    await cluster.channels[0].feed.nothing(title=FIRED, seconds=1)
    assert cluster.fired() == sorted(notes)


async def test_reminder_of_a_killed_process_comes_from_another_once(cluster: Cluster) -> None:
    channel = cluster.channels[0]
    path = f"/channels/{channel.id}/messages"
    await cluster.remind(channel, "3s", "orphan")
    stall = cluster.discord.world.faults.stall(f"POST {path}", after_processing=True)
    await stall.reached(within=15)
    assert cluster.fired().count("orphan") == 1  # it stands there, and nobody has marked it
    for bot in cluster.bots:
        await bot.kill()
    stall.release()
    looking = asyncio.ensure_future(cluster.discord.expect_request(f"GET {path}", within=90))
    heirs = cluster.bots[1:]
    await asyncio.gather(*(bot.start() for bot in heirs))
    await looking
    await asyncio.gather(*(bot.ready(within=60) for bot in heirs))
    await channel.feed.nothing(title=FIRED, seconds=1)
    assert cluster.fired().count("orphan") == 1
