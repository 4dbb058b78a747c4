"""The buttons on gatherings' messages, also those that were posted before a restart.

The click stream hands clicks over already acknowledged and in their order. Here each is put into
its gathering's inbox at once, so that nobody's click waits for a database, an edit or a voice
disconnect; private words follow beside. The time of a check-in is that of the click.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from bot.kit.clicks.click import Click
from bot.kit.clicks.custom_id import custom_id, values_of
from bot.kit.clicks.durable import ClickConsumer
from bot.kit.outbox import Undelivered
from bot.kit.replies import info, refused
from cogs.gather.presenter import PREFIX
from cogs.gather.rooms import Rooms
from cogs.gather.words import sentence
from services.background import BackgroundTasks
from services.clock import Clock
from services.db.errors import StorageUnavailable
from services.gather.effects import Answer
from services.gather.events import (
    Cancelled,
    ClickedHere,
    ClickedOut,
    Event,
    JoinedList,
    LeftList,
    SetPings,
    StartedNow,
)
from services.gather.gather_service import GatherService
from services.gather.gathering import Gathering
from services.gather.running import Result

_log = logging.getLogger(__name__)

_DECIDING = ("here", "out")
_PATIENCE_SECONDS = 5.0
"""After so long a member is told that the database does not answer."""
_SAME_WORDS_SECONDS = 5.0
_NUMBER = re.compile(r"[0-9]{1,18}")
_OVER = "This gathering is over."
_LATER = "Your click is noted, but the database does not answer. I keep trying."

_BY_ACTION: dict[str, Callable[[int], Event]] = {
    "start": StartedNow,
    "cancel": Cancelled,
    "join": JoinedList,
    "leave": LeftList,
    "out": ClickedOut,
    "mute": lambda user_id: SetPings(user_id, on=False),
    "unmute": lambda user_id: SetPings(user_id, on=True),
}


class ClickSource(Protocol):
    """Sends clicks by their custom id (`bot.kit.clicks.router.Clicks`)."""

    def durable(self, prefix: str, consumer: ClickConsumer, *, decides: bool = False) -> None:
        """Send all clicks whose custom id begins with `prefix` to `consumer`, for good."""
        ...


class GatherClicks:
    """Consumes the clicks on all gatherings."""

    def __init__(self, service: GatherService, rooms: Rooms, *, clock: Clock) -> None:
        self._service = service
        self._rooms = rooms
        self._clock = clock
        self._tasks = BackgroundTasks("gather clicks")
        self._said_at: dict[tuple[int, str], float] = {}

    def register(self, clicks: ClickSource) -> None:
        """Ask for the clicks; *I'm here!* and *I'm out* count even where their ack failed."""
        clicks.durable(PREFIX, self.consume)
        for action in _DECIDING:
            clicks.durable(custom_id(PREFIX, action), self.consume, decides=True)

    async def consume(self, click: Click) -> None:
        """Let a click happen to its gathering; return when it is in its place."""
        action, gathering_id = _read(click)
        if click.guild_id is None or gathering_id is None:
            self._tasks.start(self._over(click), name="tell")
            return
        if action == "substitute":
            asking = self._ask_for_substitute(click, click.guild_id, gathering_id)
            self._tasks.start(asking, name="substitute")
            return
        gathering = self._service.at_work(click.guild_id, gathering_id)
        event = None if gathering is None else self._event(action, click, gathering)
        told = None
        if event is not None:
            at = self._time_of(click)
            told = self._service.click(click.guild_id, gathering_id, event, at=at)
        work = self._over(click) if told is None else self._answer(click, told)
        self._tasks.start(work, name="tell")

    async def close(self) -> None:
        """Stop telling members what came of their clicks."""
        await self._tasks.settle(within=1.0)
        await self._tasks.close()

    def _event(self, action: str, click: Click, gathering: Gathering) -> Event | None:
        if action == "here":
            room = gathering.voice_channel_id
            inside = self._rooms.is_in(gathering.guild_id, room, click.user_id)
            return ClickedHere(click.user_id, in_channel=inside)
        make = _BY_ACTION.get(action)
        return None if make is None else make(click.user_id)

    def _time_of(self, click: Click) -> datetime:
        """Return when the click arrived, before it waited for its acknowledgement."""
        waited = self._clock.monotonic() - click.received_at
        return self._clock.now() - timedelta(seconds=max(0.0, waited))

    # ── private words ───────────────────────────────────────────────────────
    async def _answer(self, click: Click, told: asyncio.Future[Result]) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                result = await asyncio.shield(told)
        except TimeoutError:
            await self._say(click, _LATER)
            return
        if result.answer is not None:
            await self._say(click, sentence(result.answer, result.gathering))

    async def _ask_for_substitute(self, click: Click, guild_id: int, gathering_id: int) -> None:
        try:
            result = await self._service.ask_for_substitute(
                guild_id, gathering_id, by=click.user_id
            )
        except StorageUnavailable as error:
            await self._say(click, error.sentence)
            return
        if result is None:
            await self._over(click)
            return
        if result.answer is not None:
            await self._say(click, sentence(result.answer, result.gathering))
        if result.answer in (None, Answer.ASKED_ALREADY) and not result.gathering.open:
            await self._take_buttons_away(click)

    async def _over(self, click: Click) -> None:
        await self._say(click, _OVER)
        await self._take_buttons_away(click)

    async def _say(self, click: Click, words: str) -> None:
        if not click.acknowledged or not self._may_say(click, words):
            return
        reply = refused("⛔ That cannot be done", words)
        if words == _LATER:
            reply = info("⏳ One moment", words)
        try:
            await click.answer.follow_up(reply.body(), private=True)
        except Undelivered as error:
            _log.info("a member was not told what came of a click: %s", error)

    def _may_say(self, click: Click, words: str) -> bool:
        """Allow the same words to the same member once in 5 s."""
        now = self._clock.monotonic()
        self._said_at = {k: at for k, at in self._said_at.items() if now - at < _SAME_WORDS_SECONDS}
        key = (click.user_id, words)
        if key in self._said_at:
            return False
        self._said_at[key] = now
        return True

    async def _take_buttons_away(self, click: Click) -> None:
        if click.acknowledged:
            with contextlib.suppress(Undelivered):  # somebody deleted the message
                await click.answer.edit_original({"components": []})


def _read(click: Click) -> tuple[str, int | None]:
    """Return what was pressed, and on which gathering."""
    values = values_of(click.custom_id, PREFIX)
    match values:
        case (action, number) if _NUMBER.fullmatch(number):
            return action, int(number)
    return "", None
