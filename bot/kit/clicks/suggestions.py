"""Answers autocomplete within a second, whatever the source of suggestions does."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.kit.clicks.ack_lane import Acknowledger
from bot.kit.clicks.click import AutocompleteRequest, Choice, Choices
from bot.kit.clicks.delivery import delivered
from bot.kit.clicks.payload import Payload, autocomplete_from
from services.background import BackgroundTasks
from services.clock import Clock

type SuggestionSource = Callable[[AutocompleteRequest], Awaitable[Choices]]

_CALLBACK = 8
_PROVIDER_SECONDS = 0.6
"""What the source may take; the rest of the second is the way to Discord and back."""

_CHOICES = 25
_TEXT = 100


async def _nothing(_request: AutocompleteRequest) -> Choices:
    return ()


class Suggestions:
    """Asks one source for choices; without an answer in time there are none."""

    def __init__(self, *, lane: Acknowledger, clock: Clock) -> None:
        self._lane = lane
        self._clock = clock
        self._tasks = BackgroundTasks("suggestions")
        self._source: SuggestionSource = _nothing

    def come_from(self, source: SuggestionSource) -> None:
        """Ask `source` from now on."""
        self._source = source

    def receive(self, payload: Payload, *, number: int, received_at: float) -> None:
        """Start to find and send suggestions."""
        work = self._answer(payload, number=number, received_at=received_at)
        self._tasks.start(work, name="suggest")

    async def close(self) -> None:
        """Drop what was not answered."""
        await self._tasks.close()

    async def _answer(self, payload: Payload, *, number: int, received_at: float) -> None:
        choices = await self._choices(payload, number=number, received_at=received_at)
        named = [{"name": c.name[:_TEXT], "value": c.value} for c in choices if _sendable(c)]
        await self._lane.send(
            int(payload["id"]),
            payload["token"],
            callback={"type": _CALLBACK, "data": {"choices": named[:_CHOICES]}},
            received_at=received_at,
        )

    async def _choices(self, payload: Payload, *, number: int, received_at: float) -> Choices:
        request = autocomplete_from(payload, number=number, received_at=received_at)
        found: list[Choice] = []
        asked = asyncio.ensure_future(
            delivered(self._ask(request, found), to=f"suggestions for {request.command}")
        )
        timer = asyncio.ensure_future(self._clock.sleep(_PROVIDER_SECONDS))
        try:
            await asyncio.wait({asked, timer}, return_when=asyncio.FIRST_COMPLETED)
            return found
        finally:
            asked.cancel()
            timer.cancel()

    async def _ask(self, request: AutocompleteRequest, found: list[Choice]) -> None:
        found.extend(await self._source(request))


def _sendable(choice: Choice) -> bool:
    """Say whether Discord takes it; one that it refuses would cost all the others."""
    return bool(choice.name) and not (isinstance(choice.value, str) and len(choice.value) > _TEXT)
