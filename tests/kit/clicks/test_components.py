"""Components keep to Discord's limits where they are made, not where they are sent."""

import pytest

from bot.kit.clicks.components import (
    Option,
    Style,
    button,
    modal,
    row,
    rows_of,
    select,
    text_input,
)


def test_button_has_what_discord_wants() -> None:
    assert button("page:next", "Next", style=Style.PRIMARY, emoji="▶", disabled=True) == {
        "type": 2,
        "style": 1,
        "custom_id": "page:next",
        "label": "Next",
        "emoji": {"name": "▶"},
        "disabled": True,
    }


def test_button_label_that_is_too_long_is_cut() -> None:
    label = button("a", "x" * 200)["label"]
    assert len(label) == 80
    assert label.endswith("…")


@pytest.mark.parametrize("custom_id", ["", "x" * 101])
def test_custom_id_outside_of_the_limits_is_refused(custom_id: str) -> None:
    with pytest.raises(ValueError, match="custom id"):
        button(custom_id, "Next")


def test_button_without_label_and_emoji_is_refused() -> None:
    with pytest.raises(ValueError, match="label or an emoji"):
        button("a")


def test_row_takes_five_buttons_and_no_sixth() -> None:
    buttons = [button(str(number), "x") for number in range(6)]
    assert len(row(*buttons[:5])["components"]) == 5
    with pytest.raises(ValueError, match="row"):
        row(*buttons)


def test_row_takes_no_button_beside_a_select_menu() -> None:
    menu = select("s", [Option(label="a", value="1")])
    with pytest.raises(ValueError, match="row"):
        row(menu, button("b", "x"))


def test_twelve_buttons_fill_three_rows() -> None:
    rows = rows_of([button(str(number), "x") for number in range(12)])
    assert [len(one["components"]) for one in rows] == [5, 5, 2]


def test_twenty_six_buttons_are_refused() -> None:
    with pytest.raises(ValueError, match="25"):
        rows_of([button(str(number), "x") for number in range(26)])


def test_select_cuts_texts_and_keeps_values() -> None:
    menu = select(
        "pick",
        [Option(label="l" * 150, value="1", description="d" * 150, chosen=True)],
        placeholder="p" * 200,
    )
    option = menu["options"][0]
    assert (len(option["label"]), len(option["description"])) == (100, 100)
    assert (option["value"], option["default"]) == ("1", True)
    assert len(menu["placeholder"]) == 150


@pytest.mark.parametrize(
    ("values", "at_least", "at_most"),
    [
        ([], 1, 1),
        ([str(n) for n in range(26)], 1, 1),
        (["1", "1"], 1, 1),
        (["1"], 1, 2),
        (["1", "2"], 2, 1),
        (["x" * 101], 1, 1),
    ],
)
def test_select_that_discord_would_refuse_is_refused(
    values: list[str], at_least: int, at_most: int
) -> None:
    options = [Option(label="a", value=value) for value in values]
    with pytest.raises(ValueError, match="option"):
        select("pick", options, at_least=at_least, at_most=at_most)


def test_modal_wraps_each_input_into_a_row() -> None:
    form = modal("rename", "R" * 60, text_input("name", "Name", value="Ada", at_most=32))
    assert len(form["title"]) == 45
    [wrapped] = form["components"]
    assert wrapped["components"][0] == {
        "type": 4,
        "custom_id": "name",
        "style": 1,
        "label": "Name",
        "required": True,
        "max_length": 32,
        "value": "Ada",
    }


def test_modal_without_inputs_is_refused() -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        modal("rename", "Rename")


def test_text_input_with_too_long_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="4000"):
        text_input("name", "Name", value="x" * 33, at_most=32)
