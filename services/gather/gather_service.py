"""All gatherings of this process: begins them, finds them, hands on what happens, takes them up."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.clock import Clock
from services.gather.attendance import MemberStats
from services.gather.errors import AlreadyGathering, NoGathering
from services.gather.events import AskedForSubstitute, Event, JoinedChannel, LeftChannel
from services.gather.gathering import Gathering
from services.gather.ports import GatherStage, GatherStore
from services.gather.running import Around, Result, RunningGathering
from services.gather.session import PING_EVERY, GatherSession, Phase

_log = logging.getLogger(__name__)

_REFRESH_SECONDS = 5.0
_REFRESHES_A_SECOND = 20.0
"""What all countdowns together may take of the 50 requests a second that Discord allows."""
_CLOSE_SECONDS = 2.0

type Present = Callable[[Gathering], frozenset[int] | None]
"""Who is in a gathering's voice channel now; None where one of its channels is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a new gathering is to be."""

    guild_id: int
    voice_channel_id: int
    text_channel_id: int
    author_id: int
    present: frozenset[int]
    """People, no bots, in the voice channel."""
    starts_at: datetime | None
    """When the check-in starts; None for at once."""
    quorum: int | None = None
    names: Mapping[int, str]


class GatherService:
    """One gathering a guild, and those that ended and are not done yet."""

    def __init__(self, *, store: GatherStore, stage: GatherStage, clock: Clock) -> None:
        self._store = store
        self._stage = stage
        self._clock = clock
        self._of_guild: dict[int, list[RunningGathering]] = {}
        self._pinged_at: dict[int, float] = {}
        self._around = Around(
            store=store,
            stage=stage,
            clock=clock,
            may_ping=self._may_ping,
            refresh_s=self._refresh_seconds,
            on_done=self._done,
        )

    # ── life ────────────────────────────────────────────────────────────────
    async def restore(self) -> None:
        """Take up the gatherings that are not done; they sleep until `came_back`.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        for gathering in await self._store.load():
            self._keep(RunningGathering(gathering, self._around))

    def came_back(self, guild_id: int, present: Present) -> None:
        """Go on in a guild after the bot, or its connection to Discord, was away."""
        for running in list(self._of_guild.get(guild_id, ())):
            running.came_back(present(running.gathering))

    async def close(self) -> None:
        """Store what waits; the gatherings go on at the next start."""
        await asyncio.gather(*(r.close(within=_CLOSE_SECONDS) for r in self._all()))

    # ── use cases ───────────────────────────────────────────────────────────
    async def start(self, beginning: Beginning) -> Gathering:
        """Begin a gathering.

        Raises:
            AlreadyGathering: the guild has one.
            StorageUnavailable: it was not stored, and there is none.
        """
        if self.find(beginning.guild_id) is not None:
            raise AlreadyGathering
        running = RunningGathering(_new(beginning, now=self._clock.now()), self._around)
        self._keep(running)  # from here on nothing that happens in the channel is missed
        try:
            await running.begin()
        except BaseException:
            self._drop(running)
            await running.close(within=0)
            raise
        return running.gathering

    def find(self, guild_id: int) -> Gathering | None:
        """Return the guild's gathering that goes on, None where there is none."""
        running = self._open(guild_id)
        return None if running is None else running.gathering

    def at_work(self, guild_id: int, gathering_id: int) -> Gathering | None:
        """Return a gathering that goes on, or has ended and is not done yet."""
        running = self._numbered(guild_id, gathering_id)
        return None if running is None else running.gathering

    def submit(
        self,
        guild_id: int,
        event: Event,
        *,
        names: Mapping[int, str] | None = None,
    ) -> asyncio.Future[Result]:
        """Let something happen to the guild's gathering; the result is there when it is stored.

        Raises:
            NoGathering: there is none.
        """
        running = self._open(guild_id)
        if running is None:
            raise NoGathering
        return running.tell(event, names=names)

    def click(
        self, guild_id: int, gathering_id: int, event: Event, *, at: datetime
    ) -> asyncio.Future[Result] | None:
        """Let a click on a gathering's message happen; None where that gathering is done."""
        running = self._numbered(guild_id, gathering_id)
        return None if running is None else running.tell(event, at=at)

    async def ask_for_substitute(
        self, guild_id: int, gathering_id: int, *, by: int
    ) -> Result | None:
        """Ask who comes in the place of the missing, also after the gathering's end.

        None where there is no such gathering in the guild.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        event = AskedForSubstitute(by)
        asked = self.click(guild_id, gathering_id, event, at=self._clock.now())
        if asked is None:
            running = await self._taken_up_again(guild_id, gathering_id)
            asked = None if running is None else running.tell(event)
        return None if asked is None else await asked

    def changed_channel(
        self, guild_id: int, user_id: int, *, left: int | None, joined: int | None
    ) -> None:
        """Note that a person (no bot) is in another voice channel now."""
        for running in list(self._of_guild.get(guild_id, ())):
            channel_id = running.gathering.voice_channel_id
            if channel_id == left:
                running.tell(LeftChannel(user_id))
            elif channel_id == joined:
                running.tell(JoinedChannel(user_id))

    def happened(
        self, guild_id: int, event: Event, *, where: Callable[[Gathering], bool] | None = None
    ) -> None:
        """Let something happen to the guild's gatherings, or to those that it concerns."""
        for running in list(self._of_guild.get(guild_id, ())):
            if where is None or where(running.gathering):
                running.tell(event)

    async def stats(self, guild_id: int, user_id: int) -> MemberStats:
        """Return how a member attended.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        return await self._store.stats(guild_id, user_id, now=self._clock.now())

    async def _taken_up_again(self, guild_id: int, gathering_id: int) -> RunningGathering | None:
        gathering = await self._store.get(gathering_id)
        if gathering is None or gathering.guild_id != guild_id or not gathering.done:
            return None
        if (quicker := self._numbered(guild_id, gathering_id)) is not None:
            return quicker
        running = RunningGathering(gathering, self._around)
        self._keep(running)
        running.wake()
        return running

    # ── the registry ────────────────────────────────────────────────────────
    def _all(self) -> Iterator[RunningGathering]:
        for gatherings in self._of_guild.values():
            yield from gatherings

    def _open(self, guild_id: int) -> RunningGathering | None:
        return next((r for r in self._of_guild.get(guild_id, ()) if r.gathering.open), None)

    def _numbered(self, guild_id: int, gathering_id: int) -> RunningGathering | None:
        gatherings = self._of_guild.get(guild_id, ())
        return next((r for r in gatherings if r.gathering.id == gathering_id), None)

    def _keep(self, running: RunningGathering) -> None:
        self._of_guild.setdefault(running.gathering.guild_id, []).append(running)

    def _drop(self, running: RunningGathering) -> None:
        guild_id = running.gathering.guild_id
        left = [other for other in self._of_guild.get(guild_id, ()) if other is not running]
        if left:
            self._of_guild[guild_id] = left
        else:
            self._of_guild.pop(guild_id, None)

    def _done(self, running: RunningGathering) -> None:
        self._drop(running)
        self._stage.forget(running.gathering)

    # ── budgets ─────────────────────────────────────────────────────────────
    def _may_ping(self, guild_id: int) -> bool:
        """Allow one ghost ping in a guild's 30 s, however many gatherings follow each other."""
        now = self._clock.monotonic()
        last = self._pinged_at.get(guild_id)
        if last is not None and now - last < PING_EVERY.total_seconds() - 1:
            return False
        self._pinged_at[guild_id] = now
        return True

    def _refresh_seconds(self) -> float:
        """Return 5 s, and more where so many count down that Discord would not take it."""
        counting = sum(1 for running in self._all() if running.gathering.open)
        return max(_REFRESH_SECONDS, counting / _REFRESHES_A_SECOND)


def _new(beginning: Beginning, *, now: datetime) -> Gathering:
    return Gathering(
        guild_id=beginning.guild_id,
        voice_channel_id=beginning.voice_channel_id,
        text_channel_id=beginning.text_channel_id,
        session=GatherSession(
            author_id=beginning.author_id,
            created_at=now,
            starts_at=beginning.starts_at or now,
            present=beginning.present,
            phase=Phase.COUNTDOWN,
            quorum=beginning.quorum,
        ),
        names=beginning.names,
    )
