"""Buttons, select menus and forms as Discord's JSON, checked where they are made.

They carry no callbacks: a click reaches its consumer through the click stream alone.
Limits: Discord, "Component Reference".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

type Json = dict[str, Any]

_ACTION_ROW = 1
_BUTTON = 2
_STRING_SELECT = 3
_TEXT_INPUT = 4

_ROWS = 5
_BUTTONS_IN_ROW = 5
_OPTIONS = 25
_CUSTOM_ID = 100
_LABEL = 80
_OPTION_TEXT = 100
_PLACEHOLDER = 150
_MODAL_TITLE = 45
_MODAL_INPUTS = 5
_INPUT_LABEL = 45
_INPUT_PLACEHOLDER = 100
_INPUT_LENGTH = 4000


class Style(IntEnum):
    """A button's colour."""

    PRIMARY = 1  # blue
    SECONDARY = 2  # grey
    SUCCESS = 3  # green
    DANGER = 4  # red


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One entry of a select menu; texts are cut to 100 characters."""

    label: str
    value: str
    description: str | None = None
    chosen: bool = False


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _checked_id(custom_id: str) -> str:
    if not 1 <= len(custom_id) <= _CUSTOM_ID:
        raise ValueError(f"a custom id has 1 to {_CUSTOM_ID} characters: {custom_id!r}")
    return custom_id


def button(
    custom_id: str,
    label: str | None = None,
    *,
    style: Style = Style.SECONDARY,
    emoji: str | None = None,
    disabled: bool = False,
) -> Json:
    """Build a button with a label, an emoji or both.

    Raises:
        ValueError: neither label nor emoji, or the custom id has not 1 to 100 characters.
    """
    if not label and not emoji:
        raise ValueError("a button needs a label or an emoji")
    built: Json = {"type": _BUTTON, "style": int(style), "custom_id": _checked_id(custom_id)}
    if label:
        built["label"] = _cut(label, _LABEL)
    if emoji:
        built["emoji"] = {"name": emoji}
    if disabled:
        built["disabled"] = True
    return built


def select(
    custom_id: str,
    options: Sequence[Option],
    *,
    placeholder: str | None = None,
    at_least: int = 1,
    at_most: int = 1,
) -> Json:
    """Build a select menu of 1 to 25 options.

    Raises:
        ValueError: no option or too many, two of the same value, or an impossible choice.
    """
    if not 1 <= len(options) <= _OPTIONS:
        raise ValueError(f"a select menu has 1 to {_OPTIONS} options, not {len(options)}")
    if len({option.value for option in options}) < len(options):
        raise ValueError("two options of a select menu have the same value")
    if not 0 <= at_least <= at_most <= len(options) or at_most == 0:
        raise ValueError(f"one cannot choose {at_least} to {at_most} of {len(options)} options")
    built: Json = {
        "type": _STRING_SELECT,
        "custom_id": _checked_id(custom_id),
        "options": [_option(option) for option in options],
        "min_values": at_least,
        "max_values": at_most,
    }
    if placeholder:
        built["placeholder"] = _cut(placeholder, _PLACEHOLDER)
    return built


def _option(option: Option) -> Json:
    if not 1 <= len(option.value) <= _OPTION_TEXT:
        raise ValueError(f"an option's value has 1 to {_OPTION_TEXT} characters: {option.value!r}")
    built: Json = {"label": _cut(option.label, _OPTION_TEXT), "value": option.value}
    if option.description:
        built["description"] = _cut(option.description, _OPTION_TEXT)
    if option.chosen:
        built["default"] = True
    return built


def row(*components: Json) -> Json:
    """Put 1 to 5 buttons, or one select menu, side by side.

    Raises:
        ValueError: too many components, or a mixture.
    """
    alone = any(component["type"] != _BUTTON for component in components)
    if not 1 <= len(components) <= (1 if alone else _BUTTONS_IN_ROW):
        raise ValueError(f"a row has 1 to {_BUTTONS_IN_ROW} buttons or one select menu")
    return {"type": _ACTION_ROW, "components": list(components)}


def rows_of(buttons: Sequence[Json]) -> tuple[Json, ...]:
    """Fill rows of five with up to 25 buttons.

    Raises:
        ValueError: more than 25 buttons.
    """
    if len(buttons) > _ROWS * _BUTTONS_IN_ROW:
        raise ValueError(f"a message has at most {_ROWS * _BUTTONS_IN_ROW} buttons")
    starts = range(0, len(buttons), _BUTTONS_IN_ROW)
    return tuple(row(*buttons[start : start + _BUTTONS_IN_ROW]) for start in starts)


def text_input(
    custom_id: str,
    label: str,
    *,
    value: str = "",
    placeholder: str = "",
    required: bool = True,
    at_most: int = _INPUT_LENGTH,
    long: bool = False,
) -> Json:
    """Build a field of a form; `at_most` is in characters, 1 to 4000.

    Raises:
        ValueError: a length is outside of Discord's limits.
    """
    if not 1 <= at_most <= _INPUT_LENGTH or len(value) > at_most:
        raise ValueError(f"a text input holds 1 to {_INPUT_LENGTH} characters")
    built: Json = {
        "type": _TEXT_INPUT,
        "custom_id": _checked_id(custom_id),
        "style": 2 if long else 1,
        "label": _cut(label, _INPUT_LABEL),
        "required": required,
        "max_length": at_most,
    }
    if value:
        built["value"] = value
    if placeholder:
        built["placeholder"] = _cut(placeholder, _INPUT_PLACEHOLDER)
    return built


def modal(custom_id: str, title: str, *inputs: Json) -> Json:
    """Build a form of 1 to 5 text inputs.

    Raises:
        ValueError: no input, or too many.
    """
    if not 1 <= len(inputs) <= _MODAL_INPUTS:
        raise ValueError(f"a form has 1 to {_MODAL_INPUTS} inputs, not {len(inputs)}")
    return {
        "custom_id": _checked_id(custom_id),
        "title": _cut(title, _MODAL_TITLE),
        "components": [row_of_input(text) for text in inputs],
    }


def row_of_input(text: Json) -> Json:
    """Wrap a text input into the row that a form wants."""
    return {"type": _ACTION_ROW, "components": [text]}
