"""Lets a command say what it did before the player tells what came of it.

A member who adds a track to a silent player reads "Added to queue" and then "Now playing", although
the track may sound before the first message has reached Discord. The command holds the guild's news
back while it speaks; the news waits for that, but never for long.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE_SECONDS = 8.0


class SpeakingOrder:
    """Who may speak in which guild."""

    def __init__(self) -> None:
        self._speaking: Counter[int] = Counter()
        self._silence: dict[int, asyncio.Event] = {}

    @contextmanager
    def command_speaks(self, guild_id: int) -> Iterator[None]:
        """Hold the guild's news back."""
        self._speaking[guild_id] += 1
        try:
            yield
        finally:
            self._speaking[guild_id] -= 1
            if not self._speaking[guild_id]:
                del self._speaking[guild_id]
                if (silence := self._silence.pop(guild_id, None)) is not None:
                    silence.set()

    async def news_may_speak(self, guild_id: int) -> None:
        """Wait until no command speaks in the guild, at most 8 s."""
        if guild_id not in self._speaking:
            return
        silence = self._silence.setdefault(guild_id, asyncio.Event())
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await silence.wait()
        except TimeoutError:
            return
