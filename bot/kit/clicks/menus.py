"""Which message is served by which stream, and what becomes of clicks on all the others.

A menu can be registered only when its send has returned, but members click earlier. A click on a
message that nobody serves is therefore kept for a few seconds, longer where the message is young.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass

from bot.kit.clicks.click import Click
from bot.kit.clicks.notices import Notices
from bot.kit.clicks.stream import ClickStream
from services.background import BackgroundTasks
from services.clock import Clock

_YOUNG_MS = 60_000
_KEPT_SECONDS_YOUNG = 5.0
_KEPT_SECONDS_OLD = 1.0
_KEPT_PER_MESSAGE = 100
_KEPT_MESSAGES = 2000
_CLOSED_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class _Menu:
    stream: ClickStream
    owner_id: int | None


class Menus:
    """The menus that are open, the clicks kept for menus to come, and the menus just closed."""

    def __init__(self, *, clock: Clock, notices: Notices) -> None:
        self._clock = clock
        self._notices = notices
        self._tasks = BackgroundTasks("menus")
        self._open: dict[int, _Menu] = {}
        self._kept: dict[int, deque[Click]] = {}
        self._closed_at: OrderedDict[int, float] = OrderedDict()

    def open(self, message_id: int, *, owner_id: int | None) -> ClickStream:
        """Serve a message, beginning with the clicks that came before; an earlier stream closes."""
        if (earlier := self._open.get(message_id)) is not None:
            earlier.stream.close()
        stream = ClickStream(
            message_id, clock=self._clock, on_close=lambda: self._forget(message_id)
        )
        self._open[message_id] = menu = _Menu(stream, owner_id)
        self._closed_at.pop(message_id, None)
        for click in self._kept.pop(message_id, ()):
            self._serve(menu, click)
        return stream

    def deliver(self, click: Click, *, message_age_ms: int) -> None:
        """Hand an acknowledged click to its menu, keep it for one, or answer it as expired."""
        closed_at = self._closed_at.get(click.message_id)
        if (menu := self._open.get(click.message_id)) is not None:
            self._serve(menu, click)
        elif closed_at is None:
            self._keep(click, message_age_ms)
        elif click.received_at > closed_at:
            self._notices.expired(click)

    async def close(self) -> None:
        """Close all streams."""
        for menu in list(self._open.values()):
            menu.stream.close()
        await self._tasks.close()

    def _serve(self, menu: _Menu, click: Click) -> None:
        if menu.owner_id is None or menu.owner_id == click.user_id:
            menu.stream.push(click)
        else:
            self._notices.foreign(click)

    def _forget(self, message_id: int) -> None:
        del self._open[message_id]
        self._closed_at[message_id] = self._clock.monotonic()
        if len(self._closed_at) > _CLOSED_REMEMBERED:
            self._closed_at.popitem(last=False)

    def _keep(self, click: Click, message_age_ms: int) -> None:
        kept = self._kept.get(click.message_id)
        if kept is None and len(self._kept) < _KEPT_MESSAGES:
            kept = self._kept[click.message_id] = deque()
            seconds = _KEPT_SECONDS_YOUNG if message_age_ms < _YOUNG_MS else _KEPT_SECONDS_OLD
            self._tasks.start(self._expire(click.message_id, seconds), name="keep early clicks")
        if kept is None or len(kept) >= _KEPT_PER_MESSAGE:
            self._notices.expired(click)
        else:
            kept.append(click)

    async def _expire(self, message_id: int, seconds: float) -> None:
        await self._clock.sleep(seconds)
        for click in self._kept.pop(message_id, ()):
            self._notices.expired(click)
