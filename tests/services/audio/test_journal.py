"""Storing behind the commands' backs: together, in the end, and never one at another's cost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import override

import pytest

from services.audio.journal import Journal
from services.audio.placed_tracks import QueueChanges
from services.audio.player_state import Where
from services.audio.player_store import PlayerDelta
from services.db.errors import StorageUnavailable
from tests.fakes.manual_clock import ManualClock, settle
from tests.fakes.player_store import MemoryStore
from tests.services.audio.player_world import GUILD, PlayerWorld
from tests.services.audio.test_repository import record
from tests.services.audio.tracks import track


class Counter:
    """Something that changes by counting."""

    def __init__(self, guild_id: int) -> None:
        self.guild_id = guild_id
        self.count = 0
        self.parts = 1
        """In how many parts a change is told."""

    def take_changes(self) -> tuple[PlayerDelta, bool]:
        self.parts = max(1, self.parts - 1)
        delta = PlayerDelta(record=record(guild_id=self.guild_id), queue=QueueChanges(), played=())
        return delta, self.parts > 1

    def give_back(self, delta: PlayerDelta) -> None:
        self.count += 1


class PickyStore(MemoryStore):
    """Chokes on one guild."""

    @override
    async def write(self, deltas: Sequence[PlayerDelta]) -> None:
        if any(delta.record.guild_id == 13 for delta in deltas):
            raise ValueError("thirteen")
        await super().write(deltas)


@pytest.fixture
def store() -> PickyStore:
    return PickyStore()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def journal(store: PickyStore, clock: ManualClock) -> AsyncIterator[Journal]:
    journal = Journal(store, clock)
    yield journal
    await journal.close()


async def test_journal_with_nothing_to_store_is_done_at_once(journal: Journal) -> None:
    await journal.stored(1)


async def test_changes_of_many_guilds_at_once_share_a_transaction(
    journal: Journal, store: PickyStore
) -> None:
    for guild_id in range(100, 150):
        journal.note(Counter(guild_id))
    await asyncio.gather(*(journal.stored(guild_id) for guild_id in range(100, 150)))
    assert store.writes == [50]


async def test_guild_that_cannot_be_stored_does_not_keep_others_from_it(
    journal: Journal, store: PickyStore
) -> None:
    for guild_id in (12, 13, 14):
        journal.note(Counter(guild_id))
    await journal.stored(12)
    await journal.stored(14)
    with pytest.raises(StorageUnavailable):
        await journal.stored(13)
    assert set(store.guilds) == {12, 14}


async def test_change_that_is_told_in_parts_is_stored_when_all_parts_are(
    journal: Journal, store: PickyStore
) -> None:
    counter = Counter(1)
    counter.parts = 5
    journal.note(counter)
    await journal.stored(1)
    assert len(store.writes) == 4


async def test_failure_is_told_to_who_waits_and_tried_again_by_itself(
    journal: Journal, store: PickyStore, clock: ManualClock
) -> None:
    store.failing = True
    journal.note(Counter(1))
    with pytest.raises(StorageUnavailable, match="full"):
        await journal.stored(1)
    store.failing = False
    await clock.advance(1)
    assert set(store.guilds) == {1}
    await journal.stored(1)


async def test_journal_that_is_closed_stores_what_is_left(
    store: PickyStore, clock: ManualClock
) -> None:
    journal = Journal(store, clock)
    journal.note(Counter(1))
    await journal.close()
    assert set(store.guilds) == {1}


async def test_journal_that_is_closed_with_a_dead_database_ends_all_the_same(
    store: PickyStore, clock: ManualClock
) -> None:
    journal = Journal(store, clock)
    store.failing = True
    journal.note(Counter(1))
    await settle()
    await journal.close()
    assert store.guilds == {}


async def test_ten_thousand_tracks_are_stored_in_pieces() -> None:
    world = PlayerWorld()
    await world.start()
    world.player.push_tracks(GUILD, [track(f"t{number}") for number in range(10_000)], Where.END)
    await world.player.stored(GUILD)
    (stored,) = await world.store.load()
    assert [item.track.title for item in stored.queue] == [f"t{n}" for n in range(10_000)]
    assert len(world.store.writes) >= 10
    await world.player.close()
