"""How punctual the node sends for many players, and what that costs.

Beside each lateness stands that of a bare timer in a process of its own, at the same time: no
program that waits for its slot on this machine can be more punctual.
"""

import asyncio
import time
from dataclasses import dataclass

from tests.benchmarks.child import Child
from tests.benchmarks.node_rig import USER, NodeRig, node_rig
from tests.benchmarks.report import Row, number, part, percentile

_WINDOW_SECONDS = 10.0
_SETTLE_SECONDS = 3.0
_FILE_SECONDS = 90.0
_AT_ONCE = 10
_P99_MS = {1: 2.0, 50: 6.0, 100: 10.0}
_KINDS = {"passed through": ("long.webm", 0.3), "encoded": ("long.mp3", 1.2)}
"""File, and how much of a core a player may cost (per cent)."""


@dataclass(frozen=True, slots=True)
class _Measured:
    late: list[float]
    missing: int
    packets: int
    violations: list[str]
    cpu_per_cent: float
    timer: list[float]
    """Lateness of a bare timer meanwhile."""


@dataclass(frozen=True, slots=True)
class _Around:
    rig: NodeRig
    voice: Child
    timer: Child


@part("lateness", limit_s=240)
async def lateness_of_packets() -> list[Row]:
    """Packets behind an ideal 20 ms schedule; voice is encrypted end to end, as on Discord."""
    rows = []
    async with (
        Child("tests.benchmarks.voice_host") as voice,
        Child("tests.benchmarks.bare_timer") as timer,
        node_rig(voice.told["ca_file"]) as rig,
    ):
        around = _Around(rig, voice, timer)
        for name, _ in _KINDS.values():
            await rig.record(name, [(440, _FILE_SECONDS)])
        first_guild = 1
        for kind in _KINDS:
            for players in _P99_MS:
                guilds = list(range(first_guild, first_guild + players))
                first_guild += players
                measured = await _measure(around, guilds, _KINDS[kind][0])
                rows += _rows(kind, players, measured)
    return rows


async def _measure(around: _Around, guilds: list[int], name: str) -> _Measured:
    rig, voice = around.rig, around.voice
    await voice.ask("admit", guilds=guilds, user=USER)
    for begin in range(0, len(guilds), _AT_ONCE):
        some = guilds[begin : begin + _AT_ONCE]
        await asyncio.gather(*(_start(rig, voice, guild, name) for guild in some))
    await asyncio.sleep(_SETTLE_SECONDS)
    since, cpu = time.monotonic(), rig.cpu_seconds
    await asyncio.sleep(_WINDOW_SECONDS)
    until, cpu = time.monotonic(), rig.cpu_seconds - cpu
    await asyncio.gather(*(rig.drop(guild) for guild in guilds))
    told = await voice.ask("measure", guilds=guilds, since=since, until=until)
    return _Measured(
        late=told["late"],
        missing=told["missing"],
        packets=told["packets"],
        violations=told["violations"],
        cpu_per_cent=100 * cpu / (until - since) / len(guilds),
        timer=await around.timer.ask("late", since=since, until=until),
    )


async def _start(rig: NodeRig, voice: Child, guild: int, name: str) -> None:
    await rig.connect(guild, voice.told["endpoint"])
    await rig.play(guild, name)


def _rows(kind: str, players: int, measured: _Measured) -> list[Row]:
    who = "1 player" if players == 1 else f"{players} players"
    p99, limit = percentile(measured.late, 99), _P99_MS[players]
    wrong = f"; {measured.violations[0]}" if measured.violations else ""
    lateness = Row(
        what=f"{who} {kind}: p99",
        measured=f"{number(p99)} ms, {measured.missing} missing of {measured.packets:,}"
        f" (p50 {number(percentile(measured.late, 50))},"
        f" worst {number(percentile(measured.late, 100))}){wrong}",
        target=f"≤ {limit:g} ms, 0 missing",
        baseline=f"bare timer: {number(percentile(measured.timer, 99))} ms",
        met=p99 <= limit and measured.missing == 0 and not measured.violations,
    )
    return [lateness, _cpu(f"{who} {kind}", players, measured.cpu_per_cent, _KINDS[kind][1])]


def _cpu(what: str, players: int, per_cent: float, limit: float) -> Row:
    if players == 1:  # what the process needs for itself is in it, and hides the player's share
        return Row(what=f"{what}: CPU of the whole node", measured=f"{per_cent:.2f} %")
    return Row(
        what=f"{what}: CPU per player",
        measured=f"{per_cent:.2f} %",
        target=f"≤ {limit:g} %",
        met=per_cent <= limit,
    )
