"""A gateway session: what was sent in it, and what may still be replayed (Discord, "Resuming")."""

import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

from tests.simulator.gateway import frames

if TYPE_CHECKING:
    from tests.simulator.gateway.connection import Connection

_KEPT_AT_MOST = 50_000


class Session:
    """One IDENTIFY of the bot; it outlives its connections for a while."""

    def __init__(self, *, intents: int, shard: tuple[int, int], presence: Any) -> None:
        self.id = secrets.token_hex(16)
        self.voice_session_id = secrets.token_hex(16)
        self.intents = intents
        self.shard = shard
        self.presence = presence
        self.sequence = 0
        self.connection: Connection | None = None
        self.resumes = 0
        self._sent: deque[tuple[int, bytes]] = deque(maxlen=_KEPT_AT_MOST)

    def serves(self, guild_id: int | None) -> bool:
        """Tell whether a guild (None: direct messages) belongs to this shard."""
        number, count = self.shard
        return number == 0 if guild_id is None else (guild_id >> 22) % count == number

    def push(self, event: str, raw_data: bytes) -> None:
        """Send an event now, or keep it for a resume."""
        self.sequence += 1
        frame = frames.dispatch(event, self.sequence, raw_data)
        self._sent.append((self.sequence, frame))
        if self.connection is not None:
            self.connection.write(frame)

    def missed_after(self, sequence: int) -> list[bytes] | None:
        """Return the frames after a sequence number; None when some are lost."""
        missed = [frame for number, frame in self._sent if number > sequence]
        return missed if len(missed) == self.sequence - sequence else None
