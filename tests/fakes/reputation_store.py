"""Reputation as a plain list of entries: every page is worked out anew."""

import itertools
from datetime import datetime, timedelta

from services.db.errors import StorageUnavailable
from services.reputation import pages
from services.reputation.errors import (
    CoolingDown,
    NotTheGiver,
    RetractedAlready,
    TooLateToRetract,
)
from services.reputation.pages import BoardPage, EntryPage, Ranked
from services.reputation.rules import COOLDOWN, Change, Entry, Made, Span

_LONG_AGO = timedelta(days=10_000)


class MemoryReputation:
    """The reputation store of a test; `failing` stands for a database that does not answer."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.failing = False
        self.now: datetime | None = None
        """Up to when entries have left their spans."""
        self._numbers = itertools.count(1)

    async def add(self, change: Change, *, at: datetime) -> Made:
        self._answer()
        for entry in self.entries:
            pair = (entry.guild_id, entry.giver_id, entry.target_id)
            mine = pair == (change.guild_id, change.giver_id, change.target_id)
            if mine and at - entry.at < COOLDOWN:
                raise CoolingDown(entry.at + COOLDOWN)
        entry = Entry(
            id=next(self._numbers),
            guild_id=change.guild_id,
            giver_id=change.giver_id,
            target_id=change.target_id,
            amount=change.amount,
            reason=change.reason,
            at=at,
        )
        self.entries.append(entry)
        return Made(entry=entry, total=self._totals(entry.guild_id, Span.EVER)[entry.target_id])

    async def retract(self, guild_id: int, entry_id: int, *, by: int, not_before: datetime) -> Made:
        self._answer()
        found = [e for e in self.entries if (e.guild_id, e.id) == (guild_id, entry_id)]
        if not found:
            raise RetractedAlready
        [entry] = found
        if entry.giver_id != by:
            raise NotTheGiver
        if entry.at < not_before:
            raise TooLateToRetract(60)
        self.entries.remove(entry)
        total = self._totals(guild_id, Span.EVER).get(entry.target_id, 0)
        return Made(entry=entry, total=total)

    async def entry_page(self, guild_id: int, target_id: int, number: int) -> EntryPage:
        self._answer()
        of_target = [e for e in self.entries if (e.guild_id, e.target_id) == (guild_id, target_id)]
        count = len(of_target)
        number = pages.nearest(number, pages.entry_pages(count))
        first, last = pages.entry_numbers(count, number)
        board = self._board(guild_id, Span.EVER)
        return EntryPage(
            target_id=target_id,
            entries=tuple(reversed(of_target[first - 1 : last])),
            number=number,
            pages=pages.entry_pages(count),
            count=count,
            totals={span: self._totals(guild_id, span).get(target_id, 0) for span in Span},
            rank=next((m.rank for m in board if m.user_id == target_id), None),
            members=len(board),
        )

    async def board_page(self, guild_id: int, span: Span, number: int) -> BoardPage:
        self._answer()
        board = self._board(guild_id, span)
        number = pages.nearest(number, pages.board_pages(len(board)))
        ranked = [
            member
            for first, last in pages.board_positions(len(board), number)
            for member in board[first - 1 : last]
        ]
        return BoardPage(
            span=span,
            number=number,
            pages=pages.board_pages(len(board)),
            members=len(board),
            ranked=tuple(ranked),
            between=len(board) - len(ranked) if number == 1 else 0,
        )

    async def board_page_of(self, guild_id: int, span: Span, user_id: int) -> int | None:
        self._answer()
        board = self._board(guild_id, span)
        position = next((m.position for m in board if m.user_id == user_id), None)
        return None if position is None else pages.board_page_of(position, len(board))

    async def leave_spans(self, now: datetime) -> bool:
        self._answer()
        self.now = now
        return False

    async def next_leaving(self) -> datetime | None:
        self._answer()
        since = self.now or min((entry.at for entry in self.entries), default=None)
        moments = [
            entry.at + span.length
            for entry in self.entries
            for span in (Span.WEEK, Span.MONTH)
            if since is not None and entry.at + span.length > since
        ]
        return min(moments, default=None)

    def _totals(self, guild_id: int, span: Span) -> dict[int, int]:
        length = _LONG_AGO if span is Span.EVER or self.now is None else span.length
        totals: dict[int, int] = {}
        for entry in self.entries:
            recent = self.now is None or entry.at > self.now - length
            if entry.guild_id == guild_id and recent:
                totals[entry.target_id] = totals.get(entry.target_id, 0) + entry.amount
        return totals

    def _board(self, guild_id: int, span: Span) -> list[Ranked]:
        totals = sorted(self._totals(guild_id, span).items(), key=lambda item: -item[1])
        return [
            Ranked(position, 1 + sum(other > total for _, other in totals), user_id, total)
            for position, (user_id, total) in enumerate(totals, start=1)
        ]

    def _answer(self) -> None:
        if self.failing:
            raise StorageUnavailable("The database does not answer. Try again in a moment.")
