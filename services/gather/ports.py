"""What a gathering needs of the world: a place to be stored, and a stage to be seen on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.gather.attendance import Attendance, MemberStats
from services.gather.events import Event
from services.gather.gathering import Gathering, Notice


@dataclass(frozen=True, slots=True)
class DatedEvent:
    """An event as it is kept in the log."""

    event: Event
    at: datetime


class GatherStore(Protocol):
    """Gatherings, their events and the attendance ledger; every method is one transaction.

    All methods raise `StorageUnavailable` when the database does not take them.
    """

    async def load(self) -> Sequence[Gathering]:
        """Return the gatherings that are not done, of all guilds."""
        ...

    async def get(self, gathering_id: int) -> Gathering | None:
        """Return one gathering, whatever its state is."""
        ...

    async def add(self, gathering: Gathering, events: Sequence[DatedEvent]) -> Gathering:
        """Store a new gathering and return it with its id.

        Raises:
            AlreadyGathering: the guild has an open one.
        """
        ...

    async def save(
        self,
        gathering: Gathering,
        events: Sequence[DatedEvent],
        *,
        ledger: Sequence[Attendance] = (),
    ) -> None:
        """Store a gathering's new state, what led to it, and, once, who attended."""
        ...

    async def stats(self, guild_id: int, user_id: int, *, now: datetime) -> MemberStats:
        """Return how a member attended."""
        ...


class MayNotDisconnect(Exception):
    """Discord does not allow the bot to take that member out of the channel."""


class NotDone(Exception):
    """Discord did not do it; it may do it later."""


class GatherStage(Protocol):
    """Where a gathering is seen and acts."""

    def name_of(self, guild_id: int, user_id: int) -> str | None:
        """Return what the member is called in the guild, None where nobody knows."""
        ...

    def show(self, gathering: Gathering, *, on_post: Callable[[int], None]) -> None:
        """Make this the state that members will see; return at once.

        `on_post` gets the message's id when it was posted, also anew after it was deleted.
        """
        ...

    async def post(self, gathering: Gathering, notice: Notice) -> None:
        """Send an owed message; repeating it soon does not show it twice."""
        ...

    async def ghost_ping(self, gathering: Gathering, user_ids: Sequence[int]) -> tuple[int, ...]:
        """Mention members and return the ids of the messages, to be deleted.

        Repeating it soon for the same `gathering.ping` mentions nobody twice.
        """
        ...

    async def delete_pings(
        self, gathering: Gathering, message_ids: Sequence[int]
    ) -> tuple[int, ...]:
        """Delete ghost pings; return those that are still there."""
        ...

    async def disconnect(self, gathering: Gathering, user_id: int) -> None:
        """Take a member out of the gathering's voice channel; fine when they are not in it.

        Raises:
            MayNotDisconnect: a permission is missing.
            NotDone: Discord does not do it now.
        """
        ...

    def forget(self, gathering: Gathering) -> None:
        """Drop what is remembered of a gathering that is done."""
        ...
