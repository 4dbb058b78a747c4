"""A stage that remembers what was shown, said and done; it can fail, wait, and know names."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from datetime import datetime

from services.gather.gathering import Gathering, Notice
from services.gather.ports import MayNotDisconnect


class FakeStage:
    """Discord as a gathering sees it."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.shown: list[Gathering] = []
        self.said: list[Notice] = []
        self.pinged: list[tuple[int, ...]] = []
        self.standing_pings: set[int] = set()
        self.disconnected: list[int] = []
        self.disconnect_failures: list[Exception] = []
        """Raised one after the other, before disconnects succeed."""
        self.held: asyncio.Event | None = None
        """Disconnects wait for it while it is set."""
        self.hangs = False
        """Whether messages are neither sent nor deleted: the process dies over it."""
        self.forgotten: list[int] = []
        self.on_disconnect: Callable[[int], None] = lambda _user_id: None
        self._ids = itertools.count(5000)
        self._messages: dict[int, int] = {}
        self._pings: dict[tuple[int, datetime], int] = {}

    def forbid_disconnects(self) -> None:
        """Take the permission to move members away, for good."""
        self.disconnect_failures = [MayNotDisconnect("no permission")] * 100

    @property
    def last(self) -> Gathering:
        """The newest state that was shown."""
        return self.shown[-1]

    def name_of(self, guild_id: int, user_id: int) -> str | None:
        return self.names.get(user_id)

    def show(self, gathering: Gathering, *, on_post: Callable[[int], None]) -> None:
        self.shown.append(gathering)
        if gathering.message_id is None and gathering.id not in self._messages:
            self._messages[gathering.id] = next(self._ids)
            on_post(self._messages[gathering.id])

    async def post(self, gathering: Gathering, notice: Notice) -> None:
        await self._way()
        self.said.append(notice)

    async def ghost_ping(self, gathering: Gathering, user_ids: Sequence[int]) -> tuple[int, ...]:
        await self._way()
        assert gathering.ping is not None
        known = self._pings.get((gathering.id, gathering.ping.due))
        if known is None:
            self.pinged.append(tuple(user_ids))
            known = self._pings[gathering.id, gathering.ping.due] = next(self._ids)
            self.standing_pings.add(known)
        return (known,)

    async def delete_pings(
        self, gathering: Gathering, message_ids: Sequence[int]
    ) -> tuple[int, ...]:
        await self._way()
        self.standing_pings -= set(message_ids)
        return ()

    async def disconnect(self, gathering: Gathering, user_id: int) -> None:
        if self.held is not None:
            await self.held.wait()
        if self.disconnect_failures:
            raise self.disconnect_failures.pop(0)
        self.disconnected.append(user_id)
        self.on_disconnect(user_id)

    async def _way(self) -> None:
        await asyncio.sleep(0)
        if self.hangs:
            await asyncio.get_running_loop().create_future()

    def forget(self, gathering: Gathering) -> None:
        self.forgotten.append(gathering.id)
