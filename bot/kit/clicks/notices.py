"""Private words to a member whose click has no effect: no click is left without an answer."""

import logging
from collections import OrderedDict

from bot.kit.clicks.click import Click, ModalSubmit
from bot.kit.outbox import MessageGone, Undelivered
from bot.kit.replies import Reply, refused
from services.background import BackgroundTasks
from services.clock import Clock

_log = logging.getLogger(__name__)

_EXPIRED = refused("⌛ This menu has expired, run the command again")
_FOREIGN = refused(
    "🚫 These buttons belong to somebody else", "Run the command yourself to get your own."
)
_FAILED = refused("💥 Something went wrong", "It was logged. Please try again.")

_EVERY_SECONDS = 5.0
_REMEMBERED = 4096


class Notices:
    """Sends ephemeral notices, to each member at most one of a kind in 5 s."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks = BackgroundTasks("notices")
        self._told_at: OrderedDict[tuple[int, str], float] = OrderedDict()
        self._stripped: OrderedDict[int, None] = OrderedDict()

    def expired(self, click: Click) -> None:
        """Say that nobody serves the message any more, and take its buttons away."""
        if self._may_tell(click, _EXPIRED):
            self._tasks.start(_tell(click, _EXPIRED), name="expired")
        if click.message_id not in self._stripped:
            _remember(self._stripped, click.message_id, None)
            self._tasks.start(self._strip(click), name="remove buttons")

    def foreign(self, click: Click) -> None:
        """Say that the menu belongs to somebody else."""
        if self._may_tell(click, _FOREIGN):
            self._tasks.start(_tell(click, _FOREIGN), name="foreign click")

    def expired_form(self, submit: ModalSubmit) -> None:
        """Say that nobody waits for the form any more."""
        self._tasks.start(_tell(submit, _EXPIRED), name="expired form")

    def failed(self, cause: Click | ModalSubmit) -> None:
        """Say that handling it failed."""
        if self._may_tell(cause, _FAILED):
            self._tasks.start(_tell(cause, _FAILED), name="failed")

    async def close(self) -> None:
        """Drop what was not said yet."""
        await self._tasks.close()

    def _may_tell(self, cause: Click | ModalSubmit, words: Reply) -> bool:
        key, now = (cause.user_id, words.title), self._clock.monotonic()
        told_at = self._told_at.get(key)
        if told_at is not None and now - told_at < _EVERY_SECONDS:
            return False
        _remember(self._told_at, key, now)
        return True

    async def _strip(self, click: Click) -> None:
        try:
            await click.answer.edit_original({"components": []})
        except MessageGone:
            _log.debug("a message without a menu is gone already")
        except Undelivered as error:
            self._stripped.pop(click.message_id, None)  # the next click tries again
            _log.info("old buttons were not removed: %s", error)


async def _tell(cause: Click | ModalSubmit, words: Reply) -> None:
    try:
        await cause.answer.follow_up(words.body(), private=True)
    except Undelivered as error:
        _log.info("a member was not told %r: %s", words.title, error)


def _remember[Key, Value](memory: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)
