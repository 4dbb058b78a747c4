"""The audio node dies, hangs up or loses Discord's voice server: the music goes on by itself."""

import asyncio
import os
import signal
from itertools import pairwise

import pytest

from tests.e2e.house import House, Room
from tests.simulator.voice import VoiceServer
from tests.simulator.voice.measures import Frame

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

_RESUMED_HOLE = 0.15
"""Seconds; sound goes on while the node connects anew, `scripts/bench` measures it exactly."""
_REJOINED_HOLE = 3.0


def voice_of(house: House) -> VoiceServer:
    server = house.discord.world.calls.servers[0]
    assert isinstance(server, VoiceServer)
    return server


def kill_node(house: House) -> int:
    """End the node as a crash does; return the process id that it had."""
    pid = house.bot.node_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def seconds_heard(room: Room, hz: float, since: float) -> float:
    """Return for how long a pitch was heard."""
    frames: list[Frame] = room.guild.ear.timeline(since=since)
    return 0.02 * sum(f.hz is not None and abs(f.hz - hz) < 0.03 * hz for f in frames)


def longest_hole(room: Room, since: float) -> float:
    """Return the longest time without sound, in seconds."""
    frames = room.guild.ear.timeline(since=since)
    times: list[float] = [since, *(frame.arrival for frame in frames if not frame.silent)]
    return max((after - before for before, after in pairwise(times)), default=0.0)


# ── voice connections ───────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("code", "hole"),
    [
        *((code, _RESUMED_HOLE) for code in (1001, 4000, 4006, 4009, 4015, None)),
        *((code, _REJOINED_HOLE) for code in (1000, 4014, 4021, 4022)),
    ],
)
async def test_voice_connection_that_closes_while_playing_is_mended(
    room: Room, house: House, code: int | None, hole: float
) -> None:
    now = await room.plays(440)
    await room.queues(880)
    faults, log = voice_of(house).faults, voice_of(house).log(room.guild.id)
    spoken = log.count("speaking 1")
    began = house.discord.clock.monotonic()
    if code is None:
        faults.cut(room.guild.id)
    else:
        await faults.close(room.guild.id, code)
    await log.happens("speaking 1", times=spoken + 1, within=8)
    await room.guild.hears(440, within=8)
    assert longest_hole(room, began) < hole
    assert not now.deleted
    await room.says(room.ada, "!skip", title="Skipped")
    await room.guild.hears(880)


async def test_voice_connection_that_closes_while_paused_stays_silent_until_resumed(
    room: Room, house: House
) -> None:
    await room.plays(440)
    await room.says(room.ada, "!pause", title="Paused")
    await room.guild.silence()
    await voice_of(house).faults.close(room.guild.id, 4014)
    await voice_of(house).log(room.guild.id).happens("identify", times=2, within=8)
    await room.guild.silence(seconds=1)
    await room.says(room.ada, "!resume", title="Resumed")
    await room.guild.hears(440)


async def test_call_given_to_another_voice_server_goes_on_there_without_a_hole(
    room: Room, house: House
) -> None:
    await room.plays(440)
    first = voice_of(house)
    async with VoiceServer(ca=first.ca, ears=first.ears) as second:
        began = house.discord.clock.monotonic()
        await room.guild.change_voice_server(second)
        await second.log(room.guild.id).happens("speaking 1")
        await room.guild.hears(440)
        assert longest_hole(room, began) < _RESUMED_HOLE
        await room.guild.change_voice_server()  # it is lost, and nobody knows where to go
        await room.guild.change_voice_server(first)
        await room.guild.hears(440)


# ── the process ─────────────────────────────────────────────────────────────
async def test_node_killed_while_playing_goes_on_where_each_track_was(
    room: Room, house: House
) -> None:
    other, quiet = house.room(), house.room()
    began = house.discord.clock.monotonic()
    await asyncio.gather(room.plays(440, seconds=8), other.plays(550), quiet.plays(660))
    await room.queues(880)
    await quiet.says(quiet.ada, "!pause", title="Paused")
    await quiet.guild.silence()
    pid = kill_node(house)
    killed = house.discord.clock.monotonic()
    await asyncio.gather(room.guild.hears(440, within=15), other.guild.hears(550, within=15))
    assert house.bot.node_pid != pid
    assert longest_hole(room, killed) < _REJOINED_HOLE
    await quiet.guild.silence(seconds=0.5)
    await quiet.says(quiet.ada, "!resume", title="Resumed")
    await quiet.guild.hears(660)
    await room.guild.hears(880, within=12)
    assert seconds_heard(room, 440, began) == pytest.approx(8, abs=1.0)
    assert not [m for m in room.general.feed.all if "Skipped" in m.title]


async def test_node_killed_again_and_again_is_started_each_time(room: Room, house: House) -> None:
    await room.plays(440)
    for _ in range(2):
        kill_node(house)
        await room.guild.hears(440, within=15)


async def test_commands_at_the_moment_of_the_node_s_death_are_carried_out(
    room: Room, house: House
) -> None:
    other, third, idle = house.room(), house.room(), house.room()
    await asyncio.gather(room.plays(440), other.plays(550), idle.plays(660))
    await idle.says(idle.ada, "!stop", title="Stopped")
    await room.queues(880)
    await third.ada.join(third.lounge)
    kill_node(house)
    await idle.ada.say(idle.general, f"!play {idle.tone(770)}")
    sent = await third.ada.say(third.general, f"!play {third.tone(990)}")
    await room.ada.say(room.general, "!skip")
    await other.ada.say(other.general, "!pause")
    await asyncio.gather(third.guild.hears(990, within=15), idle.guild.hears(770, within=15))
    assert third.titles(sent)[:3] == ["⏳ Queuing…", "✅ Added to queue", "🎶 Now playing"]
    await room.guild.hears(880, within=15)
    await other.general.expect(title="Paused")
    await other.guild.silence()
    await other.says(other.ada, "!resume", title="Resumed")
    await other.guild.hears(550)
