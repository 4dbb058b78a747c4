"""Finds ranks and positions among any number of members by counting in steps of 64.

Members are ordered by total, the highest first. Two questions must cost the same among ten members
and among a million: at which position stands this one, and who stands at that position?

For each total it is counted how many members have it; 64 totals make a slot of the next height,
64 of those one of the height above, and each slot has its count. A position is the sum of what
lies above: the members with a higher total in the same slot, the higher slots in the same slot of
the next height, and so on: at most 63 numbers a height. The top height alone is unlimited; its
slots span 4,096 totals, and a million changes cannot fill more than some dozens of them.

Members with equal totals are kept in order by a seat, from 1 without gaps: who comes takes the next
free one, and where somebody leaves, the last one moves up. So a position is the sum above plus the
seat; the rank, which equals share, is the sum above plus one.

A change of total moves counts at the lowest height, and at greater ones where it crosses a border.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_BITS = 6
TOP = 2
"""The greatest height; the lowest is 0, where a slot is one total."""


@dataclass(frozen=True, slots=True)
class Slots:
    """Slots of one height, from `low` to `high`."""

    height: int
    low: int
    high: int


WHOLE = Slots(TOP, -(2**31), 2**31 - 1)
"""The slots of the top height: everybody is in one of them."""


def slot_of(total: int, height: int) -> int:
    """Return the slot that a total belongs to."""
    return total >> (_BITS * height)


def crossed(old: int | None, new: int | None) -> Iterator[tuple[int, int | None, int | None]]:
    """Return height, slot left and slot entered wherever a member changes from total to total.

    None: was not, or is no more, on the board.
    """
    for height in range(TOP + 1):
        left = None if old is None else slot_of(old, height)
        entered = None if new is None else slot_of(new, height)
        if left != entered:
            yield height, left, entered


def above(total: int) -> tuple[Slots, ...]:
    """Return the slots, of each height some, that hold the members with a higher total."""
    return tuple(
        Slots(height, slot_of(total, height) + 1, _last_beside(slot_of(total, height), height))
        for height in range(TOP + 1)
    )


def inside(height: int, slot: int) -> Slots:
    """Return the slots of the next lower height that a slot consists of."""
    first = slot << _BITS
    return Slots(height - 1, first, first + (1 << _BITS) - 1)


def _last_beside(slot: int, height: int) -> int:
    """Return the last slot within the same slot of the next height."""
    return WHOLE.high if height == TOP else ((slot >> _BITS) << _BITS) + (1 << _BITS) - 1
