"""What members do to the bot's messages and fields, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from bot.kit.clicks.answer import InteractionAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class _ByMember:
    """Who acted, where and when."""

    number: int
    """Rises by arrival at the gateway, over all messages."""
    user_id: int
    user_name: str
    """The name that others see in the guild; typed by the member."""
    guild_id: int | None
    """None in a direct message."""
    channel_id: int
    permissions: int
    """What the member may do in the channel, as Discord's bits; 0 in a direct message."""
    role_ids: frozenset[int]
    received_at: float
    """Arrival in monotonic seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Click(_ByMember):
    """A button pressed, or options chosen from a select menu."""

    custom_id: str
    values: tuple[str, ...]
    """The chosen options of a select menu; empty for a button."""
    message_id: int
    acknowledged: bool
    """False only for a deciding click whose member read "This interaction failed"."""
    token: str = field(repr=False)
    answer: InteractionAnswer = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalSubmit(_ByMember):
    """A form that was sent off."""

    custom_id: str
    fields: Mapping[str, str]
    """What was typed, by the custom id of the text input."""
    message_id: int | None
    """The message that the form was opened from, where there is one."""
    acknowledged: bool
    token: str = field(repr=False)
    answer: InteractionAnswer = field(repr=False, compare=False)


type OptionValue = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AutocompleteRequest(_ByMember):
    """A member types into a command's field and wants suggestions."""

    command: str
    """The full name, such as `local play`."""
    option: str
    """The name of the field that is typed into."""
    typed: str
    """What stands in the field so far; it can be anything."""
    options: Mapping[str, OptionValue]
    """The other fields that were filled in already."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A suggestion: what the member reads (100 characters at most), and what the command gets."""

    name: str
    value: OptionValue


class AckPolicy(Enum):
    """How a command's arrival is acknowledged."""

    DEFER = "defer"
    """At once; everybody sees the answer."""
    DEFER_PRIVATE = "defer_private"
    """At once; only the member sees the answer."""
    MODAL = "modal"
    """By a form, which the handler opens at once with `Clicks.open_modal`."""


type Choices = Sequence[Choice]
