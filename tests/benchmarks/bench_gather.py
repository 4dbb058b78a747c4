"""Gatherings under load: two hundred clicks at once, five hundred guilds, a million ledger rows."""

import asyncio
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import psutil

from services.db.engine import open_engine
from services.db.schema import upgrade
from services.db.unit_of_work import UnitOfWork
from services.gather.repository import GatherRepository
from tests.benchmarks.machine_share import MachineShare
from tests.benchmarks.report import Row, at_most, number, part, percentile
from tests.simulator import Guild, Member, SimMessage, Simulator, TextChannel, VoiceChannel
from tests.simulator.interactions.outcome import Outcome
from tests.simulator.processes import BotProcess

_CARD = "Voice channel gathering"
_PEOPLE = 200
_ROUND_TRIP_SECONDS = 0.3
_EDIT_SECONDS = 5.0
_FINAL_SECONDS = 10.0

_GUILDS = 500
_STEADY_SECONDS = 25.0
_LOOP_DELAY_MS = 20.0

_ROWS = 1_000_000
_MEMBERS = 200
_STATS_MS = 20.0


@dataclass(frozen=True, slots=True)
class _Lounge:
    guild: Guild
    text: TextChannel
    voice: VoiceChannel
    author: Member


async def _lounge(discord: Simulator, name: str) -> _Lounge:
    guild = discord.add_guild(name)
    text, voice = guild.add_text_channel("general"), guild.add_voice_channel("Lounge")
    author = guild.add_member("Ada")
    await author.join(voice)
    return _Lounge(guild, text, voice, author)


async def _card(lounge: _Lounge, command: str, *, within: float = 30) -> SimMessage:
    sent = await lounge.author.say(lounge.text, command)
    return await lounge.text.expect(title=_CARD, after=sent, within=within)


# ── two hundred clicks ──────────────────────────────────────────────────────
@part("gather_clicks", limit_s=90)
async def two_hundred_decide_at_once() -> list[Row]:
    """200 members click *I'm here!* and *I'm out* at once; the round trip takes 300 ms."""
    async with AsyncExitStack() as stack:
        discord = await stack.enter_async_context(Simulator(voice=False))
        lounge = await _lounge(discord, "Crowd")
        members = [lounge.guild.add_member(f"M{index}") for index in range(_PEOPLE - 1)]
        for member in members:
            await member.join(lounge.voice)
        await stack.enter_async_context(BotProcess(discord))
        card = await _card(lounge, "!gather start")
        discord.faults.latency(_ROUND_TRIP_SECONDS)
        began = time.monotonic()
        outcomes = await _all_click(card, [lounge.author, *members])
        await card.loses_buttons(within=60)
        shown = card.history[-1].at - began
        return _click_rows(card, outcomes, shown_s=shown, refused=len(discord.rate_limit_hits))


async def _all_click(card: SimMessage, people: Sequence[Member]) -> Sequence[Outcome]:
    labels = ("I'm here!", "I'm out")
    clicks = [member.click_soon(card, labels[i % 2]) for i, member in enumerate(people)]
    return await asyncio.gather(*clicks)


def _click_rows(
    card: SimMessage, outcomes: Sequence[Outcome], *, shown_s: float, refused: int
) -> list[Row]:
    acknowledged = [outcome for outcome in outcomes if outcome.acknowledged]
    slowest = max(outcome.ack_ms or 0 for outcome in acknowledged)
    counted = re.search(r"Attendance: \*\*(\d+)/(\d+)\*\*", card.text)
    here, expected = (int(counted[1]), int(counted[2])) if counted else (0, 0)
    edits = [version.at for version in card.history[1:]]
    gap = min((later - earlier for earlier, later in pairwise(edits)), default=_EDIT_SECONDS)
    half = _PEOPLE // 2
    return [
        Row(
            what=f"{_PEOPLE} clicks: acknowledged inside 3 s",
            measured=f"{len(acknowledged)}, the slowest after {number(slowest)} ms",
            target=f"{_PEOPLE}",
            met=len(acknowledged) == _PEOPLE,
        ),
        Row(
            what="all counted: here, and expected after the opt-outs",
            measured=f"{here}/{expected}",
            target=f"{half}/{half}",
            met=(here, expected) == (half, half),
        ),
        Row(
            what="edits, and the shortest time between two",
            measured=f"{len(edits)}, {number(gap)} s; {refused} requests refused",
            target=f"≥ {number(_EDIT_SECONDS)} s",
            met=gap >= _EDIT_SECONDS - 0.1,
        ),
        at_most("first click → final table shown", shown_s, _FINAL_SECONDS, unit="s"),
    ]


# ── five hundred guilds ─────────────────────────────────────────────────────
@part("gather_guilds", limit_s=170)
async def gatherings_in_five_hundred_guilds() -> list[Row]:
    """500 guilds count down and check in at once; rate limits are on."""
    async with AsyncExitStack() as stack:
        discord = await stack.enter_async_context(Simulator(voice=False))
        lounges = [await _lounge(discord, f"Guild {index}") for index in range(_GUILDS)]
        bot = await stack.enter_async_context(BotProcess(discord))
        await asyncio.sleep(1.5)  # what the start has asked of Discord is no part of it
        memory, before = _resident(bot), await _loop_delays(bot)
        share = MachineShare()
        began = time.monotonic()
        starting = (_card(lounge, "!gather start 1h", within=90) for lounge in lounges)
        cards = await asyncio.gather(*starting)
        all_shown = time.monotonic() - began
        await _some_start_now(lounges, cards)
        await asyncio.sleep(_STEADY_SECONDS)
        delay = _percentile_between(before, await _loop_delays(bot), 99)
        grown = _resident(bot) - memory
        refused = len(discord.rate_limit_hits)
    return [
        at_most(
            f"{_GUILDS} gatherings: loop delay p99",
            delay * 1000,
            _LOOP_DELAY_MS,
            unit="ms",
            note=share.account(),
        ),
        Row(what="memory for them", measured=f"{number(grown)} MB"),
        Row(
            what="all countdowns shown",
            measured=f"{number(all_shown)} s, {refused} requests refused",
            target="printed: 1,000 messages at Discord's 50 a second",
        ),
    ]


