"""Lets the author of a command choose one of several things; the message disappears after that."""

from collections.abc import Sequence
from functools import partial

from bot.kit.answer_place import ClickedPlace
from bot.kit.clicks.click import Click
from bot.kit.clicks.components import Option, Style, button, row, rows_of, select
from bot.kit.clicks.stream import StreamClosed
from bot.kit.invocation import Invocation
from bot.kit.paging import StreamSource
from bot.kit.replies import Json, Reply
from bot.kit.typed_text import plain

_PREFIX = "choose"
_CANCEL = f"{_PREFIX}:cancel"
_SELECT = f"{_PREFIX}:one"
_BUTTONS = 9
_MOST = 25
_LABEL = 100


class Choosing:
    """Asks a member to choose, by numbered buttons or, for many things, by a list."""

    def __init__(self, clicks: StreamSource, *, seconds: float = 120) -> None:
        self._clicks = clicks
        self._seconds = seconds

    async def choose(self, call: Invocation, question: Reply, labels: Sequence[str]) -> int | None:
        """Show `question` and return the index of the chosen label; the answer begins anew then.

        None when the author cancelled or did not choose within two minutes. At most 25 labels.
        """
        posted = await call.reply(question.with_rows(*_rows(labels[:_MOST])).kept())
        if posted.message_id is None:
            return None
        click: Click | None
        async with self._clicks.open(posted.message_id, owner_id=call.author.id) as stream:
            try:
                click = await stream.next_within(self._seconds)
            except StreamClosed:
                click = None
        if click is not None:
            posted.through(partial(ClickedPlace, click.answer))
        call.begin_anew()
        return None if click is None else _index(click)


def _rows(labels: Sequence[str]) -> tuple[Json, ...]:
    cancel = button(_CANCEL, "Cancel", style=Style.DANGER)
    if len(labels) <= _BUTTONS:
        numbered = [
            button(f"{_PREFIX}:{index}", str(index + 1), style=Style.PRIMARY)
            for index in range(len(labels))
        ]
        return rows_of([*numbered, cancel])
    options = [
        Option(label=f"{index + 1}. {plain(label, _LABEL)}", value=str(index))
        for index, label in enumerate(labels)
    ]
    return (row(select(_SELECT, options, placeholder="Choose one")), row(cancel))


def _index(click: Click) -> int | None:
    if click.custom_id == _CANCEL:
        return None
    if click.custom_id == _SELECT:
        return int(click.values[0])
    return int(click.custom_id.removeprefix(f"{_PREFIX}:"))
