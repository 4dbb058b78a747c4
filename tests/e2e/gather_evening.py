"""A guild in which people gather, with the words of its messages, and a way to let time pass."""

import json
import sqlite3
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.e2e.house import House, Room
from tests.simulator import Member, SimMessage

CARD = "Voice channel gathering"
CLOSING = "Attendance"
COUNTDOWN_BUTTONS = ["Start now", "Cancel", "Join gathering", "Leave gathering"]
CHECK_IN_BUTTONS = ["I'm here!", "I'm out", "Mute pings", "Cancel"]
EDIT_SECONDS = 7.0
"""Within so many seconds the last state lands: one edit in 5 s, and its way."""


class Evening:
    """What people do around one gathering, and what they read."""

    def __init__(self, house: House, room: Room) -> None:
        self.house = house
        self.room = room
        self.general, self.lounge, self.attic = room.general, room.lounge, room.attic
        self.ada, self.ben = room.ada, room.ben
        self.cleo, self.dan = room.guild.add_member("Cleo"), room.guild.add_member("Dan")

    async def start(self, line: str = "!gather start", *inside: Member) -> SimMessage:
        """Let Ada, and others, join the lounge and Ada begin; return the gathering's message."""
        for member in (self.ada, *inside):
            if member.voice is None:
                await member.join(self.lounge)
        return await self.room.says(self.ada, line, title=CARD)

    async def reads(self, card: SimMessage, text: str, *, within: float = EDIT_SECONDS) -> None:
        """Wait until the message shows these words."""
        await card.changes(text=text, within=within)

    async def stands(self, card: SimMessage, **people: str) -> None:
        """Wait until the table shows exactly these people so (`+` for any lateness)."""

        def shown() -> bool | None:
            rows = table(card)
            same = rows.keys() == people.keys() and all(
                rows[name].startswith(state) for name, state in people.items()
            )
            return same or None

        if await card.news.until(shown, EDIT_SECONDS) is None:
            raise AssertionError(f"expected {people}, read {table(card)}\n{card.account()}")

    # ── time ────────────────────────────────────────────────────────────────
    async def passes_while_away(self, seconds: float) -> None:
        """Kill the bot, let so many seconds pass for the gatherings, start it again."""
        await self.house.bot.kill()
        self._put_back(seconds)
        await self.house.bot.start()
        await self.house.bot.ready()

    def _put_back(self, seconds: float) -> None:
        database = sqlite3.connect(self.house.bot.data_dir / "bot.sqlite3")
        query = "SELECT id, starts_at, state FROM gathering WHERE NOT done"
        for number, starts_at, state in database.execute(query).fetchall():
            put_back = json.dumps(_put_back(json.loads(state), seconds))
            database.execute(
                "UPDATE gathering SET starts_at = ?, state = ? WHERE id = ?",
                (_earlier(starts_at, seconds), put_back, number),
            )
        database.commit()
        database.close()


def _earlier(moment: str, seconds: float) -> str:
    put_back = datetime.fromisoformat(moment) - timedelta(seconds=seconds)
    return put_back.isoformat(" ", timespec="microseconds")


def _put_back(state: dict[str, Any], seconds: float) -> dict[str, Any]:
    def earlier(stamp: float | None) -> float | None:
        return None if stamp is None else stamp - seconds

    state["next_ping_at"] = earlier(state["next_ping_at"])
    state["attendees"] = [[u, s, earlier(at), leaving] for u, s, at, leaving in state["attendees"]]
    state["stays"] = [[u, first, earlier(b), length] for u, first, b, length in state["stays"]]
    return state


def table(card: SimMessage) -> dict[str, str]:
    """Return the table: name and state, in its order; empty where there is none."""
    parts = card.text.split("```")
    lines = parts[1].strip("\n").splitlines()[2:] if len(parts) > 1 else []
    return {cells[0]: " ".join(cells[1:]) for cells in map(str.split, lines)}


def edit_gaps(card: SimMessage, after: float) -> list[float]:
    """Return the seconds between edits that came after a monotonic moment."""
    moments = [version.at for version in card.history[1:] if version.at > after]
    return [later - earlier for earlier, later in pairwise(moments)]
