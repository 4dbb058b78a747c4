"""Lists too long for one message: pages with ◀ n/m ▶ that only their author turns.

Clicks that pile up are applied in their order and shown by one edit. The menu ends some time after
the last click.
"""

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Protocol

from bot.kit.answer_place import ClickedPlace
from bot.kit.clicks.click import Click
from bot.kit.clicks.components import button, row
from bot.kit.clicks.stream import ClickStream, StreamClosed
from bot.kit.invocation import Invocation
from bot.kit.posted import Posted
from bot.kit.replies import Json, Reply
from services.background import BackgroundTasks

_PREVIOUS = "page:previous"
_NUMBER = "page:number"
_NEXT = "page:next"


@dataclass(frozen=True, slots=True)
class Page:
    """What one page shows; numbers count from 1."""

    reply: Reply
    number: int
    count: int


type ReadPage = Callable[[int], Page]
"""Returns the page of that number, or the nearest one that exists."""


class StreamSource(Protocol):
    """Opens the stream of clicks on a message (`bot.kit.clicks.router.Clicks`)."""

    def open(self, message_id: int, *, owner_id: int | None = None) -> ClickStream:
        """Serve the clicks on a message, for everybody or for its owner alone."""
        ...


class AtEnd(Enum):
    """What becomes of the message when nobody turns its pages any more."""

    DELETE = "delete"
    KEEP = "keep"  # without its buttons


class Paging:
    """Shows paged lists and turns their pages in the background."""

    def __init__(self, clicks: StreamSource) -> None:
        self._clicks = clicks
        self._tasks = BackgroundTasks("paging")

    async def show(
        self,
        call: Invocation,
        read: ReadPage,
        *,
        number: int = 1,
        idle_seconds: float = 60,
        at_end: AtEnd = AtEnd.DELETE,
    ) -> None:
        """Answer with a page and return; its author can turn it until nobody has for a while."""
        page = read(number)
        posted = await call.reply(_with_buttons(page))
        if posted.message_id is None:
            return
        stream = self._clicks.open(posted.message_id, owner_id=call.author.id)
        turning = _turn(posted, stream, read=read, page=page, idle_seconds=idle_seconds)
        self._tasks.start(self._serve(posted, turning, at_end), name="turn pages")

    async def _serve(
        self, posted: Posted, turning: Coroutine[Any, Any, Page], at_end: AtEnd
    ) -> None:
        last = await turning
        if at_end is AtEnd.DELETE:
            await posted.remove()
        else:
            posted.show(last.reply.with_rows().kept())

    async def close(self) -> None:
        """Stop serving; the messages stay as they are."""
        await self._tasks.close()


async def _turn(
    posted: Posted, stream: ClickStream, *, read: ReadPage, page: Page, idle_seconds: float
) -> Page:
    """Turn pages until there was no click for `idle_seconds`; return the last one shown."""
    async with stream:
        while not posted.gone:
            try:
                click = await stream.next_within(idle_seconds)
            except StreamClosed:
                break
            if click is None:
                break
            clicks = [click, *stream.drain()]
            page = read(turned(page, clicks))
            posted.through(partial(ClickedPlace, clicks[-1].answer))
            posted.show(_with_buttons(page))
    return page


def turned(page: Page, clicks: Iterable[Click]) -> int:
    """Return the page number after these clicks, applied one by one."""
    number = page.number
    for click in clicks:
        step = {_PREVIOUS: -1, _NEXT: 1}.get(click.custom_id, 0)
        number = min(max(number + step, 1), page.count)
    return number


def _with_buttons(page: Page) -> Reply:
    reply = page.reply.kept()
    return reply.with_rows(_buttons(page)) if page.count > 1 else reply.with_rows()


def _buttons(page: Page) -> Json:
    return row(
        button(_PREVIOUS, "◀", disabled=page.number <= 1),
        button(_NUMBER, f"{page.number}/{page.count}", disabled=True),
        button(_NEXT, "▶", disabled=page.number >= page.count),
    )
