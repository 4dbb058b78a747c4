"""Lists too long for one message: pages with ◀ n/m ▶ that only their author turns.

Clicks that pile up are applied in their order and shown by one edit. The menu ends some time after
the last click. A page that cannot be read now is told to who clicked; the menu stays as it was.
"""

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Protocol

from bot.kit.answer_place import ClickedPlace
from bot.kit.clicks.click import Click
from bot.kit.clicks.components import button, row
from bot.kit.clicks.stream import ClickStream, StreamClosed
from bot.kit.invocation import Invocation
from bot.kit.outbox import Undelivered
from bot.kit.posted import Posted
from bot.kit.replies import Json, Reply, refused
from services.background import BackgroundTasks
from services.errors import UserError

_log = logging.getLogger(__name__)

_PREVIOUS = "page:previous"
_NUMBER = "page:number"
_NEXT = "page:next"


@dataclass(frozen=True, slots=True)
class Page:
    """What one page shows; numbers count from 1."""

    reply: Reply
    number: int
    count: int


type ReadPage = Callable[[int], Page | Awaitable[Page]]
"""Returns the page of that number, or the nearest one that exists."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A further button, which leads to a page that is found when it is clicked."""

    custom_id: str
    label: str
    find: Callable[[], Awaitable[int]]
    """Returns the page's number; raises a `UserError` where there is none."""


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
        jumps: Sequence[Jump] = (),
    ) -> None:
        """Answer with a page and return; its author can turn it until nobody has for a while."""
        page = await _read(read, number)
        posted = await call.reply(_with_buttons(page, jumps))
        if posted.message_id is None:
            return
        stream = self._clicks.open(posted.message_id, owner_id=call.author.id)
        menu = _Menu(posted, page, read=read, jumps=jumps)
        self._tasks.start(_serve(menu, stream, idle_seconds, at_end=at_end), name="turn pages")

    async def close(self) -> None:
        """Stop serving; the messages stay as they are."""
        await self._tasks.close()


class _Menu:
    """One list while its pages are turned."""

    def __init__(
        self, posted: Posted, page: Page, *, read: ReadPage, jumps: Sequence[Jump]
    ) -> None:
        self.posted = posted
        self.page = page
        self._read = read
        self._jumps = {jump.custom_id: jump for jump in jumps}

    async def turn(self, clicks: Sequence[Click]) -> None:
        """Show the page after these clicks."""
        answer = clicks[-1].answer
        try:
            self.page = await _read(self._read, await self._number_after(clicks))
        except UserError as error:
            await _tell(clicks[-1], error)
            return
        self.posted.through(partial(ClickedPlace, answer))
        self.posted.show(_with_buttons(self.page, tuple(self._jumps.values())))

    async def _number_after(self, clicks: Iterable[Click]) -> int:
        number = self.page.number
        for click in clicks:
            if (jump := self._jumps.get(click.custom_id)) is not None:
                number = await jump.find()
            else:
                number = stepped(number, click.custom_id, count=self.page.count)
        return number


def stepped(number: int, custom_id: str, *, count: int) -> int:
    """Return the page number after a click on ◀ or ▶; the ends hold."""
    step = {_PREVIOUS: -1, _NEXT: 1}.get(custom_id, 0)
    return min(max(number + step, 1), count)


async def _serve(menu: _Menu, stream: ClickStream, idle_seconds: float, *, at_end: AtEnd) -> None:
    """Turn pages until there was no click for `idle_seconds`, then end the menu."""
    async with stream:
        while not menu.posted.gone:
            try:
                click = await stream.next_within(idle_seconds)
            except StreamClosed:
                break
            if click is None:
                break
            await menu.turn([click, *stream.drain()])
    if at_end is AtEnd.DELETE:
        await menu.posted.remove()
    else:
        menu.posted.show(menu.page.reply.with_rows().kept())


async def _read(read: ReadPage, number: int) -> Page:
    page = read(number)
    return await page if inspect.isawaitable(page) else page


async def _tell(click: Click, error: UserError) -> None:
    """Say privately why the page was not turned."""
    try:
        words = refused("⛔ That cannot be done", error.sentence)
        await click.answer.follow_up(words.body(), private=True)
    except Undelivered as undelivered:
        _log.info("a member was not told why a page stays: %s", undelivered)


def _with_buttons(page: Page, jumps: Sequence[Jump]) -> Reply:
    reply = page.reply.kept()
    return reply.with_rows(_buttons(page, jumps)) if page.count > 1 else reply.with_rows()


def _buttons(page: Page, jumps: Sequence[Jump]) -> Json:
    return row(
        button(_PREVIOUS, "◀", disabled=page.number <= 1),
        button(_NUMBER, f"{page.number}/{page.count}", disabled=True),
        button(_NEXT, "▶", disabled=page.number >= page.count),
        *(button(jump.custom_id, jump.label) for jump in jumps),
    )
