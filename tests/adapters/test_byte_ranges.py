"""Bytes that arrive in any order are known exactly."""

from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.byte_ranges import ByteRanges

_SPAN = st.tuples(st.booleans(), st.integers(0, 60), st.integers(0, 60))


@given(st.lists(_SPAN, max_size=30))
def test_ranges_after_any_changes_equal_a_set_of_positions(
    changes: list[tuple[bool, int, int]],
) -> None:
    ranges, model = ByteRanges(), set[int]()
    for adds, start, stop in changes:
        if adds:
            ranges.add(start, stop)
            model |= set(range(start, stop))
        else:
            ranges.remove(start, stop)
            model -= set(range(start, stop))
    assert {p for start, stop in ranges for p in range(start, stop)} == model
    for position in range(62):
        run = position
        while run in model:
            run += 1
        assert ranges.end_of_run(position) == run
        later = [p for p in model if p >= position]
        assert ranges.next_start(position) == (min(later) if later else None)


def test_ranges_that_touch_become_one() -> None:
    ranges = ByteRanges()
    ranges.add(0, 10)
    ranges.add(20, 30)
    ranges.add(10, 20)
    assert list(ranges) == [(0, 30)]
