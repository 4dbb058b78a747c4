"""Players on disk: what is written is what is read, also when the process is killed in between."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.audio.placed_tracks import QueueChanges
from services.audio.player_state import LoopMode, QueuedTrack, Where
from services.audio.player_store import Played, PlayerDelta, PlayerRecord
from services.audio.repository import PlayerRepository
from services.audio.track import Source, Track
from services.audio.track_queue import TrackQueue
from services.db.engine import open_engine
from services.db.schema import upgrade
from services.db.unit_of_work import UnitOfWork
from tests.services.audio.tracks import track

GUILD = 2**62 + 1
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def repository(unit_of_work: UnitOfWork) -> PlayerRepository:
    return PlayerRepository(unit_of_work)


def record(*, guild_id: int = GUILD, current: QueuedTrack | None = None) -> PlayerRecord:
    return PlayerRecord(
        guild_id=guild_id,
        voice_channel_id=10,
        text_channel_id=None,
        current_entry_id=None if current is None else int(current.entry_id),
        play_id="7.8",
        position_ms=42_000,
        paused=True,
        paused_by=2**62 + 2,
        volume=55,
        loop=LoopMode.QUEUE,
        silent=True,
    )


async def store(repository: PlayerRepository, queue: TrackQueue, *, limit: int = 10_000) -> None:
    changes = queue.take_changes(limit=limit)
    await repository.write(
        [PlayerDelta(record=record(current=queue.current), queue=changes, played=())]
    )


async def loaded(repository: PlayerRepository) -> TrackQueue:
    queue = TrackQueue(1)
    (player,) = await repository.load()
    queue.load(player.queue)
    return queue


async def test_player_that_was_stored_is_loaded_as_it_was(repository: PlayerRepository) -> None:
    delta = PlayerDelta(record=record(), queue=QueueChanges(), played=())
    await repository.write([delta])
    (player,) = await repository.load()
    assert player.record == record()


async def test_track_that_was_stored_is_loaded_with_every_detail(
    repository: PlayerRepository,
) -> None:
    full = Track(
        url="https://example.org/a?b=c",
        title="Ünïcödé 🎵 “quoted” \u202e",
        source=Source.BANDCAMP,
        requested_by=2**62 + 3,
        artist="An artist",
        duration_ms=2**40,
        is_live=True,
        artwork_url="https://example.org/a.png",
    )
    queue = TrackQueue(1)
    queue.push_many([full, track("plain", duration_ms=None)], Where.END)
    await store(repository, queue)
    assert [item.track for item in await loaded(repository)] == [
        full,
        track("plain", duration_ms=None),
    ]


async def test_title_that_no_database_takes_is_stored_without_what_hurts(
    repository: PlayerRepository,
) -> None:
    queue = TrackQueue(1)
    queue.push(track("nul\0 half\ud800 pair"), Where.END)
    await store(repository, queue)
    assert [item.track.title for item in await loaded(repository)] == ["nul half? pair"]


async def test_queue_in_any_order_of_changes_is_loaded_in_its_order(
    repository: PlayerRepository,
) -> None:
    queue = TrackQueue(1)
    queue.push_many([track(f"t{number}") for number in range(1000)], Where.END)
    await store(repository, queue)
    queue.push(track("top"), Where.FRONT)
    queue.move(500, 2)
    queue.remove_at(900)
    queue.start(next(iter(queue)).entry_id)
    await store(repository, queue)
    copy = await loaded(repository)
    assert [item.entry_id for item in copy] == [item.entry_id for item in queue]
    assert copy.current == queue.current


async def test_queue_that_was_cleared_is_gone_but_for_the_current_track(
    repository: PlayerRepository,
) -> None:
    queue = TrackQueue(1)
    queue.push_many([track(f"t{number}") for number in range(10)], Where.END)
    queue.start(next(iter(queue)).entry_id)
    await store(repository, queue)
    list(queue.clear().free())
    await store(repository, queue)
    copy = await loaded(repository)
    assert len(copy) == 0
    assert copy.current == queue.current


async def test_guilds_do_not_see_each_others_queues(repository: PlayerRepository) -> None:
    for guild_id in (1, 2):
        queue = TrackQueue(1)
        queue.push(track(f"of {guild_id}"), Where.END)
        changes = queue.take_changes(limit=10)
        await repository.write(
            [PlayerDelta(record=record(guild_id=guild_id), queue=changes, played=())]
        )
    players = {player.record.guild_id: player for player in await repository.load()}
    assert [item.track.title for item in players[1].queue] == ["of 1"]
    assert [item.track.title for item in players[2].queue] == ["of 2"]


async def test_history_is_the_newest_of_the_guild_first(repository: PlayerRepository) -> None:
    for guild_id, names in ((GUILD, ("a", "b", "c")), (1, ("x",))):
        played = tuple(
            Played(track(name), NOW + timedelta(minutes=number))
            for number, name in enumerate(names)
        )
        delta = PlayerDelta(record=record(guild_id=guild_id), queue=QueueChanges(), played=played)
        await repository.write([delta])
    assert [item.title for item in await repository.history(GUILD, limit=2)] == ["c", "b"]
    assert await repository.history(99, limit=2) == ()


async def test_changes_of_several_guilds_are_stored_together_or_not_at_all(
    repository: PlayerRepository,
) -> None:
    good = PlayerDelta(record=record(guild_id=1), queue=QueueChanges(), played=())
    bad = PlayerDelta(record=record(guild_id=2**70), queue=QueueChanges(), played=())
    with pytest.raises(Exception, match=r"too large|out of int64 range"):
        await repository.write([good, bad])
    assert await repository.load() == []


_WRITER = """
import asyncio, sys
from services.audio.placed_tracks import QueueChanges
from services.audio.player_state import Where
from services.audio.repository import PlayerRepository
from services.audio.track_queue import TrackQueue
from services.db.engine import open_engine
from services.db.unit_of_work import UnitOfWork
from tests.services.audio.test_repository import store
from tests.services.audio.tracks import track

async def main(url):
    repository = PlayerRepository(UnitOfWork(open_engine(url)))
    queue = TrackQueue(1)
    number = 0
    while True:
        number += 1
        queue.push_many([track(f"{number}.{part}") for part in range(50)], Where.END)
        await store(repository, queue)
        print(number, flush=True)

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.e2e
async def test_writer_that_is_killed_leaves_what_it_said_and_no_half_change(
    tmp_path: Path,
) -> None:
    for lines in (1, 7, 23):
        url = f"sqlite+aiosqlite:///{tmp_path / str(lines)}"
        await upgrade(url)
        said = await asyncio.to_thread(_write_until_killed, url, lines)
        unit_of_work = UnitOfWork(open_engine(url))
        queue = await loaded(PlayerRepository(unit_of_work))
        names = [item.track.title for item in queue]
        await unit_of_work.close()
        assert len(names) % 50 == 0
        assert len(names) >= said * 50
        assert names == [f"{1 + place // 50}.{place % 50}" for place in range(len(names))]


def _write_until_killed(url: str, lines: int) -> int:
    """Let a process write, kill it after it has said so many lines; return the last number."""
    with subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-c", _WRITER, url], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(lines)]
        writer.kill()
    return int(said[-1])
