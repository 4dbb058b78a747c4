"""Reputation in any order of changes, retractions and days, against a plain list of entries."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.db.engine import open_engine
from services.db.schema import upgrade
from services.db.unit_of_work import UnitOfWork
from services.reputation.errors import CoolingDown, NotRetractable
from services.reputation.repository import ReputationRepository
from services.reputation.rules import COOLDOWN, RETRACTABLE, Change, Entry, Span

GUILD = 10
MEMBERS = st.integers(1, 14)
DURATIONS = st.sampled_from(
    [timedelta(seconds=30), timedelta(minutes=10), timedelta(days=3), timedelta(days=16)]
)


@cache
def template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="reputation-")) / "template.db"
    asyncio.run(upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


class ReputationMachine(RuleBasedStateMachine):
    """After each step every page says what the plain list says."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="reputation-")
        path = Path(shutil.copy(template(), self._folder.name))
        self._runner = asyncio.Runner()
        self._unit_of_work = UnitOfWork(open_engine(f"sqlite+aiosqlite:///{path}"))
        self.store = ReputationRepository(self._unit_of_work)
        self.now = datetime(2026, 5, 1, tzinfo=UTC)
        self.entries: list[Entry] = []

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def teardown(self) -> None:
        self.run(self._unit_of_work.close())
        self._runner.close()
        self._folder.cleanup()

    # ── what members do ─────────────────────────────────────────────────────
    @rule(giver=MEMBERS, receiver=MEMBERS, amount=st.sampled_from([1, -1]))
    def change(self, giver: int, receiver: int, amount: int) -> None:
        if giver == receiver:
            return
        change = Change(
            guild_id=GUILD,
            giver_id=giver,
            target_id=receiver,
            target_is_bot=False,
            amount=amount,
            reason="because",
        )
        cooling = any(
            (entry.giver_id, entry.target_id) == (giver, receiver)
            and self.now - entry.at < COOLDOWN
            for entry in self.entries
        )
        try:
            made = self.run(self.store.add(change, at=self.now))
        except CoolingDown:
            assert cooling
        else:
            assert not cooling
            self.entries.append(made.entry)
            assert made.total == self.totals(Span.EVER)[receiver]

    @precondition(lambda self: self.entries)
    @rule(which=st.integers(0, 3), stranger=st.booleans())
    def retract(self, which: int, *, stranger: bool) -> None:
        entry = self.entries[-1 - which % len(self.entries)]
        by = 99 if stranger else entry.giver_id
        not_before = self.now - RETRACTABLE
        try:
            self.run(self.store.retract(GUILD, entry.id, by=by, not_before=not_before))
        except NotRetractable:
            assert stranger or entry.at < not_before
        else:
            assert not stranger
            assert entry.at >= not_before
            self.entries.remove(entry)

    @rule(duration=DURATIONS)
    def pass_time(self, duration: timedelta) -> None:
        self.now += duration
        while self.run(self.store.leave_spans(self.now)):
            pass

    # ── what is shown ───────────────────────────────────────────────────────
    def totals(self, span: Span) -> dict[int, int]:
        totals: dict[int, int] = {}
        for entry in self.entries:
            if span is Span.EVER or entry.at > self.now - span.length:
                totals[entry.target_id] = totals.get(entry.target_id, 0) + entry.amount
        return totals

    @invariant()
    def board_is_right(self) -> None:
        for span in Span:
            totals = self.totals(span)
            shown: dict[int, tuple[int, int, int]] = {}
            pages = self.run(self.store.board_page(GUILD, span, 1)).pages
            for number in range(1, pages + 1):
                page = self.run(self.store.board_page(GUILD, span, number))
                assert page.members == len(totals)
                for member in page.ranked:
                    known = (member.position, member.rank, member.total)
                    assert shown.setdefault(member.user_id, known) == known
            assert {user: total for user, (_, _, total) in shown.items()} == totals
            assert sorted(position for position, _, _ in shown.values()) == list(
                range(1, len(totals) + 1)
            )
            for rank, total in ((rank, total) for _, rank, total in shown.values()):
                assert rank == 1 + sum(other > total for other in totals.values())

    @invariant()
    def entries_are_right(self) -> None:
        for target in {entry.target_id for entry in self.entries}:
            mine = [entry for entry in reversed(self.entries) if entry.target_id == target]
            first = self.run(self.store.entry_page(GUILD, target, 1))
            assert list(first.entries) == mine[:5]
            last = self.run(self.store.entry_page(GUILD, target, first.pages))
            assert last.entries[-1] == mine[-1]
            assert first.count == len(mine)


TestReputation = ReputationMachine.TestCase
TestReputation.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
