"""A lane whose acknowledgements a test finishes by hand, in any order."""

import asyncio
from collections.abc import Mapping
from typing import Any


class HandLane:
    """Remembers the callbacks; each stays under way until `finish`."""

    def __init__(self) -> None:
        self.callbacks: list[Mapping[str, Any]] = []
        self.started = False
        self._under_way: list[asyncio.Future[bool]] = []

    async def start(self) -> None:
        self.started = True

    def send(
        self, interaction_id: int, token: str, *, callback: Mapping[str, Any], received_at: float
    ) -> asyncio.Future[bool]:
        self.callbacks.append(callback)
        sent: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._under_way.append(sent)
        return sent

    def finish(self, index: int, *, arrived: bool = True) -> None:
        """Let the callback that was sent as the `index`-th (from 0) end."""
        self._under_way[index].set_result(arrived)

    async def close(self) -> None:
        for sent in self._under_way:
            sent.cancel()


class InstantLane(HandLane):
    """Every acknowledgement arrives at once."""

    def send(
        self, interaction_id: int, token: str, *, callback: Mapping[str, Any], received_at: float
    ) -> asyncio.Future[bool]:
        sent = super().send(interaction_id, token, callback=callback, received_at=received_at)
        sent.set_result(True)
        return sent

    async def close(self) -> None:
        self.started = False
