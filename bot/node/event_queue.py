"""What a session has to tell its client, while it is there and while it is away.

Events are kept in order and never dropped for anything less; a player's state is looked up when it
is sent, so a slow or absent client gets each player's latest state once, not all the old ones.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final

_log = logging.getLogger(__name__)

_MOST_EVENTS: Final = 1000

Message = dict[str, Any]


class EventQueue:
    """Messages for one client.

    Args:
        player_update: makes the playerUpdate of a guild; None: it has no player any more.
    """

    def __init__(self, player_update: Callable[[int], Message | None]) -> None:
        self._player_update = player_update
        self._events: deque[Message] = deque()
        self._changed_players: dict[int, None] = {}
        self._filled = asyncio.Event()

    def put(self, message: Message) -> None:
        """Add an event or statistics."""
        if len(self._events) >= _MOST_EVENTS:
            self._events.popleft()
            _log.warning("the client is away for too long: an old event was dropped")
        self._events.append(message)
        self._filled.set()

    def put_player(self, guild_id: int) -> None:
        """Have a player's state told."""
        self._changed_players[guild_id] = None
        self._filled.set()

    def forget_player(self, guild_id: int) -> None:
        """Tell nothing more of a player's state."""
        self._changed_players.pop(guild_id, None)

    async def next(self) -> Message:
        """Wait for the next message: events first, in their order."""
        while True:
            await self._filled.wait()
            if self._events:
                return self._events.popleft()
            while self._changed_players:
                guild_id = next(iter(self._changed_players))
                del self._changed_players[guild_id]
                if (update := self._player_update(guild_id)) is not None:
                    return update
            self._filled.clear()

    def put_back(self, message: Message) -> None:
        """Return a message that could not be sent to the head of the queue."""
        self._events.appendleft(message)
        self._filled.set()
