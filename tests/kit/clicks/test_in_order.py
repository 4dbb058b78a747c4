"""Lines hand on in the order of joining, whatever becomes ready first."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kit.clicks.in_order import InOrder


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """The line that each thing joins, and the order in which the things become ready."""
    lines = draw(st.lists(st.integers(0, 3), min_size=1, max_size=40))
    return lines, draw(st.permutations(range(len(lines))))


@settings(deadline=None)
@given(arrivals())
def test_things_leave_in_their_lines_order_and_as_soon_as_they_can(
    case: tuple[list[int], list[int]],
) -> None:
    lines, finishing = case
    handed_on: list[int] = []
    in_order = InOrder[int](handed_on.append)
    tickets = [in_order.join(line, number) for number, line in enumerate(lines)]
    ready: set[int] = set()

    for number in finishing:
        in_order.ready(tickets[number], number)
        ready.add(number)
        for line in set(lines):
            members = [n for n in range(len(lines)) if lines[n] == line]
            free = next((i for i, n in enumerate(members) if n not in ready), len(members))
            assert [n for n in handed_on if lines[n] == line] == members[:free]


def test_line_that_ran_empty_begins_anew() -> None:
    handed_on: list[str] = []
    in_order = InOrder[str](handed_on.append)
    in_order.ready(in_order.join("line", "?"), "first")
    in_order.ready(in_order.join("line", "?"), "second")

    assert handed_on == ["first", "second"]
