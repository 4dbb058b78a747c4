"""A queue of 100,000 tracks: what each operation costs, and how long it holds the event loop."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import batched
from pathlib import Path
from tempfile import TemporaryDirectory

from services.audio.player_service import PlayerService
from services.audio.player_state import Where
from services.audio.repository import PlayerRepository
from services.audio.track import Source, Track
from services.audio.track_queue import TrackQueue
from services.clock import SystemClock
from services.db.engine import open_engine
from services.db.errors import StorageUnavailable
from services.db.schema import upgrade
from services.db.unit_of_work import UnitOfWork
from tests.benchmarks.report import Row, at_most, number, part, percentile
from tests.fakes.audio_node import FakeNode
from tests.fakes.manual_clock import ManualClock
from tests.fakes.media_source import FakeMedia
from tests.fakes.voice import FakeVoice

_TRACKS = 100_000
_PLAYLIST = 10_000
_SAMPLES = 2000
_GUILD = 1
_LOOP_MS = 5.0
"""Nothing in the bot computes for longer at a stretch (the design's rule)."""


@part("queue", limit_s=120)
async def large_queue() -> list[Row]:
    """A queue of 100,000 tracks in one guild."""
    queue, rows = _in_memory()
    rows += _shuffled(queue)
    return [*rows, *await _as_a_service()]


def _in_memory() -> tuple[TrackQueue, list[Row]]:
    rng, queue = random.Random(1), TrackQueue(1)
    pushes = [_timed(partial(queue.push, _track(n), Where.END)) for n in range(_TRACKS)]
    pages = -(-_TRACKS // 10)
    shown = [_timed(partial(queue.page, rng.randint(1, pages))) for _ in range(_SAMPLES)]
    removed = [
        _timed(partial(queue.remove_at, rng.randint(1, _TRACKS - n))) for n in range(_SAMPLES)
    ]
    return queue, [
        _each("push, each", pushes, 50, "µs", 1e6),
        _each("page of 10, anywhere", shown, 1, "ms", 1e3),
        Row(
            what="remove, anywhere",
            measured=f"{number(1e6 * sum(removed) / _SAMPLES)} µs on average, "
            f"p99 {number(1e6 * percentile(removed, 99))}",
        ),
    ]


def _each(what: str, seconds: Sequence[float], limit: float, unit: str, factor: float) -> Row:
    mean = factor * sum(seconds) / len(seconds)
    note = f"p99 {number(factor * percentile(seconds, 99))}, {len(seconds):,} times"
    return at_most(f"{what}: mean", mean, limit, unit=unit, note=note)


def _shuffled(queue: TrackQueue) -> list[Row]:
    slices = queue.shuffle(random.Random(2))
    holds = []
    going = True
    while going:
        began = time.perf_counter()
        going = next(slices, "end") != "end"
        holds.append(time.perf_counter() - began)
    return [
        at_most(
            "shuffle: p99 of its slices (the event loop is held so long)",
            1e3 * percentile(holds, 99),
            _LOOP_MS,
            unit="ms",
            note=f"worst {number(1e3 * max(holds))}, {number(sum(holds))} s in all",
        )
    ]


async def _as_a_service() -> list[Row]:
    """Push through the player service, which stores the queue in SQLite meanwhile."""
    with TemporaryDirectory(prefix="bench-queue-") as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'bot.sqlite3'}"
        await upgrade(url)
        database = UnitOfWork(open_engine(url))
        player = PlayerService(
            node=FakeNode(ManualClock(), gapless=True),
            voice=FakeVoice(),
            media=FakeMedia(),
            store=PlayerRepository(database),
            clock=SystemClock(),
            announce=lambda _event: None,
            idle_leave_seconds=300,
            alone_leave_seconds=30,
        )
        tracks = [_track(number) for number in range(_TRACKS)]
        holds: list[float] = []
        watching = asyncio.create_task(_watch_loop(holds))
        await asyncio.sleep(0.05)
        began = time.perf_counter()
        pushed = [
            _timed(partial(player.push_tracks, _GUILD, part_of, Where.END))
            for part_of in batched(tracks, _PLAYLIST)
        ]
        await asyncio.sleep(0.01)
        holds.clear()  # from here on: what storing costs, beside whatever else the bot does
        while not await _is_stored(player):
            pass
        stored = time.perf_counter() - began
        watching.cancel()
        await player.close()
        await database.close()
    return [
        at_most(
            f"a playlist of {_PLAYLIST:,} pushed by the service: p50",
            1e3 * percentile(pushed, 50),
            _LOOP_MS,
            unit="ms",
            note=f"worst {number(1e3 * max(pushed))}, {len(pushed)} times",
        ),
        Row(
            what="all of them on disk (SQLite)",
            measured=f"{number(stored)} s; event loop late: p99 "
            f"{number(1e3 * percentile(holds, 99))} ms, worst {number(1e3 * max(holds))}",
        ),
    ]


async def _is_stored(player: PlayerService) -> bool:
    try:
        await player.stored(_GUILD)
    except StorageUnavailable:  # it only says that it takes longer than a member would wait
        return False
    return True


async def _watch_loop(holds: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        holds.append(time.perf_counter() - began - 0.001)


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _track(number_of: int) -> Track:
    return Track(
        url=f"https://example.com/{number_of}",
        title=f"Track {number_of}",
        source=Source.SITE,
        requested_by=1,
        duration_ms=180_000,
    )
