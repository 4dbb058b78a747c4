"""However many states come, edits are few, never overlap, and the last state lands."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kit.clicks import LastState
from tests.fakes.manual_clock import ManualClock, settle


class Gone(Exception):
    """The message was deleted."""


class Screen:
    """Shows what it is told to, at the times of a clock; fails on demand."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.shown: list[tuple[float, int]] = []
        self.faults: list[Exception] = []
        self.seconds_each = 0.0
        self._under_way = 0

    async def edit(self, state: int) -> None:
        self._under_way += 1
        assert self._under_way == 1, "two edits at the same time"
        await self._clock.sleep(self.seconds_each)
        self._under_way -= 1
        if self.faults:
            raise self.faults.pop(0)
        self.shown.append((round(self._clock.monotonic(), 3), state))

    @property
    def states(self) -> list[int]:
        return [state for _, state in self.shown]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def screen(clock: ManualClock) -> Screen:
    return Screen(clock)


@pytest.fixture
async def editor(clock: ManualClock, screen: Screen) -> AsyncIterator[LastState[int]]:
    editor = LastState(screen.edit, clock=clock, ends=(Gone,))
    yield editor
    await editor.close()


async def test_first_state_is_shown_at_once(screen: Screen, editor: LastState[int]) -> None:
    editor.show(1)
    await settle()

    assert screen.shown == [(0.0, 1)]


async def test_burst_is_shown_by_its_last_state(
    screen: Screen, editor: LastState[int], clock: ManualClock
) -> None:
    editor.show(0)
    await settle()
    for state in range(1, 100):
        editor.show(state)
    await clock.advance(10)

    assert screen.shown == [(0.0, 0), (1.0, 99)]


async def test_state_that_comes_during_an_edit_lands_after_it(
    screen: Screen, editor: LastState[int], clock: ManualClock
) -> None:
    screen.seconds_each = 3
    editor.show(1)
    await clock.advance(1)
    editor.show(2)
    await clock.advance(20)

    assert screen.states == [1, 2]


async def test_failed_edit_is_tried_again_until_it_lands(
    screen: Screen, editor: LastState[int], clock: ManualClock
) -> None:
    screen.faults = [RuntimeError(), RuntimeError(), RuntimeError()]
    editor.show(1)
    await clock.advance(20)

    assert screen.states == [1]


async def test_failed_state_is_replaced_by_a_newer_one(
    screen: Screen, editor: LastState[int], clock: ManualClock
) -> None:
    screen.faults = [RuntimeError()]
    editor.show(1)
    await settle()
    editor.show(2)
    await clock.advance(20)

    assert screen.states == [2]


async def test_message_that_is_gone_ends_the_editor(
    screen: Screen, editor: LastState[int], clock: ManualClock
) -> None:
    screen.faults = [Gone()]
    editor.show(1)
    editor.show(2)
    await clock.advance(20)
    editor.show(3)
    await clock.advance(20)

    assert editor.ended
    assert screen.states == []


async def test_settled_waits_for_the_last_state(
    screen: Screen, editor: LastState[int], clock: ManualClock
) -> None:
    editor.show(1)
    await settle()
    editor.show(2)
    settled = asyncio.ensure_future(editor.settled())
    await clock.advance(0.5)
    assert not settled.done()
    await clock.advance(0.5)

    await settled
    assert screen.states == [1, 2]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 3), st.booleans()), min_size=1, max_size=20),
    st.floats(0, 2),
)
def test_last_state_always_lands_and_edits_keep_their_distance(
    changes: list[tuple[float, bool]], seconds_each: float
) -> None:
    asyncio.run(check_pacing(changes, seconds_each))


async def check_pacing(changes: list[tuple[float, bool]], seconds_each: float) -> None:
    clock = ManualClock()
    screen = Screen(clock)
    screen.seconds_each = seconds_each
    editor = LastState(screen.edit, clock=clock)
    for number, (pause, fails) in enumerate(changes):
        if fails:
            screen.faults.append(RuntimeError())
        editor.show(number)
        await clock.advance(pause)
    await clock.advance(1000)

    assert screen.states[-1] == len(changes) - 1
    assert screen.states == sorted(screen.states)
    times = [time for time, _ in screen.shown]
    assert all(later - earlier >= 0.998 for earlier, later in pairwise(times))
    await editor.close()


async def test_pace_that_depends_on_what_was_shown_is_asked_after_each_edit(
    screen: Screen, clock: ManualClock
) -> None:
    editor = LastState(
        screen.edit, clock=clock, every=lambda: 5.0 if screen.states[-1] > 1 else 1.0
    )
    for state in (1, 2, 3):
        editor.show(state)
        await clock.advance(1)
    await clock.advance(10)

    assert screen.shown == [(0.0, 1), (1.0, 2), (6.0, 3)]
    await editor.close()


async def test_expected_failure_is_tried_again_without_a_traceback(
    screen: Screen, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    editor = LastState(screen.edit, clock=clock, expected=(ConnectionError,))
    screen.faults = [ConnectionError("no way to Discord")]
    editor.show(1)
    await clock.advance(5)

    assert screen.states == [1]
    assert [(record.getMessage(), record.exc_info) for record in caplog.records] == [
        ("an edit is tried again: no way to Discord", None)
    ]
    await editor.close()
