"""An evening in one guild: people in a voice channel, a store, a stage, and a bot that can die."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from services.gather.events import Event
from services.gather.gather_service import Beginning, GatherService
from services.gather.gathering import Gathering
from services.gather.ports import GatherStage, GatherStore
from services.gather.running import Result
from services.gather.session import Phase
from tests.fakes.gather_stage import FakeStage
from tests.fakes.gather_store import MemoryGatherStore
from tests.fakes.manual_clock import ManualClock, settle

GUILD, VOICE, OTHER_VOICE, TEXT = 10, 70, 71, 20
AUTHOR, ADA, BEN, CLEO = 1, 2, 3, 4
NAMES = {AUTHOR: "Zoe", ADA: "Ada", BEN: "Ben", CLEO: "Cleo"}


class Evening:
    """What people do, and what comes of it; on the clock that a test turns."""

    def __init__(self, *inside: int) -> None:
        self.clock = ManualClock()
        self.memory = MemoryGatherStore()
        self.stage = FakeStage()
        self.stage.names = dict(NAMES)
        self.stage.on_disconnect = self.leaves
        self.inside = {AUTHOR, *inside}
        self.service = self._new_bot()
        self.gathering_id = 0

    def _outside_world(self) -> tuple[GatherStore, GatherStage]:
        return self.memory, self.stage

    def _new_bot(self) -> GatherService:
        store, stage = self._outside_world()
        return GatherService(store=store, stage=stage, clock=self.clock)

    # ── the gathering ───────────────────────────────────────────────────────
    async def begins(self, minutes: float = 0, *, quorum: int | None = None) -> Gathering:
        starting = await self.begins_soon(minutes, quorum=quorum)
        return await starting

    async def begins_soon(
        self, minutes: float = 0, *, quorum: int | None = None
    ) -> asyncio.Task[Gathering]:
        """Give the command; it may never be carried out."""
        starts_at = self.clock.now() + timedelta(minutes=minutes) if minutes else None
        beginning = Beginning(
            guild_id=GUILD,
            voice_channel_id=VOICE,
            text_channel_id=TEXT,
            author_id=AUTHOR,
            present=frozenset(self.inside),
            starts_at=starts_at,
            quorum=quorum,
            names=NAMES,
        )
        starting = asyncio.ensure_future(self._start(beginning))
        starting.set_name("start of a gathering")
        await settle()
        return starting

    async def _start(self, beginning: Beginning) -> Gathering:
        gathering = await self.service.start(beginning)
        self.gathering_id = gathering.id
        return gathering

    def now(self) -> Gathering:
        gathering = self.service.find(GUILD)
        assert gathering is not None
        return gathering

    async def happens(self, event: Event) -> Result:
        result = self.service.submit(GUILD, event)
        await settle()
        return result.result()

    def phase(self) -> Phase:
        """Return the phase that the message shows."""
        return self.stage.last.session.phase

    def shown(self, user_id: int) -> str:
        """Return the state of a member that the message shows."""
        return self.stage.last.session.attendees[user_id].status.value

    def lateness(self, user_id: int) -> float:
        session = self.stage.last.session
        return session.lateness(session.attendees[user_id]).total_seconds()

    # ── people ──────────────────────────────────────────────────────────────
    def joins(self, user_id: int) -> None:
        self.inside.add(user_id)
        self.service.changed_channel(GUILD, user_id, left=None, joined=VOICE)

    def leaves(self, user_id: int) -> None:
        self.inside.discard(user_id)
        self.service.changed_channel(GUILD, user_id, left=VOICE, joined=None)

    # ── the bot ─────────────────────────────────────────────────────────────
    async def passes(self, seconds: float) -> None:
        await self.clock.advance(seconds)

    async def killed(self, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Lose the process without a word, let things happen unseen, and start another one."""
        self.service = GatherService(
            store=MemoryGatherStore(), stage=FakeStage(), clock=ManualClock()
        )
        await _kill_tasks()
        meanwhile()
        self.stage.hangs = False
        self.service = self._new_bot()
        await self.service.restore()
        self.comes_back()
        await settle()

    def comes_back(self) -> None:
        """Do what the bot does when Discord has told it of the guild."""
        self.service.came_back(GUILD, lambda _gathering: frozenset(self.inside))

    async def close(self) -> None:
        await _kill_tasks()


async def _kill_tasks() -> None:
    """End what the gatherings do, wherever they are."""
    doomed = [task for task in asyncio.all_tasks() if "of a gathering" in task.get_name()]
    for task in doomed:
        task.cancel()
    await asyncio.gather(*doomed, return_exceptions=True)
