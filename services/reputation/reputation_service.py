"""Changes reputation, takes changes back within a minute, and shows how everybody stands."""

import logging
from datetime import timedelta

from services.background import BackgroundTasks
from services.clock import Clock
from services.db.errors import StorageUnavailable
from services.reputation.pages import BoardPage, EntryPage
from services.reputation.ports import ReputationStore
from services.reputation.rules import RETRACTABLE, Change, Made, Span, checked

_log = logging.getLogger(__name__)

_LONGEST_SLEEP = timedelta(hours=1)
"""Then the clock is read again: it may have been set, or the machine may have slept."""
_PAUSE_SECONDS = 30.0
"""After the database did not answer."""


class ReputationService:
    """Reputation of all guilds."""

    def __init__(self, store: ReputationStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._tasks = BackgroundTasks("reputation")

    def start(self) -> None:
        """Begin to take old entries out of the spans that move with time."""
        self._tasks.start(self._follow_time(), name="let entries leave their spans")

    async def close(self) -> None:
        """Stop; what has to leave a span leaves it after the next start."""
        await self._tasks.close()

    # ── use cases ───────────────────────────────────────────────────────────
    async def change(self, change: Change) -> Made:
        """Make a change and return the entry with the target's new total.

        Raises:
            Refusal: the rules do not allow it (`services/reputation/errors.py`).
            StorageUnavailable: it was not made.
        """
        return await self._store.add(checked(change), at=self._clock.now())

    async def retract(self, guild_id: int, entry_id: int, *, by: int) -> Made:
        """Take a change back and return it with the target's total then.

        Raises:
            NotRetractable: it is older than a minute, somebody else's, or gone.
            StorageUnavailable: it stays.
        """
        not_before = self._clock.now() - RETRACTABLE
        return await self._store.retract(guild_id, entry_id, by=by, not_before=not_before)

    async def entries(self, guild_id: int, target_id: int, page: int) -> EntryPage:
        """Return a page of a member's entries, or the nearest that exists.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        return await self._store.entry_page(guild_id, target_id, page)

    async def leaderboard(self, guild_id: int, span: Span, page: int) -> BoardPage:
        """Return a page of the leaderboard, or the nearest that exists.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        return await self._store.board_page(guild_id, span, page)

    async def page_of(self, guild_id: int, span: Span, user_id: int) -> int | None:
        """Return the leaderboard's page that shows a member; None where they are on none.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        return await self._store.board_page_of(guild_id, span, user_id)

    # ── time ────────────────────────────────────────────────────────────────
    async def _follow_time(self) -> None:
        """Sleep until the next entry leaves a span; nothing that is added meanwhile leaves sooner.

        A span is days long, so a sleep of an hour at most never oversleeps a new entry.
        """
        while True:
            try:
                seconds = await self._leave()
            except StorageUnavailable as error:
                _log.warning("old reputation is kept in its spans for now: %s", error)
                seconds = _PAUSE_SECONDS
            await self._clock.sleep(seconds)

    async def _leave(self) -> float:
        """Take out what has to go; return the seconds until there is more to do."""
        while await self._store.leave_spans(self._clock.now()):
            await self._clock.sleep(0)
        longest = _LONGEST_SLEEP.total_seconds()
        due = await self._store.next_leaving()
        if due is None:
            return longest
        return min(max((due - self._clock.now()).total_seconds(), 0.0), longest)
