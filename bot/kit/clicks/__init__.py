"""The shared deferred interaction stream: clicks acknowledged on arrival, handed on in order."""

from bot.kit.clicks.ack_lane import AckLane, AckMeter, Acknowledger
from bot.kit.clicks.answer import AnswerClient, AnswerExpired, InteractionAnswer
from bot.kit.clicks.click import (
    AckPolicy,
    AutocompleteRequest,
    Choice,
    Click,
    ModalSubmit,
)
from bot.kit.clicks.custom_id import custom_id, has_prefix, values_of
from bot.kit.clicks.last_state import LastState
from bot.kit.clicks.router import Clicks
from bot.kit.clicks.stream import ClickStream, StreamClosed

__all__ = [
    "AckLane",
    "AckMeter",
    "AckPolicy",
    "Acknowledger",
    "AnswerClient",
    "AnswerExpired",
    "AutocompleteRequest",
    "Choice",
    "Click",
    "ClickStream",
    "Clicks",
    "InteractionAnswer",
    "LastState",
    "ModalSubmit",
    "StreamClosed",
    "custom_id",
    "has_prefix",
    "values_of",
]