async def _some_start_now(lounges: Sequence[_Lounge], cards: Sequence[SimMessage]) -> None:
    """Let every other author start the check-in."""
    clicks = [
        lounge.author.click(card, "Start now")
        for lounge, card in zip(lounges[::2], cards[::2], strict=True)
    ]
    await asyncio.gather(*clicks)


def _resident(bot: BotProcess) -> float:
    """Return the bot's memory in MB."""
    assert bot.pid is not None
    return psutil.Process(bot.pid).memory_info().rss / 1e6


async def _loop_delays(bot: BotProcess) -> dict[float, float]:
    """Return how many delays were at most so many seconds, from the bot's metrics."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{bot.status_url}/metrics") as response,
    ):
        text = await response.text()
    found = re.findall(r'bot_loop_delay_seconds_bucket\{le="([^"]+)"\} (\S+)', text)
    return {float(bound): float(count) for bound, count in found}


def _percentile_between(
    before: dict[float, float], after: dict[float, float], per_cent: float
) -> float:
    """Return a percentile of what was counted in between, interpolated within its bucket."""
    counts = {bound: after[bound] - before.get(bound, 0) for bound in sorted(after)}
    wanted = counts[float("inf")] * per_cent / 100
    lower, below = 0.0, 0.0
    for bound, count in counts.items():
        if count >= wanted:
            share = (wanted - below) / (count - below) if count > below else 1.0
            return lower + (bound - lower) * share if bound != float("inf") else bound
        lower, below = bound, count
    return float("inf")


# ── a million rows ──────────────────────────────────────────────────────────
@part("gather_stats", limit_s=150)
async def stats_over_a_million_rows() -> list[Row]:
    """A member's statistics from a ledger of 1,000,000 rows."""
    with TemporaryDirectory(prefix="bench-gather-") as folder:
        path = Path(folder) / "bench.db"
        url = f"sqlite+aiosqlite:///{path}"
        await upgrade(url)
        await asyncio.to_thread(_fill, path)
        database = UnitOfWork(open_engine(url))
        try:
            took = await _asked(GatherRepository(database))
        finally:
            await database.close()
    return [
        at_most(
            f"stats of a member, {_ROWS:,} rows, {_ROWS // _MEMBERS:,} of them the member's: p99",
            percentile(took, 99),
            _STATS_MS,
            unit="ms",
            note=f"p50 {number(percentile(took, 50))}",
        )
    ]


async def _asked(repository: GatherRepository) -> list[float]:
    took: list[float] = []
    for user_id in range(1, _MEMBERS + 1):
        began = time.perf_counter()
        stats = await repository.stats(1, user_id, now=datetime(2026, 1, 1, tzinfo=UTC))
        took.append((time.perf_counter() - began) * 1000)
        assert stats.records[2].expected + stats.records[2].out == _ROWS // _MEMBERS
    return took


def _fill(path: Path) -> None:
    """Write ledger and totals as years of gatherings leave them, eight a day."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA synchronous=OFF")
    gatherings = _ROWS // _MEMBERS
    start = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=3) * gatherings
    held = [f"{start + timedelta(hours=3) * n:%Y-%m-%d %H:%M:%S.000000}" for n in range(gatherings)]
    database.executemany(
        "INSERT INTO gathering (id, guild_id, voice_channel_id, text_channel_id, author_id,"
        " created_at, starts_at, phase, done, state)"
        " VALUES (?, 1, 1, 1, 1, ?, ?, 'closed', 1, '{}')",
        ((number, at, at) for number, at in enumerate(held, start=1)),
    )
    database.executemany(
        "INSERT INTO attendance (gathering_id, user_id, guild_id, held_at, outcome, late_s,"
        " present_s) VALUES (?, ?, 1, ?, ?, ?, 0)",
        _ledger(held),
    )
    database.execute(
        "INSERT INTO attendance_tally (guild_id, user_id, outcome, late_s, times)"
        " SELECT guild_id, user_id, outcome, late_s, count(*) FROM attendance"
        " GROUP BY guild_id, user_id, outcome, late_s"
    )
    database.commit()
    database.close()


def _ledger(held: Sequence[str]) -> Iterator[tuple[int, int, str, str, int]]:
    for gathering_id, at in enumerate(held, start=1):
        for user_id in range(1, _MEMBERS + 1):
            chance = (gathering_id * 7919 + user_id * 104729) % 100
            late_s = 60 + (gathering_id * 31 + user_id * 17) % 1740
            if chance < 60:
                yield gathering_id, user_id, at, "on_time", 0
            elif chance < 90:
                yield gathering_id, user_id, at, "late", late_s
            else:
                yield gathering_id, user_id, at, "out" if chance < 95 else "missing", 0
