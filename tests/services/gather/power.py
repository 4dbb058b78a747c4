"""A power supply that fails at a chosen step, and a store and a stage that depend on it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from services.gather.attendance import Attendance, MemberStats
from services.gather.gathering import Gathering, Notice
from services.gather.ports import DatedEvent, GatherStage, GatherStore


class Power:
    """Fails once, at step `fails_at`; what waits for it then waits for good."""

    def __init__(self, fails_at: int) -> None:
        self._left = fails_at
        self._failed = False
        self.on = True

    async def step(self) -> None:
        """Take one step, or never come back."""
        self.look()
        if not self.on:
            await asyncio.get_running_loop().create_future()

    def look(self) -> None:
        """Count a step that cannot wait."""
        if self._failed or not self.on:
            return
        self._left -= 1
        if self._left < 0:
            self.on, self._failed = False, True


class PoweredStore:
    """A store in a process that can die before and after each transaction."""

    def __init__(self, store: GatherStore, power: Power) -> None:
        self._store = store
        self._power = power

    async def load(self) -> Sequence[Gathering]:
        return await self._store.load()

    async def get(self, gathering_id: int) -> Gathering | None:
        return await self._store.get(gathering_id)

    async def add(self, gathering: Gathering, events: Sequence[DatedEvent]) -> Gathering:
        await self._power.step()
        added = await self._store.add(gathering, events)
        await self._power.step()
        return added

    async def save(
        self,
        gathering: Gathering,
        events: Sequence[DatedEvent],
        *,
        ledger: Sequence[Attendance] = (),
    ) -> None:
        await self._power.step()
        await self._store.save(gathering, events, ledger=ledger)
        await self._power.step()

    async def stats(self, guild_id: int, user_id: int, *, now: datetime) -> MemberStats:
        return await self._store.stats(guild_id, user_id, now=now)


class PoweredStage:
    """A stage of a process that can die before and after each effect."""

    def __init__(self, stage: GatherStage, power: Power) -> None:
        self._stage = stage
        self._power = power

    def name_of(self, guild_id: int, user_id: int) -> str | None:
        return self._stage.name_of(guild_id, user_id)

    def show(self, gathering: Gathering, *, on_post: Callable[[int], None]) -> None:
        self._power.look()
        if self._power.on:
            self._stage.show(gathering, on_post=on_post)

    async def post(self, gathering: Gathering, notice: Notice) -> None:
        await self._power.step()
        await self._stage.post(gathering, notice)
        await self._power.step()

    async def ghost_ping(self, gathering: Gathering, user_ids: Sequence[int]) -> tuple[int, ...]:
        await self._power.step()
        pings = await self._stage.ghost_ping(gathering, user_ids)
        await self._power.step()
        return pings

    async def delete_pings(
        self, gathering: Gathering, message_ids: Sequence[int]
    ) -> tuple[int, ...]:
        await self._power.step()
        left = await self._stage.delete_pings(gathering, message_ids)
        await self._power.step()
        return left

    async def disconnect(self, gathering: Gathering, user_id: int) -> None:
        await self._power.step()
        await self._stage.disconnect(gathering, user_id)
        await self._power.step()

    def forget(self, gathering: Gathering) -> None:
        self._stage.forget(gathering)
