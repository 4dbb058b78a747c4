"""Discord's channels and direct messages, as far as reminders need them; with nonces that age."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.kit.outbox import Rejected, Undelivered
from tests.fakes.manual_clock import ManualClock

type Json = dict[str, Any]

_NONCE_SECONDS = 300
_DIRECT = 1_000_000


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that stands somewhere."""

    id: int
    channel_id: int
    body: Json
    nonce: str | None
    at: datetime

    @property
    def title(self) -> str:
        return str(self.body["embeds"][0]["title"])

    @property
    def text(self) -> str:
        return str(self.body["embeds"][0].get("description", ""))


class FakeMail:
    """What `bot.kit.outbox.HttpOutbox` does for reminders."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._ids = itertools.count(9000)
        self.letters: list[Letter] = []
        self.looks = 0
        """How often messages were read."""
        self.closed: set[int] = set()
        """Channels that are gone, users who take no direct messages."""
        self.unreadable = False
        self.down = False

    async def post(self, channel_id: int, body: Json, *, nonce: str | None = None) -> int:
        self._answer()
        if channel_id in self.closed or channel_id - _DIRECT in self.closed:
            raise Rejected("Discord answered 404 (code 10003): Unknown Channel")
        for letter in self.letters:
            age = (self._clock.now() - letter.at).total_seconds()
            if nonce is not None and letter.nonce == nonce and age < _NONCE_SECONDS:
                return letter.id
        letter = Letter(next(self._ids), channel_id, body, nonce, self._clock.now())
        self.letters.append(letter)
        return letter.id

    async def open_direct(self, user_id: int) -> int:
        self._answer()
        return _DIRECT + user_id

    async def find_posted(
        self, channel_id: int, *, since: datetime, where: Callable[[Json], bool]
    ) -> int | None:
        self._answer()
        self.looks += 1
        if self.unreadable or channel_id in self.closed:
            raise Rejected("Discord answered 403 (code 50001): Missing Access")
        for letter in self.letters:
            if letter.channel_id == channel_id and letter.at >= since and where(letter.body):
                return letter.id
        return None

    def to_user(self, user_id: int) -> list[Letter]:
        """Return the direct messages of a user."""
        return [letter for letter in self.letters if letter.channel_id == _DIRECT + user_id]

    def _answer(self) -> None:
        if self.down:
            raise Undelivered("no connection")
