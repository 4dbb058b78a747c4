"""Slots are sent on time, without bursts, whatever the machine does."""

from itertools import pairwise

import pytest

from bot.node.schedule import Schedule


def test_slots_taken_on_time_are_twenty_milliseconds_apart() -> None:
    schedule = Schedule(100.0)
    taken = [(schedule.due, schedule.take(schedule.due)) for _ in range(4)]
    assert [slot for _, slot in taken] == [0, 1, 2, 3]
    assert [due for due, _ in taken] == pytest.approx([100.0, 100.02, 100.04, 100.06])


def test_slot_taken_a_little_late_leaves_the_schedule_where_it_was() -> None:
    schedule = Schedule(100.0)
    schedule.take(100.007)
    assert schedule.due == pytest.approx(100.02)


def test_slots_owed_after_a_short_stall_follow_ten_milliseconds_apart() -> None:
    schedule = Schedule(100.0)
    now = 100.06
    sent = []
    for _ in range(8):
        sent.append((schedule.take(now), now))
        now = schedule.due
    assert [slot for slot, _ in sent] == list(range(8))
    steps = [later - earlier for (_, earlier), (_, later) in pairwise(sent)]
    assert steps == pytest.approx([0.01] * 6 + [0.02])


def test_slots_missed_in_a_long_stall_are_given_up() -> None:
    schedule = Schedule(100.0)
    assert schedule.take(100.0) == 0
    assert schedule.take(103.005) == 150
    assert schedule.due == pytest.approx(103.02)
