"""How soon the processes are up, and how much memory they keep."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bot.adapters.node_process import NodeProcess
from tests.benchmarks.child import Child
from tests.benchmarks.node_rig import USER, node_rig
from tests.benchmarks.report import Row, at_most, number, part, percentile
from tests.simulator import Member, Simulator, TextChannel
from tests.simulator.processes import BotProcess

_NODE_STARTS = 7
_BOT_STARTS = 3
_COMMAND_EVERY_SECONDS = 0.05
_COMMANDS = 100
_PATIENCE_SECONDS = 20.0

_SETTLE_SECONDS = 4.0
_PLAYERS = 20
_GUILDS = 1000
_CHANNELS, _ROLES, _MEMBERS = 10, 5, 20
_MEBIBYTE = 2**20


# ── starting ────────────────────────────────────────────────────────────────
@part("start", limit_s=90)
async def starting() -> list[Row]:
    """From making the process until it can be used."""
    node = [await _node_start() for _ in range(_NODE_STARTS)]
    fresh, again = [], []
    for _ in range(_BOT_STARTS):
        first, second = await _bot_starts()
        fresh.append(first)
        again.append(second)
    return [
        _took("node: start to ready", node, 0.5),
        _took("`python -m bot`, first start (makes its database), to a command answered", fresh, 3),
        _took("`python -m bot`, later start, to a command answered", again, 3),
    ]


def _took(what: str, samples: list[float], limit: float) -> Row:
    note = f"worst {number(max(samples))}, {len(samples)} starts"
    return at_most(f"{what}: p50", percentile(samples, 50), limit, unit="s", note=note)


async def _node_start() -> float:
    """Return the seconds until the node has answered who it is."""
    with TemporaryDirectory(prefix="bench-node-") as folder:
        began = time.monotonic()
        process = NodeProcess(Path(folder), linger_seconds=5)
        await process.start()
        assert await process.problem() is None
        took = time.monotonic() - began
        await process.close()
        return took


async def _bot_starts() -> tuple[float, float]:
    """Start a new bot, and the same one again; return the seconds of both."""
    async with Simulator(voice=False, identify_every=0) as discord:
        guild = discord.add_guild("Early Birds")
        channels = [guild.add_text_channel(f"early-{number}") for number in range(_COMMANDS)]
        member = guild.add_member("Ada")
        bot = BotProcess(discord)
        try:
            times = []
            for _ in range(2):
                await bot.start()
                asking = asyncio.create_task(_ask_again_and_again(member, channels))
                times.append(await _first_answer(discord, channels, bot.started_at))
                asking.cancel()
                await bot.ready()
                await bot.terminate()
        finally:
            await bot.close()
        return times[0], times[1]


async def _ask_again_and_again(member: Member, channels: list[TextChannel]) -> None:
    """Write a command every 50 ms, each in a channel of its own: no rate limit is met."""
    for channel in channels:
        await member.say(channel, "!help")
        await asyncio.sleep(_COMMAND_EVERY_SECONDS)


async def _first_answer(discord: Simulator, channels: list[TextChannel], began: float) -> float:
    """Return the seconds until the first answer stood in any channel."""
    answers = [
        asyncio.create_task(
            channel.feed.expect(author=discord.bot, after=began, within=_PATIENCE_SECONDS)
        )
        for channel in channels
    ]
    done, waiting = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    return min(task.result().sent_at for task in done) - began


# ── memory ──────────────────────────────────────────────────────────────────
@part("memory", limit_s=120)
async def resident_memory() -> list[Row]:
    """Resident memory of each process, some seconds after it had something to do."""
    idle, playing = await _node_memory()
    async with _bot_in(1) as bot:
        few, helpers = _resident(bot.pid), _helpers(bot)
    async with _bot_in(_GUILDS) as bot:
        many = _resident(bot.pid)
    return [
        at_most("node, idle", idle, 70, unit="MB"),
        at_most(f"node, {_PLAYERS} players (half of them encoded)", playing, 110, unit="MB"),
        at_most("bot, idle", few, 130, unit="MB", note=helpers),
        Row(
            what=f"bot, {_GUILDS:,} guilds of {_CHANNELS} channels, {_ROLES} roles",
            measured=f"{number(many)} MB",
        ),
    ]


async def _node_memory() -> tuple[float, float]:
    async with (
        Child("tests.benchmarks.voice_host") as voice,
        node_rig(voice.told["ca_file"]) as rig,
    ):
        await asyncio.sleep(1.0)
        idle = rig.megabytes
        for name in ("long.webm", "long.mp3"):
            await rig.record(name, [(440, 60)])
        guilds = list(range(1, _PLAYERS + 1))
        await voice.ask("admit", guilds=guilds, user=USER)
        for guild in guilds:
            await rig.connect(guild, voice.told["endpoint"])
            await rig.play(guild, "long.webm" if guild % 2 else "long.mp3")
        await asyncio.sleep(_SETTLE_SECONDS)
        return idle, rig.megabytes


@asynccontextmanager
async def _bot_in(guilds: int) -> AsyncIterator[BotProcess]:
    async with Simulator(voice=False) as discord:
        for index in range(guilds):
            guild = discord.add_guild(f"Guild {index}")
            for number_of in range(_ROLES):
                guild.add_role(f"role-{number_of}")
            for number_of in range(_CHANNELS):
                guild.add_text_channel(f"channel-{number_of}")
            for number_of in range(_MEMBERS):
                guild.add_member(f"Member {index} {number_of}")
        async with BotProcess(discord) as bot:
            await asyncio.sleep(_SETTLE_SECONDS)
            yield bot


def _resident(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / _MEBIBYTE


def _helpers(bot: BotProcess) -> str:
    """Name what runs beside the bot."""
    node = bot.node_pid
    workers = [
        child.pid for child in psutil.Process(bot.pid).children(recursive=True) if child.pid != node
    ]
    sizes = " + ".join(number(_resident(pid)) for pid in workers)
    beside = f"beside it: extraction workers {sizes} MB"
    return beside if node is None else f"{beside}, node {number(_resident(node))} MB"
