"""Gatherings kept in memory as they would be on disk; it can fail, wait, and lose power."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.gather import codec
from services.gather.attendance import (
    PERIODS,
    Attendance,
    MemberStats,
    PastGathering,
    record_of,
)
from services.gather.errors import AlreadyGathering
from services.gather.gathering import Gathering
from services.gather.ports import DatedEvent


class MemoryGatherStore:
    """Forgets nothing but what `failures` says; gatherings go through the codec."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._stored: dict[int, Gathering] = {}
        self._ledgers: dict[int, list[Attendance]] = {}
        self.events: list[DatedEvent] = []
        self.writes = 0
        self.failures: list[Exception] = []
        """Raised one after the other by attempts to store."""
        self.forgets_messages = False
        """Lose the ids of posted messages, as a process does that dies right after posting."""
        self.held: asyncio.Event | None = None
        """Attempts to store wait for it while it is set."""

    async def load(self) -> Sequence[Gathering]:
        return [gathering for gathering in self._stored.values() if not gathering.done]

    async def get(self, gathering_id: int) -> Gathering | None:
        await asyncio.sleep(0)
        return self._stored.get(gathering_id)

    async def add(self, gathering: Gathering, events: Sequence[DatedEvent]) -> Gathering:
        await self._way()
        if any(g.open and g.guild_id == gathering.guild_id for g in self._stored.values()):
            raise AlreadyGathering
        numbered = gathering.numbered(next(self._ids))
        self._keep(numbered, events)
        return numbered

    async def save(
        self,
        gathering: Gathering,
        events: Sequence[DatedEvent],
        *,
        ledger: Sequence[Attendance] = (),
    ) -> None:
        await self._way()
        self._keep(gathering, events)
        if ledger:
            assert gathering.id not in self._ledgers, "the ledger was written twice"
            self._ledgers[gathering.id] = list(ledger)

    async def stats(self, guild_id: int, user_id: int, *, now: datetime) -> MemberStats:
        lines = [
            (self._stored[gathering_id].session.starts_at, line)
            for gathering_id, ledger in self._ledgers.items()
            for line in ledger
            if line.user_id == user_id and self._stored[gathering_id].guild_id == guild_id
        ]
        records = []
        for period in PERIODS:
            counted = [line for at, line in lines if period is None or at >= now - period]
            keys = [(line.outcome, line.late_s) for line in counted]
            records.append(record_of({key: keys.count(key) for key in keys}))
        recent = [
            PastGathering(held_at=at, outcome=line.outcome, late_s=line.late_s)
            for at, line in reversed(lines)
        ]
        return MemberStats(records=tuple(records), recent=tuple(recent))

    def ledger(self, gathering_id: int) -> list[Attendance]:
        """Return who attended a gathering that has ended."""
        return self._ledgers.get(gathering_id, [])

    def _keep(self, gathering: Gathering, events: Sequence[DatedEvent]) -> None:
        if self.forgets_messages:
            gathering = replace(gathering, message_id=None)
        session = gathering.session
        columns = {
            "id": gathering.id,
            "guild_id": gathering.guild_id,
            "voice_channel_id": gathering.voice_channel_id,
            "text_channel_id": gathering.text_channel_id,
            "message_id": gathering.message_id,
            "author_id": session.author_id,
            "created_at": session.created_at,
            "starts_at": session.starts_at,
            "closed_at": session.closed_at,
            "phase": session.phase.value,
            "ending": session.ending.value if session.ending else None,
        }
        self._stored[gathering.id] = codec.load(codec.dump(gathering), columns=columns)
        self.events += events
        self.writes += 1

    async def _way(self) -> None:
        await asyncio.sleep(0)
        if self.held is not None:
            await self.held.wait()
        if self.failures:
            raise self.failures.pop(0)
