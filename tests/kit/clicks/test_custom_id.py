"""Custom ids carry values through Discord and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kit.clicks import custom_id, has_prefix, values_of

WORD = st.text(
    st.characters(exclude_characters=":", exclude_categories=["Cs"]), min_size=1, max_size=8
)


@settings(deadline=None)
@given(WORD, st.lists(WORD, max_size=8))
def test_values_come_back_as_they_were_put_in(prefix: str, values: list[str]) -> None:
    assert values_of(custom_id(prefix, *values), prefix) == tuple(values)


def test_numbers_are_written_as_text() -> None:
    assert custom_id("gather:here", 42) == "gather:here:42"
    assert values_of("gather:here:42", "gather") == ("here", "42")


def test_prefix_ends_at_a_colon() -> None:
    assert has_prefix("gather:here", "gather")
    assert has_prefix("gather", "gather")
    assert not has_prefix("gatherings", "gather")


@pytest.mark.parametrize("value", ["", "a:b", "x" * 100])
def test_value_that_would_not_come_back_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="custom id"):
        custom_id("gather", value)


def test_values_of_another_prefix_are_refused() -> None:
    with pytest.raises(ValueError, match="gather"):
        values_of("page:next", "gather")
