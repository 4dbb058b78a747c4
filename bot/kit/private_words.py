"""Words that only the member reads who clicked, and not again and again."""

import logging
from collections import OrderedDict

from bot.kit.clicks.click import Click
from bot.kit.outbox import Undelivered
from bot.kit.replies import Reply, refused
from services.clock import Clock

_log = logging.getLogger(__name__)

_EVERY_SECONDS = 5.0
_REMEMBERED = 4096


class PrivateWords:
    """Answers clicks privately; a member is refused at most once in 5 s."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refused_at: OrderedDict[int, float] = OrderedDict()

    async def refuse(self, click: Click, sentence: str) -> None:
        """Say why a click had no effect, unless the member was refused a moment ago."""
        now = self._clock.monotonic()
        last = self._refused_at.get(click.user_id)
        if last is not None and now - last < _EVERY_SECONDS:
            return
        self._refused_at[click.user_id] = now
        self._refused_at.move_to_end(click.user_id)
        if len(self._refused_at) > _REMEMBERED:
            self._refused_at.popitem(last=False)
        await self.say(click, refused("⛔ That cannot be done", sentence))

    async def say(self, click: Click, reply: Reply) -> None:
        """Say something; a click whose acknowledgement failed cannot be answered."""
        if not click.acknowledged:
            return
        try:
            await click.answer.follow_up(reply.body(), private=True)
        except Undelivered as error:
            _log.info("a member was not told %r: %s", reply.title, error)
