"""One gathering at work: takes what happens in its order, stores it, then does what follows.

Everything that happens is put into an inbox, at once and without waiting. One worker takes what
waits there, applies it, stores the new state with the events in one transaction, and only then
performs the effects; what comes meanwhile waits and shares the next transaction, so two hundred
clicks at once cost a few. A database that does not answer holds the inbox up and loses nothing.

Effects run beside the worker: a message edit, a voice disconnect or a ping never delays the next
click. Those that must not get lost leave a trace in the state (`leaving`, `owed`, `ping`) and
are taken up again by `came_back` after a restart.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from services.background import BackgroundTasks
from services.clock import Clock
from services.db.errors import StorageUnavailable
from services.gather.attendance import Attendance, ledger
from services.gather.effects import Answer, Disconnect, Effect, GhostPing, Show
from services.gather.events import (
    CameBack,
    ChannelGone,
    Disconnected,
    DisconnectRefused,
    Event,
    Ticked,
)
from services.gather.gathering import (
    Change,
    Gathering,
    MessagePosted,
    Note,
    Notice,
    NoticePaid,
    Occurrence,
    Ping,
    PingDeleted,
    PingPosted,
)
from services.gather.ports import DatedEvent, GatherStage, GatherStore, MayNotDisconnect, NotDone
from services.gather.session import GRACE, Phase

_log = logging.getLogger(__name__)

_STORE_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between tries while the database does not answer; the last one repeats."""
_DISCONNECT_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds between tries to take a member out of the channel."""
_TOGETHER = 100
"""So many occurrences share a transaction."""
_NONCE_LIFE = timedelta(minutes=2)
"""For so long Discord surely knows what it has sent under a nonce ("a few minutes")."""
_PING_SECONDS = 0.7
"""How long a ghost ping stands."""
_LATER_REFRESH = timedelta(seconds=30)
"""After the grace the message shows how long it has been, so often."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an occurrence: the gathering then, and what its cause is to be told."""

    gathering: Gathering
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Around:
    """What a running gathering works with."""

    store: GatherStore
    stage: GatherStage
    clock: Clock
    may_ping: Callable[[int], bool]
    """Takes from a guild's budget of ghost pings; False when it is used up."""
    refresh_s: Callable[[], float]
    """Seconds between refreshes of a message that counts down."""
    on_done: Callable[["RunningGathering"], None]


@dataclass(frozen=True, slots=True)
class _Item:
    occurrence: Occurrence
    at: datetime
    names: Mapping[int, str]
    result: asyncio.Future[Result] = field(repr=False)


