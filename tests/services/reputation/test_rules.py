"""Whose reputation may be changed and why, and what stands on which page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reputation import ladder, pages
from services.reputation.errors import NotABot, NotYourself, ReasonMissing, ReasonTooLong
from services.reputation.rules import Change, Span, checked, spans_left

ADA, BEN = 1, 2


def change(
    *, target: int = BEN, bot: bool = False, amount: int = 1, reason: str = "helped me"
) -> Change:
    return Change(
        guild_id=10, giver_id=ADA, target_id=target, target_is_bot=bot, amount=amount, reason=reason
    )


def test_change_of_oneself_is_refused() -> None:
    with pytest.raises(NotYourself):
        checked(change(target=ADA))


def test_change_of_a_bot_is_refused() -> None:
    with pytest.raises(NotABot):
        checked(change(bot=True))


@pytest.mark.parametrize("reason", ["", "   ", "\n\t"])
def test_change_without_a_reason_is_refused(reason: str) -> None:
    with pytest.raises(ReasonMissing):
        checked(change(reason=reason))


def test_change_with_a_reason_of_500_characters_is_the_longest() -> None:
    assert checked(change(reason=" " + "ä" * 500 + " ")).reason == "ä" * 500
    with pytest.raises(ReasonTooLong, match="500"):
        checked(change(reason="ä" * 501))


@pytest.mark.parametrize(("asked", "amount"), [(1, 1), (-1, -1), (50, 1), (-50, -1)])
def test_change_is_one_up_or_one_down(asked: int, amount: int) -> None:
    assert checked(change(amount=asked)).amount == amount


def test_spans_are_left_the_shortest_first() -> None:
    assert spans_left(2) == (Span.WEEK, Span.MONTH, Span.EVER)
    assert spans_left(1) == (Span.MONTH, Span.EVER)
    assert spans_left(0) == (Span.EVER,)


# ── pages ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("count", "page", "numbers"),
    [(12, 1, (8, 12)), (12, 2, (3, 7)), (12, 3, (1, 2)), (5, 1, (1, 5)), (1, 1, (1, 1))],
)
def test_entry_page_has_five_the_newest_first(
    count: int, page: int, numbers: tuple[int, int]
) -> None:
    assert pages.entry_numbers(count, page) == numbers


@pytest.mark.parametrize(
    ("members", "page", "positions"),
    [
        (3, 1, ((1, 3),)),
        (8, 1, ((1, 5), (6, 8))),
        (10, 1, ((1, 5), (6, 10))),
        (12, 1, ((1, 5), (8, 12))),
        (12, 2, ((6, 12),)),
        (1_000_000, 1, ((1, 5), (999_996, 1_000_000))),
        (1_000_000, 3, ((16, 25),)),
    ],
)
def test_board_page_shows_both_ends_and_then_ten_ranks_each(
    members: int, page: int, positions: tuple[tuple[int, int], ...]
) -> None:
    assert pages.board_positions(members, page) == positions


def test_board_of_nobody_has_one_empty_page() -> None:
    assert pages.board_pages(0) == 1
    assert pages.board_positions(0, 1) == ()


@given(members=st.integers(1, 5000), data=st.data())
def test_board_pages_show_everybody_and_the_page_of_a_position_shows_it(
    members: int, data: st.DataObject
) -> None:
    position = data.draw(st.integers(1, members))
    page = pages.board_page_of(position, members)
    assert 1 <= page <= pages.board_pages(members)
    shown = pages.board_positions(members, page)
    assert any(first <= position <= last for first, last in shown)


@given(count=st.integers(0, 500))
def test_entry_pages_show_every_entry_once(count: int) -> None:
    shown: list[int] = []
    for page in range(1, pages.entry_pages(count) + 1):
        first, last = pages.entry_numbers(count, page)
        shown += range(last, first - 1, -1)
    assert shown == list(range(count, 0, -1))


# ── counting in steps of 64 ─────────────────────────────────────────────────
TOTALS = st.integers(-20_000, 20_000)


def counts_of(totals: list[int]) -> dict[tuple[int, int], int]:
    """Return the counts that the ladder keeps when members come one after the other."""
    counts: dict[tuple[int, int], int] = {}
    for total in totals:
        for height, left, entered in ladder.crossed(None, total):
            assert left is None
            assert entered is not None
            counts[height, entered] = counts.get((height, entered), 0) + 1
    return counts


@given(totals=st.lists(TOTALS), asked=TOTALS)
def test_ladder_adds_up_to_the_members_with_a_higher_total(totals: list[int], asked: int) -> None:
    counts = counts_of(totals)
    found = sum(
        members
        for slots in ladder.above(asked)
        for (height, slot), members in counts.items()
        if height == slots.height and slots.low <= slot <= slots.high
    )
    assert found == sum(total > asked for total in totals)


@given(old=TOTALS, new=TOTALS)
def test_ladder_change_of_a_total_keeps_the_counts_right(old: int, new: int) -> None:
    counts = counts_of([old])
    for height, left, entered in ladder.crossed(old, new):
        assert left is not None
        assert entered is not None
        counts[height, left] -= 1
        counts[height, entered] = counts.get((height, entered), 0) + 1
    assert {key: number for key, number in counts.items() if number} == counts_of([new])


@given(total=TOTALS)
def test_ladder_slot_consists_of_64_of_the_next_height(total: int) -> None:
    for height in range(ladder.TOP, 0, -1):
        below = ladder.inside(height, ladder.slot_of(total, height))
        assert below.high - below.low == 63
        assert below.low <= ladder.slot_of(total, height - 1) <= below.high
