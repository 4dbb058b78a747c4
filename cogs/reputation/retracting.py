"""The button that takes a change back: for its giver, for a minute, also over a restart."""

import asyncio
import logging
import re
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bot.kit.answer_place import ClickedPlace
from bot.kit.clicks.click import Click
from bot.kit.clicks.custom_id import values_of
from bot.kit.clicks.durable import ClickConsumer
from bot.kit.outbox import Outbox, Undelivered
from bot.kit.posted import ChannelPlace, Posted
from bot.kit.private_words import PrivateWords
from bot.kit.replies import Reply
from cogs.reputation.presenter import RETRACT, gone_card, retracted_card
from services.background import BackgroundTasks
from services.clock import Clock
from services.errors import UserError
from services.reputation.errors import NotTheGiver, RetractedAlready, TooLateToRetract
from services.reputation.reputation_service import ReputationService
from services.reputation.rules import RETRACTABLE, Made

_log = logging.getLogger(__name__)

_NUMBER = re.compile(r"[0-9]{1,18}")


class ClickSource(Protocol):
    """Sends clicks by their custom id (`bot.kit.clicks.router.Clicks`)."""

    def durable(self, prefix: str, consumer: ClickConsumer, *, decides: bool = False) -> None:
        """Send all clicks whose custom id begins with `prefix` to `consumer`, for good."""
        ...


@dataclass(frozen=True, slots=True)
class _Offer:
    """A message with the button, as long as it works."""

    posted: Posted
    end: asyncio.Task[None]


class Retracting:
    """Consumes the clicks on *Take back*, and takes the button away when its time is over."""

    def __init__(self, service: ReputationService, *, outbox: Outbox, clock: Clock) -> None:
        self._service = service
        self._outbox = outbox
        self._clock = clock
        self._words = PrivateWords(clock)
        self._tasks = BackgroundTasks("reputation buttons")
        self._offers: dict[int, _Offer] = {}

    def register(self, clicks: ClickSource) -> None:
        """Ask for the clicks; each counts even where its acknowledgement failed."""
        clicks.durable(RETRACT, self.consume, decides=True)

    def offer(self, posted: Posted, made: Made, *, afterwards: Reply) -> None:
        """Let a message's button work for a minute; it shows `afterwards` then."""
        entry_id = made.entry.id
        ending = self._end_later(entry_id, made, posted=posted, afterwards=afterwards)
        self._offers[entry_id] = _Offer(posted, self._tasks.start(ending, name="end an offer"))

    async def consume(self, click: Click) -> None:
        """Take the change back that was clicked, or say privately why it stays."""
        entry_id = _entry_id(click)
        try:
            made = await self._service.retract(click.guild_id or 0, entry_id, by=click.user_id)
        except (RetractedAlready, TooLateToRetract) as error:
            await self._words.refuse(click, error.sentence)
            await self._take_button_away(click, gone=isinstance(error, RetractedAlready))
        except UserError as error:  # somebody else's change, or the database does not answer
            await self._words.refuse(click, error.sentence)
            if not isinstance(error, NotTheGiver):
                _log.warning("a change was not taken back: %s", error)
        else:
            await self._show(click, entry_id, retracted_card(made))

    async def close(self) -> None:
        """Leave the buttons as they are."""
        await self._tasks.close()

    async def _end_later(
        self, entry_id: int, made: Made, *, posted: Posted, afterwards: Reply
    ) -> None:
        left = (made.entry.at + RETRACTABLE - self._clock.now()).total_seconds()
        await self._clock.sleep(max(left, 0.0))
        self._offers.pop(entry_id, None)
        if posted.message_id is not None:
            posted.show(afterwards)

    async def _show(self, click: Click, entry_id: int, card: Reply) -> None:
        offer = self._offers.pop(entry_id, None)
        if offer is None:  # posted before a restart
            await self._edit(click, card)
            return
        offer.end.cancel()
        offer.posted.through(partial(ClickedPlace, click.answer))
        offer.posted.show(card)

    async def _take_button_away(self, click: Click, *, gone: bool) -> None:
        place = self._place(click)
        body = gone_card().body() if gone else {"components": []}
        try:
            await place.edit(click.message_id, body)
        except Undelivered as error:
            _log.info("an old button was left: %s", error)

    async def _edit(self, click: Click, card: Reply) -> None:
        try:
            await self._place(click).edit(click.message_id, card.body())
        except Undelivered as error:
            _log.warning("a change that was taken back is still shown: %s", error)

    def _place(self, click: Click) -> ClickedPlace:
        return ClickedPlace(click.answer, ChannelPlace(self._outbox, click.channel_id))


def _entry_id(click: Click) -> int:
    """Return which change was clicked; 0, which no change has, for a forged one."""
    match values_of(click.custom_id, RETRACT):
        case (number,) if _NUMBER.fullmatch(number):
            return int(number)
    return 0
