"""The button under everything that destroys or reorders; `cogs.undo` serves it."""

from dataclasses import replace

from bot.kit.clicks.components import button, row
from bot.kit.clicks.custom_id import custom_id
from bot.kit.replies import Reply

UNDO_PREFIX = "undo"
_SECONDS = 60.0


def undoable(reply: Reply, number: int) -> Reply:
    """Return the message with a button that takes change `number` back, for as long as it can."""
    undo = button(custom_id(UNDO_PREFIX, number), "Undo", emoji="↩️")
    return replace(reply, rows=(row(undo),), seconds=_SECONDS)
