"""The queue against a plain list, and its changes against a plain table."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.audio.placed_tracks import DroppedTracks, PlacedTrack, QueueChanges
from services.audio.player_state import Where
from services.audio.track import Track
from services.audio.track_queue import TrackQueue
from tests.services.audio.tracks import track


class Table:
    """What a database would hold."""

    def __init__(self) -> None:
        self.rows: dict[int, PlacedTrack] = {}

    def store(self, changes: QueueChanges) -> None:
        if changes.cleared:
            self.rows.clear()
        for entry in changes.removed:
            self.rows.pop(entry, None)
        for item in changes.placed:
            self.rows[item.entry_id] = item

    def sorted(self) -> list[PlacedTrack]:
        current = [item for item in self.rows.values() if item.order_key is None]
        queued = [item for item in self.rows.values() if item.order_key is not None]
        return current + sorted(queued, key=lambda item: item.order_key or 0)


def exhaust(slices: Iterator[None]) -> None:
    for _ in slices:
        pass


def names(queue: TrackQueue) -> list[str]:
    return [entry.track.title for entry in queue]


def stored_again(queue: TrackQueue, table: Table) -> TrackQueue:
    while queue.changed:
        table.store(queue.take_changes(limit=3))
    copy = TrackQueue(1)
    copy.load(table.sorted())
    return copy


class QueueMachine(RuleBasedStateMachine):
    """Whatever is done to the queue, a list and a table show the same."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = TrackQueue(1)
        self.model: list[str] = []
        self.current: str | None = None
        self.table = Table()
        self.number = 0

    def new_track(self) -> Track:
        self.number += 1
        return track(f"t{self.number}", duration_ms=self.number)

    @rule(where=st.sampled_from(Where))
    def push(self, where: Where) -> None:
        new = self.new_track()
        self.queue.push(new, where)
        self.model.insert(len(self.model) if where is Where.END else 0, new.title)

    @rule(where=st.sampled_from(Where), count=st.integers(1, 7))
    def push_many(self, where: Where, count: int) -> None:
        new = [self.new_track() for _ in range(count)]
        queued = self.queue.push_many(new, where)
        assert [item.track for item in queued] == new
        titles = [item.title for item in new]
        self.model = self.model + titles if where is Where.END else titles + self.model

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        position = data.draw(st.integers(1, len(self.model)))
        assert self.queue.remove_at(position).track.title == self.model.pop(position - 1)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        position = data.draw(st.integers(1, len(self.model)))
        to = data.draw(st.integers(1, len(self.model)))
        moved = self.queue.move(position, to)
        title = self.model.pop(position - 1)
        assert moved.track.title == title
        self.model.insert(to - 1, title)

    @rule(seed=st.integers())
    def shuffle(self, seed: int) -> None:
        before = sorted(names(self.queue))
        for _ in self.queue.shuffle(random.Random(seed)):
            pass
        assert sorted(names(self.queue)) == before
        self.model = names(self.queue)

    @rule()
    def clear(self) -> None:
        exhaust(self.queue.clear().free())
        self.model = []

    @rule(data=st.data())
    def clear_and_undo(self, data: st.DataObject) -> None:
        dropped = self.queue.clear()
        old, self.model = self.model, []
        for _ in range(data.draw(st.integers(0, 2))):
            self.push(Where.END)
        exhaust(self.queue.restore(dropped))
        self.model = old + self.model

    @precondition(lambda self: self.model)
    @rule(data=st.data(), odd=st.booleans())
    def sift_and_undo(self, data: st.DataObject, *, odd: bool) -> None:
        first = data.draw(st.integers(1, len(self.model)))
        last = data.draw(st.integers(first, len(self.model)))
        dropped = DroppedTracks()
        unwanted = {
            name for name in self.model[first - 1 : last] if not odd or int(name[1:]) % 2 == 1
        }
        exhaust(
            self.queue.sift(lambda e: e.track.title in unwanted, dropped, first=first, last=last)
        )
        left = [name for name in self.model if name not in unwanted]
        assert names(self.queue) == left
        assert len(dropped) == len(unwanted)
        if data.draw(st.booleans()):
            exhaust(self.queue.restore(dropped))
        else:
            self.model = left

    @rule(seed=st.integers())
    def shuffle_and_undo(self, seed: int) -> None:
        order = self.queue.order()
        exhaust(self.queue.shuffle(random.Random(seed)))
        exhaust(self.queue.reorder(order))

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def move_and_undo(self, data: st.DataObject) -> None:
        position = data.draw(st.integers(1, len(self.model)))
        key = self.queue.key_at(position)
        moved = self.queue.move(position, data.draw(st.integers(1, len(self.model))))
        assert self.queue.position_of(moved.entry_id) is not None
        assert self.queue.return_to(moved.entry_id, key)
        # the places around may have been spread anew meanwhile; no track is lost in any case
        assert sorted(names(self.queue)) == sorted(self.model)
        self.model = names(self.queue)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def put_front(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.model) - 1))
        self.queue.put_front([list(self.queue)[place]])
        self.model.insert(0, self.model.pop(place))

    @rule(count=st.integers(0, 4))
    def drop(self, count: int) -> None:
        assert self.queue.drop_head(count) == min(count, len(self.model))
        self.model = self.model[count:]

    @rule()
    def requeue_head(self) -> None:
        self.queue.requeue_head()
        self.model = self.model[1:] + self.model[:1]

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.model) - 1))
        assert self.queue.start(list(self.queue)[place].entry_id)
        self.current = self.model.pop(place)

    @rule(requeue=st.booleans())
    def finish(self, *, requeue: bool) -> None:
        self.queue.finish(requeue=requeue)
        if requeue and self.current is not None:
            self.model.append(self.current)
        self.current = None

    @rule()
    def put_back(self) -> None:
        self.queue.put_back()
        if self.current is not None:
            self.model.insert(0, self.current)
        self.current = None

    @rule(limit=st.integers(1, 5))
    def store_some(self, limit: int) -> None:
        self.table.store(self.queue.take_changes(limit=limit))

    @rule(limit=st.integers(1, 5))
    def fail_to_store(self, limit: int) -> None:
        self.queue.give_back(self.queue.take_changes(limit=limit))

    @rule()
    def restart(self) -> None:
        self.queue = stored_again(self.queue, self.table)

    @invariant()
    def looks_like_the_list(self) -> None:
        assert names(self.queue) == self.model
        assert len(self.queue) == len(self.model)
        assert self.queue.total_ms == sum(int(name[1:]) for name in self.model)
        current = self.queue.current
        assert (None if current is None else current.track.title) == self.current


QueueMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestQueueMachine = QueueMachine.TestCase


@pytest.mark.parametrize("where", list(Where))
def test_queue_push_at_either_end_writes_one_row(where: Where) -> None:
    queue = TrackQueue(1)
    queue.push_many([track(f"t{number}") for number in range(1000)], Where.END)
    queue.take_changes(limit=10_000)
    queue.push(track("new"), where)
    assert len(queue.take_changes(limit=10_000).placed) == 1


def test_queue_moves_into_the_same_place_write_few_rows() -> None:
    queue = TrackQueue(1)
    queue.push_many([track(f"t{number}") for number in range(1000)], Where.END)
    queue.take_changes(limit=10_000)
    rows = 0
    for _ in range(500):
        queue.move(1000, 500)
        rows += len(queue.take_changes(limit=10_000).placed)
    assert rows < 5_000


def test_queue_page_beyond_the_end_shows_the_last_one() -> None:
    queue = TrackQueue(1)
    queue.push_many([track(f"t{number}") for number in range(1, 24)], Where.END)
    page = queue.page(99)
    assert (page.page, page.pages, page.first, page.total) == (3, 3, 21, 23)
    assert [entry.track.title for entry in page.entries] == ["t21", "t22", "t23"]
    assert page.total_ms == 23 * 180_000


def test_queue_page_of_an_empty_queue_is_page_one_of_one() -> None:
    page = TrackQueue(1).page(0)
    assert (page.page, page.pages, page.total, page.entries) == (1, 1, 0, ())


def test_queue_shuffled_while_it_changes_loses_nothing() -> None:
    queue = TrackQueue(1)
    queue.push_many([track(f"t{number}") for number in range(2000)], Where.END)
    expected = set(names(queue))
    for number, _ in enumerate(queue.shuffle(random.Random(1))):
        expected.remove(queue.remove_at(1).track.title)
        expected.remove(queue.remove_at(len(queue)).track.title)
        expected.add(queue.push(track(f"new{number}"), Where.FRONT).track.title)
    assert set(names(queue)) == expected
    assert len(queue) == len(expected)


def test_queue_stored_in_part_during_a_shuffle_loads_every_track_once() -> None:
    queue, table = TrackQueue(1), Table()
    queue.push_many([track(f"t{number}") for number in range(50)], Where.END)
    table.store(queue.take_changes(limit=1000))
    for _ in queue.shuffle(random.Random(3)):
        pass
    table.store(queue.take_changes(limit=20))
    copy = TrackQueue(1)
    copy.load(table.sorted())
    assert sorted(names(copy)) == sorted(names(queue))


def test_queue_ids_after_a_restart_are_new_ones() -> None:
    queue, table = TrackQueue(100), Table()
    old = queue.push(track("old"), Where.END)
    copy = stored_again(queue, table)
    assert copy.push(track("new"), Where.END).entry_id != old.entry_id


def test_queue_shuffle_is_undone_though_tracks_came_and_went() -> None:
    queue = TrackQueue(1)
    queue.push_many([track(f"t{number}") for number in range(1000)], Where.END)
    before = names(queue)
    order = queue.order()
    exhaust(queue.shuffle(random.Random(7)))
    gone = queue.remove_at(1).track.title
    queue.push(track("new"), Where.END)
    exhaust(queue.reorder(order))
    assert names(queue) == [name for name in before if name != gone] + ["new"]


def test_queue_removed_tracks_come_back_between_their_neighbours() -> None:
    queue = TrackQueue(1)
    queue.push_many([track(f"t{number}") for number in range(1, 1001)], Where.END)
    dropped = DroppedTracks()
    exhaust(queue.sift(lambda _: True, dropped, first=300, last=900))
    queue.push(track("first"), Where.FRONT)
    queue.remove_at(2)
    assert dropped.first == track("t300")
    exhaust(queue.restore(dropped))
    assert names(queue) == ["first", *(f"t{number}" for number in range(2, 1001))]


def test_queue_sifted_while_it_changes_takes_only_what_stood_there() -> None:
    queue, dropped = TrackQueue(1), DroppedTracks()
    queue.push_many([track(f"t{number}") for number in range(1000)], Where.END)
    for number, _ in enumerate(queue.sift(lambda _: True, dropped, last=900)):
        queue.push(track(f"front{number}"), Where.FRONT)
        queue.push(track(f"end{number}"), Where.END)
    assert names(queue)[4:] == [f"t{number}" for number in range(900, 1000)] + [
        f"end{number}" for number in range(4)
    ]
    assert len(dropped) == 900
