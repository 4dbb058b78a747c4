"""Shows reminders that are due, in their channel or directly, and never the same one twice.

Every message carries a nonce that is derived from the row, so that Discord recognises a repetition
for some minutes. Whether an older try succeeded is looked up: the message's buttons name the
reminder and its occurrence, and the messages since that try are read.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from bot.kit.outbox import Rejected, Undelivered
from bot.kit.replies import Json, Reply
from cogs.reminders.presenter import direct_card, fired_card, is_firing_of, unreached_card
from services.clock import Clock
from services.reminders.errors import NotDelivered, Unreachable
from services.reminders.reminder import Reminder

_CLOCKS_DIFFER = timedelta(seconds=60)
"""Discord dates messages by its own clock."""
_NONCE_LENGTH = 24


class Mail(Protocol):
    """Sends and finds messages (`bot.kit.outbox.HttpOutbox`)."""

    async def post(self, channel_id: int, body: Json, *, nonce: str | None = None) -> int:
        """Send a message once and return its id."""
        ...

    async def open_direct(self, user_id: int) -> int:
        """Return the channel of direct messages with a user."""
        ...

    async def find_posted(
        self, channel_id: int, *, since: datetime, where: Callable[[Json], bool]
    ) -> int | None:
        """Return the id of a message that fits, from a moment on."""
        ...


class DiscordDelivery:
    """The reminders' way to members (`services.reminders.ports.Delivery`)."""

    def __init__(self, mail: Mail, clock: Clock) -> None:
        self._mail = mail
        self._clock = clock

    async def to_channel(
        self, reminder: Reminder, *, missed: bool, tried_at: datetime | None
    ) -> None:
        """Ping the targets in the channel (see `Delivery`)."""
        card = self._card(reminder, missed=missed)
        shows = partial(is_firing_of, reminder=reminder)
        nonce = _nonce(reminder, "channel")
        await self._send(reminder.channel_id, card, nonce, tried_at=tried_at, shows=shows)

    async def to_target(
        self, reminder: Reminder, user_id: int, *, missed: bool, tried_at: datetime | None
    ) -> None:
        """Send it to one target directly (see `Delivery`)."""
        card = direct_card(self._card(reminder, missed=missed), user_id)
        shows = partial(is_firing_of, reminder=reminder)
        await self._send_directly(reminder, user_id, card, tried_at=tried_at, shows=shows)

    async def to_scheduler(
        self, reminder: Reminder, unreached: Sequence[int], *, tried_at: datetime | None
    ) -> None:
        """Tell who scheduled it whom it did not reach (see `Delivery`)."""
        card = unreached_card(reminder, tuple(unreached))
        words = card.body()["embeds"][0].get("description")

        def shows(message: Json) -> bool:
            return any(embed.get("description") == words for embed in message.get("embeds", ()))

        user_id = reminder.scheduled_by
        await self._send_directly(reminder, user_id, card, tried_at=tried_at, shows=shows)

    def _card(self, reminder: Reminder, *, missed: bool) -> Reply:
        again = reminder.next_after(self._clock.now())
        return fired_card(reminder, missed=missed, again=again)

    async def _send_directly(
        self,
        reminder: Reminder,
        user_id: int,
        card: Reply,
        *,
        tried_at: datetime | None,
        shows: Callable[[Json], bool],
    ) -> None:
        with _failures():
            channel_id = await self._mail.open_direct(user_id)
        nonce = _nonce(reminder, f"{card.title} {user_id}")
        await self._send(channel_id, card, nonce, tried_at=tried_at, shows=shows)

    async def _send(
        self,
        channel_id: int,
        card: Reply,
        nonce: str,
        *,
        tried_at: datetime | None,
        shows: Callable[[Json], bool],
    ) -> None:
        with _failures():
            if tried_at is not None and await self._stands(channel_id, tried_at, shows):
                return
            await self._mail.post(channel_id, card.body(), nonce=nonce)

    async def _stands(
        self, channel_id: int, tried_at: datetime, shows: Callable[[Json], bool]
    ) -> bool:
        """Tell whether an earlier try was shown; a channel that cannot be read says no."""
        since = tried_at - _CLOCKS_DIFFER
        try:
            return await self._mail.find_posted(channel_id, since=since, where=shows) is not None
        except Rejected:
            return False  # the nonce alone has to do


@contextmanager
def _failures() -> Iterator[None]:
    """Translate how Discord can fail."""
    try:
        yield
    except Rejected as error:
        raise Unreachable(str(error)) from error
    except Undelivered as error:
        raise NotDelivered(str(error)) from error


def _nonce(reminder: Reminder, place: str) -> str:
    """Return what Discord recognises the message by; the same for the same row and place."""
    row = f"{reminder.id} {reminder.created_at.isoformat()} {reminder.occurrence} {place}"
    return hashlib.sha256(row.encode()).hexdigest()[:_NONCE_LENGTH]
