"""A piece of the composition root: reputation and reminders, from the database to the buttons."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.kit.clicks import Clicks
from bot.kit.outbox import HttpOutbox
from bot.kit.paging import Paging
from cogs.reminders.commands import Reminders
from cogs.reminders.delivery import DiscordDelivery
from cogs.reminders.snoozing import Snoozing
from cogs.reputation.commands import Reputation
from cogs.reputation.retracting import Retracting
from services.clock import Clock
from services.db.unit_of_work import UnitOfWork
from services.reminders.reminder_service import ReminderService
from services.reminders.repository import ReminderRepository
from services.reputation.repository import ReputationRepository
from services.reputation.reputation_service import ReputationService

_OTHERS_ADD_SECONDS = 20
"""Where several processes share a database, each looks so often what others have added."""


class Community:
    """What members do with each other; `cogs` are its commands."""

    def __init__(
        self,
        *,
        database: UnitOfWork,
        clock: Clock,
        outbox: HttpOutbox,
        clicks: Clicks,
        paging: Paging,
        zone_of: Callable[[int], ZoneInfo],
        shared_database: bool,
    ) -> None:
        self._reputation = ReputationService(ReputationRepository(database), clock)
        self._retracting = Retracting(self._reputation, outbox=outbox, clock=clock)
        self._retracting.register(clicks)
        self._reminders = ReminderService(
            store=ReminderRepository(database),
            delivery=DiscordDelivery(outbox, clock),
            clock=clock,
            safety=timedelta(seconds=_OTHERS_ADD_SECONDS) if shared_database else None,
        )
        Snoozing(self._reminders, zone_of=zone_of, clock=clock).register(clicks)
        self.cogs = (
            Reputation(self._reputation, paging=paging, retracting=self._retracting),
            Reminders(self._reminders, paging=paging, zone_of=zone_of),
        )

    def start(self) -> None:
        """Begin what happens by itself; Discord must be reachable."""
        self._reputation.start()
        self._reminders.start()

    async def close(self) -> None:
        """End it, while there still is a connection to Discord and the database."""
        async with AsyncExitStack() as stack:
            for part in (self._reputation, self._retracting, self._reminders):
                stack.push_async_callback(part.close)
