"""What reputation needs of the world: a place where it is stored."""

from datetime import datetime
from typing import Protocol

from services.reputation.pages import BoardPage, EntryPage
from services.reputation.rules import Change, Made, Span


class ReputationStore(Protocol):
    """Entries and standings; every method is one transaction.

    All methods raise `StorageUnavailable` when the database does not take them.
    """

    async def add(self, change: Change, *, at: datetime) -> Made:
        """Store a change that was checked.

        Raises:
            CoolingDown: there is a newer one of this giver for this target.
        """
        ...

    async def retract(self, guild_id: int, entry_id: int, *, by: int, not_before: datetime) -> Made:
        """Take a change back; its cooldown goes with it.

        Raises:
            NotRetractable: it was made before `not_before`, by somebody else, or is gone.
        """
        ...

    async def entry_page(self, guild_id: int, target_id: int, number: int) -> EntryPage:
        """Return a page of a member's entries, or the nearest that exists."""
        ...

    async def board_page(self, guild_id: int, span: Span, number: int) -> BoardPage:
        """Return a page of the leaderboard, or the nearest that exists."""
        ...

    async def board_page_of(self, guild_id: int, span: Span, user_id: int) -> int | None:
        """Return the number of the page that shows a member; None where they are on none."""
        ...

    async def leave_spans(self, now: datetime) -> bool:
        """Take entries that have become too old out of the moving spans; True: there are more."""
        ...

    async def next_leaving(self) -> datetime | None:
        """Return when the next entry leaves a moving span."""
        ...
