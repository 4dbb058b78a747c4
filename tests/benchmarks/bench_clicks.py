"""Bursts of clicks by many members, with a slow way to Discord and back."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.clicking import BUTTON, NAIVE, OURS, Button, button
from tests.benchmarks.report import Row, number, part, percentile
from tests.simulator.interactions.outcome import Outcome

_ROUND_TRIP = 0.3
_ROUNDS = {1: 10, 100: 3, 1000: 3}
_SETTLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Burst:
    outcomes: Sequence[Outcome]
    in_order: bool
    delivered: int


@part("clicks", limit_s=150)
async def bursts_of_clicks() -> list[Row]:
    """Clicks at once by as many members; the callback's round trip takes 300 ms."""
    ours = await _all_bursts(OURS)
    naive = await _all_bursts(NAIVE)
    return [row for size in _ROUNDS for row in _rows(size, ours[size], naive[size])]


async def _all_bursts(module: str) -> dict[int, list[_Burst]]:
    async with button(module, members=max(_ROUNDS)) as here:
        here.discord.faults.latency(_ROUND_TRIP)
        return {
            size: [await _burst(here, size) for _ in range(rounds)]
            for size, rounds in _ROUNDS.items()
        }


async def _burst(here: Button, size: int) -> _Burst:
    members = here.members[:size]
    waiting = [member.click_soon(here.message, BUTTON) for member in members]
    outcomes = await asyncio.gather(*waiting)
    delivered = await _delivered(here, sum(outcome.acknowledged for outcome in outcomes))
    acknowledged = [
        member.id for member, outcome in zip(members, outcomes, strict=True) if outcome.acknowledged
    ]
    return _Burst(outcomes, in_order=delivered == acknowledged, delivered=len(delivered))


async def _delivered(here: Button, expected: int) -> list[int]:
    """Return who was handed to the bot's own code, in that order; wait until all are."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _SETTLE_SECONDS
    delivered: list[int] = []
    while len(delivered) < expected and loop.time() < deadline:
        await asyncio.sleep(0.1)
        delivered += await here.bot.ask("delivered")
    return delivered


def _rows(size: int, ours: list[_Burst], naive: list[_Burst]) -> list[Row]:
    clicks = "1 click" if size == 1 else f"{size:,} clicks"
    rounds = f"{len(ours)} rounds"
    return [
        Row(
            what=f"{clicks}: acknowledged inside 3 s ({rounds})",
            measured=f"{_share(ours)}, {_times(ours)}",
            target="100 %",
            baseline=f"{_share(naive)}, {_times(naive)}",
            met=all(outcome.acknowledged for burst in ours for outcome in burst.outcomes),
        ),
        Row(
            what=f"{clicks}: delivered in click order",
            measured=_order(ours),
            target="all rounds",
            baseline=_order(naive),
            met=all(burst.in_order for burst in ours),
        ),
    ]


def _share(bursts: list[_Burst]) -> str:
    outcomes = [outcome for burst in bursts for outcome in burst.outcomes]
    good = sum(outcome.acknowledged for outcome in outcomes)
    return f"{100 * good / len(outcomes):.4g} %"


def _times(bursts: list[_Burst]) -> str:
    times = [outcome.ack_ms for burst in bursts for outcome in burst.outcomes if outcome.ack_ms]
    return f"p50 {number(percentile(times, 50))}, worst {number(percentile(times, 100))} ms"


def _order(bursts: list[_Burst]) -> str:
    good = sum(burst.in_order for burst in bursts)
    clicks = sum(burst.delivered for burst in bursts)
    return f"{good} of {len(bursts)} rounds ({clicks:,} clicks delivered)"
