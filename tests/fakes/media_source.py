"""Audio that is there at once, never, or when the test lets it through."""

import asyncio

from services.audio.track import Track
from services.errors import UserError


class FakeMedia:
    """Every track has audio, unless the test says otherwise."""

    def __init__(self) -> None:
        self.missing: dict[str, UserError] = {}
        """Addresses whose audio cannot be got, and why."""
        self.slow: dict[str, asyncio.Event] = {}
        """Addresses whose audio comes when the event is set."""
        self.prepared: list[str] = []

    async def prepare(self, track: Track) -> None:
        if (gate := self.slow.get(track.url)) is not None:
            await gate.wait()
        if (error := self.missing.get(track.url)) is not None:
            raise error
        self.prepared.append(track.url)

    def link(self, track: Track) -> str:
        return track.url
