"""The snooze buttons: on every reminder that fired, without an end, also over restarts."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.kit.clicks.click import Click
from bot.kit.clicks.custom_id import values_of
from bot.kit.clicks.durable import ClickConsumer
from bot.kit.private_words import PrivateWords
from cogs.reminders.presenter import SNOOZE, snoozed_card
from services.clock import Clock
from services.errors import UserError
from services.reminders.errors import NoSuchReminder
from services.reminders.reminder import Snooze
from services.reminders.reminder_service import ReminderService

_NUMBER = re.compile(r"[0-9]{1,18}")


class ClickSource(Protocol):
    """Sends clicks by their custom id (`bot.kit.clicks.router.Clicks`)."""

    def durable(self, prefix: str, consumer: ClickConsumer, *, decides: bool = False) -> None:
        """Send all clicks whose custom id begins with `prefix` to `consumer`, for good."""
        ...


@dataclass(frozen=True, slots=True)
class _Wish:
    reminder_id: int
    occurrence: int
    snooze: Snooze


class Snoozing:
    """Consumes the clicks on snooze buttons."""

    def __init__(
        self, service: ReminderService, *, zone_of: Callable[[int], ZoneInfo], clock: Clock
    ) -> None:
        self._service = service
        self._zone_of = zone_of
        self._words = PrivateWords(clock)

    def register(self, clicks: ClickSource) -> None:
        """Ask for the clicks; each counts even where its acknowledgement failed."""
        clicks.durable(SNOOZE, self.consume, decides=True)

    async def consume(self, click: Click) -> None:
        """Put the reminder off for who clicked, and tell them until when."""
        try:
            wish = _wish(click)
            reminder = await self._service.snooze(
                wish.reminder_id,
                wish.occurrence,
                by=click.user_id,
                snooze=wish.snooze,
                zone_of=self._zone_of,
            )
        except UserError as error:
            await self._words.refuse(click, error.sentence)
        else:
            await self._words.say(click, snoozed_card(reminder))


def _wish(click: Click) -> _Wish:
    match values_of(click.custom_id, SNOOZE):
        case (reminder_id, occurrence, value) if (
            _NUMBER.fullmatch(reminder_id)
            and _NUMBER.fullmatch(occurrence)
            and value in {snooze.value for snooze in Snooze}
        ):
            return _Wish(int(reminder_id), int(occurrence), Snooze(value))
    raise NoSuchReminder(0)
