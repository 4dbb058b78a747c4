"""How soon an acknowledgement leaves, whatever else the bot does, and what errors cost.

Measured where Discord stands: from making the event to having read the callback, with the
simulator's own JSON, both sockets and the whole way through the bot's process in between.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence

from tests.benchmarks.clicking import NAIVE, OURS, WINDOW_MS, Button, button
from tests.benchmarks.club import Club, Room
from tests.benchmarks.report import Row, at_most, number, part, percentile
from tests.simulator.interactions.outcome import Outcome

_CLICKS = 500
_CLICKS_BUSY = 300
_CLICKS_BUSY_NAIVE = 60
_PAUSE_SECONDS = 0.01
_BUSY_THREADS = 8

_EXTRACTING_SECONDS = 20.0
_EXTRACTING_PAUSE_SECONDS = 0.025
_TUNE = "/tone/440/120.mp3"

_ROUND_TRIP_MS = 100.0
_RETRIES = 10
_RETRIES_NAIVE = 3
_LATE_TRY_SECONDS = 1.5
"""So long after the window has closed, the library tries a last time."""


# ── how soon it leaves ──────────────────────────────────────────────────────
@part("acks", limit_s=150)
async def acknowledgements_beside_other_work() -> list[Row]:
    """From INTERACTION_CREATE on the socket to its callback, one click at a time."""
    idle, busy = await _idle_and_busy(OURS, _CLICKS_BUSY)
    naive_idle, naive_busy = await _idle_and_busy(NAIVE, _CLICKS_BUSY_NAIVE)
    return [
        _row("bot idle", idle, 10, baseline=naive_idle),
        _row(f"{_BUSY_THREADS} busy Python threads in the bot", busy, 80, baseline=naive_busy),
        _row("bot extracting and playing", await _extracting(), 20),
    ]


async def _idle_and_busy(module: str, busy_clicks: int) -> tuple[list[Outcome], list[Outcome]]:
    async with button(module, members=10) as here:
        idle = await _one_by_one(here, _CLICKS)
        await here.bot.ask("busy", threads=_BUSY_THREADS)
        busy = await _one_by_one(here, busy_clicks)
        await here.bot.ask("busy", threads=0)
        return idle, busy


async def _one_by_one(here: Button, count: int) -> list[Outcome]:
    outcomes = []
    for member in itertools.islice(itertools.cycle(here.members), count):
        outcomes.append(await here.click_once(member))
        await asyncio.sleep(_PAUSE_SECONDS)
    return outcomes


async def _extracting() -> list[Outcome]:
    """Turn pages of a long queue, while music plays and links are read without end."""
    async with Club(rooms=3) as club:
        await club.record(_TUNE)
        listener, asking, listing = club.rooms
        await _plays(club, listener)
        sent = await listener.member.say(listener.text, f"!play {club.site.url('/list/bomb')}")
        await listener.answer(sent, "Added", within=30)
        sent = await listener.member.say(listener.text, "!queue")
        menu = await listener.text.feed.expect(
            author=club.discord.bot, after=sent, where=lambda message: bool(message.labels)
        )
        work = [
            asyncio.create_task(_again_and_again(asking, lambda: club.site.url("/watch/evening"))),
            asyncio.create_task(_again_and_again(listing, lambda: club.site.url("/list/bomb"))),
        ]
        try:
            return await _turning(lambda: listener.member.click(menu, "▶"))
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)


async def _plays(club: Club, room: Room) -> None:
    sent = await room.member.say(room.text, f"!play {club.site.url(_TUNE)}")
    await room.ear.first_packet(within=15)
    await room.answer(sent, "Added")


async def _again_and_again(room: Room, address: Callable[[], str]) -> None:
    while True:
        sent = await room.member.say(room.text, f"!play {address()}")
        await room.answer(sent, "Added", within=60)


async def _turning(click: Callable[[], Awaitable[Outcome]]) -> list[Outcome]:
    outcomes = []
    loop = asyncio.get_running_loop()
    end = loop.time() + _EXTRACTING_SECONDS
    while loop.time() < end:
        outcomes.append(await click())
        await asyncio.sleep(_EXTRACTING_PAUSE_SECONDS)
    return outcomes


def _row(
    what: str, outcomes: Sequence[Outcome], limit: float, *, baseline: Sequence[Outcome] = ()
) -> Row:
    times = _times(outcomes)
    missed = sum(not outcome.acknowledged for outcome in outcomes)
    note = f"p50 {number(percentile(times, 50))}, worst {number(percentile(times, 100))}"
    return at_most(
        f"{what}: p99 of {len(outcomes)} clicks" + (f", {missed} missed" if missed else ""),
        percentile(times, 99),
        limit,
        unit="ms",
        note=note,
        baseline=f"{number(percentile(_times(baseline), 99))} ms" if baseline else "",
    )


def _times(outcomes: Sequence[Outcome]) -> list[float]:
    """Return the milliseconds; what was missed took the whole window."""
    return [WINDOW_MS if outcome.ack_ms is None else outcome.ack_ms for outcome in outcomes]


# ── what errors cost ────────────────────────────────────────────────────────
@part("errors", limit_s=60)
async def errors_on_the_callback() -> list[Row]:
    """Two answers of 502 before Discord takes the callback; each round trip takes 100 ms."""
    ours = await _after_errors(OURS, _RETRIES, pause=0.1)
    naive = await _after_errors(NAIVE, _RETRIES_NAIVE, pause=_LATE_TRY_SECONDS)
    worst = percentile(_times(ours), 100)
    missed = sum(not outcome.acknowledged for outcome in naive)
    return [
        at_most(
            f"two 502: acknowledged, worst of {len(ours)}",
            worst,
            300 + 3 * _ROUND_TRIP_MS,
            unit="ms",
            note=f"p50 {number(percentile(_times(ours), 50))}",
            baseline=f"{missed} of {len(naive)} missed",
        )
    ]


async def _after_errors(module: str, count: int, *, pause: float) -> list[Outcome]:
    async with button(module, members=2) as here:
        faults = here.discord.faults
        faults.latency(_ROUND_TRIP_MS / 1000)
        outcomes = []
        for _ in range(count):
            faults.fail("POST /interactions/*/*/callback", 502, times=2)
            outcomes.append(await here.click_once(here.members[0]))
            await asyncio.sleep(pause)
        return outcomes
