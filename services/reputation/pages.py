"""Which entries, and which positions of the leaderboard, stand on a page; pure arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.reputation.rules import Entry, Span

ENTRIES_PER_PAGE = 5
EDGE = 5
"""So many stand at the top of the leaderboard's first page, and so many at its bottom."""
RANKS_PER_PAGE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Some entries of a member, the newest first."""

    target_id: int
    entries: tuple[Entry, ...]
    number: int
    """Counts from 1."""
    pages: int
    count: int
    """How many entries the member has."""
    totals: Mapping[Span, int]
    rank: int | None
    """None without entries."""
    members: int
    """How many members have entries."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A member on the leaderboard."""

    position: int
    """Counts everybody from 1."""
    rank: int
    """Equals share it."""
    user_id: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardPage:
    """A page of the leaderboard."""

    span: Span
    number: int
    """Counts from 1."""
    pages: int
    members: int
    ranked: tuple[Ranked, ...]
    """In order; on page 1 the top, then the bottom."""
    between: int
    """How many are left out between top and bottom; 0 on later pages."""


def entry_pages(count: int) -> int:
    """Return how many pages `count` entries make; at least one."""
    return max(1, -(-count // ENTRIES_PER_PAGE))


def entry_numbers(count: int, page: int) -> tuple[int, int]:
    """Return the first and last number, counted from the oldest, of the entries on a page."""
    last = count - (page - 1) * ENTRIES_PER_PAGE
    return max(1, last - ENTRIES_PER_PAGE + 1), last


def board_pages(members: int) -> int:
    """Return how many pages the leaderboard has; at least one.

    The first shows top and bottom; where that leaves somebody out, all from position 6 follow.
    """
    return 1 if members <= 2 * EDGE else 1 + -(-(members - EDGE) // RANKS_PER_PAGE)


def board_positions(members: int, page: int) -> tuple[tuple[int, int], ...]:
    """Return the ranges of positions (first, last) on a page, in order; none are empty."""
    if page > 1:
        first = EDGE + 1 + (page - 2) * RANKS_PER_PAGE
        return ((first, min(first + RANKS_PER_PAGE - 1, members)),)
    top = (1, min(EDGE, members))
    bottom = (max(EDGE + 1, members - EDGE + 1), members)
    return tuple((first, last) for first, last in (top, bottom) if first <= last)


def board_page_of(position: int, members: int) -> int:
    """Return the page on which a position stands."""
    if position <= EDGE or members <= 2 * EDGE:
        return 1
    return 2 + (position - EDGE - 1) // RANKS_PER_PAGE


def nearest(page: int, pages: int) -> int:
    """Return the page that exists and is nearest to the one asked for."""
    return min(max(page, 1), pages)