class RunningGathering:
    """A gathering from its start, or from a restart, until all is said about its end."""

    def __init__(self, gathering: Gathering, around: Around) -> None:
        self.gathering = gathering
        """As it is stored."""
        self._around = around
        self._inbox: deque[_Item] = deque()
        self._tasks = BackgroundTasks(f"work of a gathering in guild {gathering.guild_id}")
        self._timers = BackgroundTasks(f"timer of a gathering in guild {gathering.guild_id}")
        self._worker: asyncio.Task[None] | None = None
        self._alarm: asyncio.Task[None] | None = None
        self._disconnecting: set[int] = set()
        self._awake = False
        self._resting = False

    # ── from outside ────────────────────────────────────────────────────────
    def tell(
        self,
        occurrence: Occurrence,
        *,
        at: datetime | None = None,
        names: Mapping[int, str] | None = None,
    ) -> asyncio.Future[Result]:
        """Let something happen; it has been put into its place when this returns.

        The future's result is there when it was stored.
        """
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        result.add_done_callback(lambda done: done.cancelled() or done.exception())
        moment = self._around.clock.now() if at is None else at
        self._inbox.append(_Item(occurrence, moment, names or {}, result))
        self._go_on()
        return result

    async def begin(self) -> None:
        """Store a new gathering and start it.

        Raises:
            AlreadyGathering: the guild has an open one in the database.
            StorageUnavailable: it was not stored.
        """
        now = self._around.clock.now()
        change = Change(self.gathering.entered(), (Show(),))
        events: list[DatedEvent] = []
        if self.gathering.session.starts_at <= now:
            change = change.gathering.after(Ticked(), now)
            events = [DatedEvent(Ticked(), now)]
        named = self._named(change.gathering)
        self.gathering = await self._around.store.add(named, events)
        self._awake = True
        self._perform(change.effects)
        self._set_alarm()
        self._go_on()

    def wake(self) -> None:
        """Begin to work through the inbox."""
        self._awake = True
        self._go_on()

    def came_back(self, present: frozenset[int] | None) -> None:
        """Go on after the bot was away; `present` is None where a channel is gone."""
        if not self._awake:
            self._awake = True
            for notice in sorted(self.gathering.owed):
                self._pay(notice)
            if self.gathering.ping is not None:
                self._tasks.start(self._finish_ping(self.gathering.ping), name="finish a ping")
        self.tell(ChannelGone() if present is None else CameBack(present))

    async def close(self, *, within: float) -> None:
        """Store what waits and end what is under way, for at most `within` seconds.

        What happens afterwards is stored when this is called again, and done at the next start.
        """
        self._resting = True
        await self._timers.close()
        if not await self._tasks.settle(within=within):
            _log.info("a gathering in guild %d goes on at the next start", self.gathering.guild_id)
        await self._tasks.close()

    # ── the worker ──────────────────────────────────────────────────────────
    def _go_on(self) -> None:
        if self._worker is None and self._inbox and self._awake:
            self._worker = self._tasks.start(self._work(), name="store and do")

    async def _work(self) -> None:
        failures = 0
        try:
            while self._inbox:
                if await self._take(tuple(islice(self._inbox, _TOGETHER))):
                    failures = 0
                    continue
                pause = _STORE_PAUSES[min(failures, len(_STORE_PAUSES) - 1)]
                failures += 1
                await self._around.clock.sleep(pause)
        finally:
            self._worker = None
        if self.gathering.done:
            await self._timers.close()
            self._around.on_done(self)

    async def _take(self, batch: Sequence[_Item]) -> bool:
        """Apply and store these occurrences; False when the database does not take them now."""
        changes = self._applied(batch)
        last = changes[-1].gathering
        events = [
            DatedEvent(item.occurrence, item.at)
            for item in batch
            if not isinstance(item.occurrence, Note)
        ]
        try:
            if last != self.gathering or events:
                await self._around.store.save(last, events, ledger=_ledger(self.gathering, last))
        except StorageUnavailable as error:
            _log.warning("a gathering in guild %d is not stored yet: %s", last.guild_id, error)
            return False
        except Exception as error:
            for item in batch:
                self._inbox.popleft()
                if not item.result.done():
                    item.result.set_exception(error)
            raise
        self._stored(batch, changes)
        return True

    def _applied(self, batch: Sequence[_Item]) -> list[Change]:
        changes: list[Change] = []
        gathering = self.gathering
        for item in batch:
            changes.append(gathering.known_as(item.names).after(item.occurrence, item.at))
            gathering = changes[-1].gathering
        changes[-1] = replace(changes[-1], gathering=self._named(gathering))
        return changes

    def _stored(self, batch: Sequence[_Item], changes: Sequence[Change]) -> None:
        before, self.gathering = self.gathering, changes[-1].gathering
        for item, change in zip(batch, changes, strict=True):
            self._inbox.popleft()
            if not item.result.done():
                item.result.set_result(Result(change.gathering, change.answer))
        if self._resting:
            return
        self._perform([effect for change in changes for effect in change.effects])
        for notice in sorted(self.gathering.owed - before.owed):
            self._pay(notice)
        if self.gathering.session.wakes_at != before.session.wakes_at or self._alarm is None:
            self._set_alarm()

    def _named(self, gathering: Gathering) -> Gathering:
        """Look up how newcomers are called."""
        session = gathering.session
        people = session.expected | session.attendees.keys()
        name_of = self._around.stage.name_of
        found = {
            user_id: name
            for user_id in people - gathering.names.keys()
            if (name := name_of(gathering.guild_id, user_id)) is not None
        }
        return gathering.known_as(found)

    # ── time ────────────────────────────────────────────────────────────────
    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self.gathering.open:
            self._alarm = self._timers.start(self._wake(), name="wait")

    async def _wake(self) -> None:
        """Keep the message fresh, and tick when the session wants it; the only timer there is."""
        clock = self._around.clock
        while (tick := self.gathering.session.wakes_at) is not None:
            due = min(tick, clock.now() + self._refresh_in())
            while (left := (due - clock.now()).total_seconds()) > 0:
                await clock.sleep(left)
            if due == tick:
                self._alarm = None  # what follows from the tick sets the next one
                self.tell(Ticked())
                return
            self._show()

    def _refresh_in(self) -> timedelta:
        session = self.gathering.session
        grace_ends = session.starts_at + GRACE
        counts_down = session.phase is Phase.COUNTDOWN or self._around.clock.now() < grace_ends
        return timedelta(seconds=self._around.refresh_s()) if counts_down else _LATER_REFRESH

    # ── effects ─────────────────────────────────────────────────────────────
    def _perform(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Disconnect(user_id) if user_id not in self._disconnecting:
                    self._disconnecting.add(user_id)
                    self._tasks.start(self._disconnect(user_id), name="disconnect a member")
                case GhostPing():
                    self._tasks.start(self._ghost_ping(), name="ghost ping")
        if any(isinstance(effect, Show) for effect in effects):
            self._show()

    def _show(self) -> None:
        self._around.stage.show(
            self.gathering, on_post=lambda message_id: self._note(MessagePosted(message_id))
        )

    def _note(self, note: Note) -> None:
        self.tell(note)

    def _pay(self, notice: Notice) -> None:
        self._tasks.start(self._send(notice), name=f"say: {notice}")

    async def _send(self, notice: Notice) -> None:
        await self._around.stage.post(self.gathering, notice)
        self._note(NoticePaid(notice))

    async def _disconnect(self, user_id: int) -> None:
        """Take a member out of the channel unless they came back by themselves."""
        try:
            event = await self._disconnected(user_id)
        finally:
            self._disconnecting.discard(user_id)
        if event is not None:
            self.tell(event)

    async def _disconnected(self, user_id: int) -> Event | None:
        for pause in (*_DISCONNECT_PAUSES, None):
            if user_id not in self.gathering.session.leaving:
                return None
            try:
                await self._around.stage.disconnect(self.gathering, user_id)
            except MayNotDisconnect:
                break
            except NotDone as error:
                _log.info("a member is not disconnected yet: %s", error)
                if pause is not None:
                    await self._around.clock.sleep(pause)
            else:
                return Disconnected(user_id)
        return DisconnectRefused(user_id)

    async def _ghost_ping(self) -> None:
        gathering = self.gathering
        session = gathering.session
        wanted = gathering.open and session.pings_on and session.missing
        if gathering.ping is None or not wanted:
            self._note(PingDeleted())
            return
        message_ids = gathering.ping.message_ids
        if self._around.may_ping(gathering.guild_id):
            message_ids += await self._around.stage.ghost_ping(gathering, session.missing)
            self._note(PingPosted(message_ids))
            await self._around.clock.sleep(_PING_SECONDS)
        await self._delete_ping(message_ids)

    async def _finish_ping(self, ping: Ping) -> None:
        """Delete a ping that a crash left standing, also one whose message is not known."""
        message_ids = ping.message_ids
        if not message_ids and self._around.clock.now() - ping.due < _NONCE_LIFE:
            missing = self.gathering.session.missing if self.gathering.open else ()
            message_ids = await self._around.stage.ghost_ping(self.gathering, missing)
        await self._around.stage.delete_pings(self.gathering, message_ids)
        self._note(PingDeleted())

    async def _delete_ping(self, message_ids: tuple[int, ...]) -> None:
        left = await self._around.stage.delete_pings(self.gathering, message_ids)
        self._note(PingPosted(left) if left else PingDeleted())


def _ledger(before: Gathering, after: Gathering) -> Sequence[Attendance]:
    """Return who attended, in the transaction that closes the gathering and in no other."""
    return ledger(after) if before.open and not after.open else ()
