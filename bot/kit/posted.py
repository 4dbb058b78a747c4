"""One message of the bot whose content is replaced as things go on.

`show` never waits: it names the newest state, and one background worker sends or edits until that
state stands in Discord. States that are overtaken before they could be shown are skipped, so the
last one always lands and the rate limit is not spent on old news. A message that cannot be shown
costs one line in the log and nothing else: no caller fails because Discord did.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from bot.kit.expiry import Expiry
from bot.kit.outbox import ChannelBusy, MessageGone, Outbox, Undelivered
from bot.kit.replies import Json, Reply
from services.background import BackgroundTasks
from services.clock import Clock

_log = logging.getLogger(__name__)

_AT_ONCE = 3
_SECONDS_EACH = 1.0


class Place(Protocol):
    """Where one message goes: a channel, or the answer to an interaction."""

    async def send(self, body: Json, *, passing: bool) -> int:
        """Send it and return its id.

        Raises:
            Undelivered: it is not shown.
        """
        ...

    async def edit(self, message_id: int, body: Json) -> None:
        """Replace its content.

        Raises:
            MessageGone: it was deleted.
            Undelivered: the new content is not shown.
        """
        ...

    async def delete(self, message_id: int) -> None:
        """Take it away; fine when it is gone.

        Raises:
            Undelivered: it is still there.
        """
        ...


class ChannelPlace:
    """An ordinary message in a channel."""

    def __init__(self, outbox: Outbox, channel_id: int) -> None:
        self._outbox = outbox
        self._channel_id = channel_id

    async def send(self, body: Json, *, passing: bool) -> int:
        """Send it (see `Place`)."""
        return await self._outbox.post(self._channel_id, body, passing=passing)

    async def edit(self, message_id: int, body: Json) -> None:
        """Replace its content (see `Place`)."""
        await self._outbox.edit(self._channel_id, message_id, body)

    async def delete(self, message_id: int) -> None:
        """Take it away (see `Place`)."""
        await self._outbox.delete(self._channel_id, message_id)


class _Tempo:
    """Spreads changes of one message: a few at once, then one a second (Discord: 5 in 5 s)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._free_from = float("-inf")

    async def wait(self) -> None:
        """Return when the next change may go out."""
        now = self._clock.monotonic()
        self._free_from = max(self._free_from, now - _AT_ONCE * _SECONDS_EACH) + _SECONDS_EACH
        if self._free_from > now:
            await self._clock.sleep(self._free_from - now)


class Posted:
    """A message, from its first state to its deletion."""

    def __init__(
        self, place: Place, *, expiry: Expiry, tasks: BackgroundTasks, clock: Clock
    ) -> None:
        self._first_place = self._place = place
        self._expiry = expiry
        self._tasks = tasks
        self._tempo = _Tempo(clock)
        self._wanted: Reply | None = None
        self._worker: asyncio.Task[None] | None = None
        self._end: asyncio.Task[None] | None = None
        self._gone = False
        self.message_id: int | None = None
        """Discord's id once the first state was delivered, else None."""

    @property
    def gone(self) -> bool:
        """Whether it was deleted, by us or by somebody else."""
        return self._gone

    @property
    def used(self) -> bool:
        """Whether it was ever shown anything, or removed."""
        return self._worker is not None or self._gone

    def show(self, reply: Reply) -> None:
        """Make `reply` the state that members see; return at once."""
        if self._gone:
            return
        self._wanted = reply
        if self._end is not None:
            self._end.cancel()
            self._end = None
        if self._worker is None or self._worker.done():
            self._worker = self._tasks.start(self._deliver(), name="show a message")

    def through(self, place: Callable[[Place], Place]) -> None:
        """Make changes from now on through the place that `place` makes of the first one."""
        self._place = place(self._first_place)

    async def settled(self) -> bool:
        """Wait until the newest state is shown or given up; say whether the message stands."""
        while self._worker is not None and not self._worker.done():
            await asyncio.wait((self._worker,))
        return self.message_id is not None and not self._gone

    async def remove(self) -> None:
        """Delete it, whatever its state is; wait until that is done."""
        self._wanted = None
        await self.settled()
        if self._end is not None:
            self._end.cancel()
            self._end = None
        await self._delete()

    def remove_soon(self) -> None:
        """Delete it beside the caller."""
        self._tasks.start(self.remove(), name="remove a message")

    async def _deliver(self) -> None:
        shown: Reply | None = None
        while (reply := await self._next_state()) is not None:
            try:
                await self._put(reply)
            except MessageGone:
                self._gone = True
                return
            except ChannelBusy:
                _log.debug("%r was not shown: too much is said there", reply.title)
            except Undelivered as error:
                _log.warning("%r was not shown: %s", reply.title, error)
            else:
                shown = reply
        if shown is not None and shown.lifetime is not None and not self._gone:
            self._end = self._expiry.schedule(shown.lifetime, self._delete)

    async def _next_state(self) -> Reply | None:
        if self._wanted is not None:
            await self._tempo.wait()
        reply, self._wanted = self._wanted, None
        return reply

    async def _put(self, reply: Reply) -> None:
        if self.message_id is None:
            passing = reply.lifetime is not None
            self.message_id = await self._place.send(reply.body(), passing=passing)
        else:
            await self._place.edit(self.message_id, reply.body())

    async def _delete(self) -> None:
        if self.message_id is None or self._gone:
            return
        self._gone = True
        try:
            await self._place.delete(self.message_id)
        except Undelivered as error:
            _log.info("a message was kept: %s", error)


class Messages:
    """Makes messages, and owns the work behind them."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._expiry = Expiry(clock)
        self._tasks = BackgroundTasks("messages")

    def in_channel(self, channel_id: int) -> Posted:
        """Return a message that goes to a channel as soon as it is shown something."""
        return self.at(ChannelPlace(self._outbox, channel_id))

    def at(self, place: Place) -> Posted:
        """Return a message that goes to `place` as soon as it is shown something."""
        return Posted(place, expiry=self._expiry, tasks=self._tasks, clock=self._clock)

    def delete_later(self, channel_id: int, message_id: int, *, seconds: float) -> None:
        """Delete a message that somebody else wrote, where that is allowed."""
        self._expiry.schedule(seconds, lambda: self._outbox.delete(channel_id, message_id))

    async def close(self) -> None:
        """Stop sending, and delete now what would have been deleted later."""
        await self._tasks.close()
        await self._expiry.close()
