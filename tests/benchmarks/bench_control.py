"""How soon a listener hears what the node was told, and what it hears of trouble with voice."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.benchmarks.node_rig import USER, NodeRig, node_rig
from tests.benchmarks.report import Row, at_most, number, part, percentile
from tests.benchmarks.voice_host import CHANNEL
from tests.simulator.voice import Ear, VoiceServer
from tests.simulator.voice.measures import FRAME_SECONDS, Frame

_GUILD = 1
_LOW_HZ, _HIGH_HZ = 440.0, 880.0
_HALF_SECONDS = 60.0
_CODECS = {"passed through": "webm", "encoded": "mp3"}
_ROUNDS = 10
_QUIET_VOLUME = 25
_CLEARLY_DB = 6.0

_TROUBLES = 5
_HEAL_SECONDS = 1.5
_HOLE_MS = 40.0


@dataclass(frozen=True, slots=True)
class _Stage:
    rig: NodeRig
    voice: VoiceServer
    other_voice: VoiceServer

    @property
    def ear(self) -> Ear:
        return self.voice.ear(_GUILD)

    async def tell(self, **fields: object) -> float:
        """Change the player; return when the request left."""
        began = time.monotonic()
        await self.rig.client.patch(_GUILD, fields)
        return began


@asynccontextmanager
async def _stage() -> AsyncIterator[_Stage]:
    async with (
        VoiceServer() as voice,
        VoiceServer(ca=voice.ca, ears=voice.ears) as other,
        node_rig(str(voice.ca_file)) as rig,
    ):
        for codec in _CODECS.values():
            notes = [(_LOW_HZ, _HALF_SECONDS), (_HIGH_HZ, _HALF_SECONDS)]
            await rig.record(f"two.{codec}", notes)
        _admit(voice, token=f"tok{_GUILD}")
        await rig.connect(_GUILD, voice.endpoint)
        yield _Stage(rig, voice, other)


def _admit(voice: VoiceServer, *, token: str) -> None:
    voice.admit(
        guild_id=_GUILD, channel_id=CHANNEL, user_id=USER, session_id=f"vs{_GUILD}", token=token
    )


# ── pause, seek, volume ─────────────────────────────────────────────────────
@part("control", limit_s=120)
async def control_until_heard() -> list[Row]:
    """From the request to the node until a listener hears the change."""
    rows = []
    async with _stage() as stage:
        for kind, codec in _CODECS.items():
            await stage.rig.play(_GUILD, f"two.{codec}")
            await stage.ear.hears(_LOW_HZ)
            await asyncio.sleep(1.0)
            rows += [
                _heard(f"pause, {kind}", await _several(stage, _pause), 25),
                _heard(f"seek, {kind}", await _several(stage, _seek), 150),
                _heard(f"volume, {kind}", await _several(stage, _volume), 100),
            ]
    return rows


async def _several(stage: _Stage, once: Callable[[_Stage], Awaitable[list[float]]]) -> list[float]:
    """Return milliseconds."""
    samples: list[float] = []
    while len(samples) < _ROUNDS:
        samples += await once(stage)
    return samples


async def _pause(stage: _Stage) -> list[float]:
    before = await stage.ear.loudness(seconds=0.2)
    await _any_moment()
    began = await stage.tell(paused=True)
    await asyncio.sleep(0.25)
    frames = stage.ear.timeline(since=began - 0.1)
    ended = _end_of_sound(frames, before)
    resumed = await stage.tell(paused=False)
    await stage.ear.first_packet(since=resumed)
    return [(ended - began) * 1000]


def _end_of_sound(frames: Sequence[Frame], level: float) -> float:
    """Return when a listener's last sound ends.

    A frame of Opus reaches some 2 ms into the next one, so the first frame of silence is not
    silent: its share of the power that was heard before tells how far.
    """
    last = max(
        index for index, frame in enumerate(frames) if (frame.level or -120) > level - _CLEARLY_DB
    )
    tail = 0.0
    if last + 1 < len(frames) and (rest := frames[last + 1].level) is not None:
        tail = 10 ** ((rest - level) / 10)
    return frames[last].arrival + FRAME_SECONDS * (1 + tail)


async def _any_moment() -> None:
    """Wait, so that requests fall anywhere between two frames."""
    await asyncio.sleep(0.3 + random.random() * FRAME_SECONDS)


async def _seek(stage: _Stage) -> list[float]:
    samples = []
    for hz, seconds in ((_HIGH_HZ, _HALF_SECONDS + 10), (_LOW_HZ, 10)):
        await _any_moment()
        began = await stage.tell(position=round(seconds * 1000))
        heard = await stage.ear.hears(hz, since=began, frames=2)
        samples.append((heard.at - began) * 1000)
    return samples


async def _volume(stage: _Stage) -> list[float]:
    """Return when half of the change (in dB) was heard."""
    samples = []
    for volume in (_QUIET_VOLUME, 100):
        before = await stage.ear.loudness(seconds=0.2)
        await _any_moment()
        began = await stage.tell(volume=volume)
        await asyncio.sleep(0.6)
        after = await stage.ear.loudness(seconds=0.2)
        half = (before + after) / 2
        frames = stage.ear.timeline(since=began)
        changed = next(
            frame
            for frame in frames
            if frame.level is not None and (frame.level < half) == (after < half)
        )
        samples.append((changed.arrival - began) * 1000)
    return samples


def _heard(what: str, samples: Sequence[float], limit: float) -> Row:
    note = f"p50 {number(percentile(samples, 50))}, {len(samples)} times"
    return at_most(f"{what}: longest", max(samples), limit, unit="ms", note=note)


# ── trouble ─────────────────────────────────────────────────────────────────
@part("holes", limit_s=120)
async def holes_in_the_sound() -> list[Row]:
    """The longest time without packets, beyond 20 ms, when a voice connection breaks."""
    troubles: dict[str, Callable[[_Stage], Awaitable[None]]] = {
        **{f"voice close {code}": _closing(code) for code in (4006, 4009, 4015, 1001)},
        "TCP cut": _cut,
        "move to another voice server": _move,
    }
    rows = []
    async with _stage() as stage:
        await stage.rig.play(_GUILD, "two.webm")
        await stage.ear.hears(_LOW_HZ)
        await asyncio.sleep(1.0)
        for what, trouble in troubles.items():
            holes = [await _hole(stage, trouble) for _ in range(_TROUBLES)]
            note = f"p50 {number(percentile(holes, 50))}, {len(holes)} times"
            row = at_most(f"{what}: longest hole", max(holes), _HOLE_MS, unit="ms", note=note)
            rows.append(row)
    return rows


def _closing(code: int) -> Callable[[_Stage], Awaitable[None]]:
    async def close(stage: _Stage) -> None:
        await stage.voice.close_connection(_GUILD, code)

    return close


async def _cut(stage: _Stage) -> None:
    stage.voice.faults.cut(_GUILD)


async def _move(stage: _Stage) -> None:
    """Move there, and back for the next time."""
    for old, new in ((stage.voice, stage.other_voice), (stage.other_voice, stage.voice)):
        token = f"moved-to-{new.endpoint}-{time.monotonic()}"
        old.faults.move(_GUILD, new, token=token)
        await stage.rig.connect(_GUILD, new.endpoint, token=token)
        await asyncio.sleep(0.5)


async def _hole(stage: _Stage, trouble: Callable[[_Stage], Awaitable[None]]) -> float:
    """Return the milliseconds; infinity where the sound did not go on."""
    began = time.monotonic()
    await trouble(stage)
    await asyncio.sleep(_HEAL_SECONDS)
    until = time.monotonic()
    await stage.ear.first_packet(since=until, within=5)
    gaps = stage.ear.gaps(since=began)
    return max(0.0, gaps.largest_arrival_ms - FRAME_SECONDS * 1000)
