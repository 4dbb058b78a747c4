"""The shared click stream as a process of its own: one button, and who clicked it, in order."""

import asyncio
import os

from bot.kit.clicks import AckLane, AnswerClient, Click, Clicks
from bot.kit.clicks.components import button, row
from bot.kit.client import BotClient
from bot.kit.outbox import HttpOutbox
from services.clock import SystemClock
from tests.benchmarks.busy_threads import BusyThreads
from tests.benchmarks.child import Json, answer_questions

_PREFIX = "bench"


class _NoMeter:
    def interaction_acknowledged(self, seconds: float) -> None:
        """Count nothing: the simulator measures."""

    def interaction_missed(self, cause: str) -> None:
        """Count nothing: the simulator measures."""


class StreamBot:
    """A bot made of the product's client and click stream, with a durable consumer."""

    def __init__(self) -> None:
        api_url, clock = os.environ["DISCORD_API_URL"], SystemClock()
        self._clicks = Clicks(
            lane=AckLane(api_url=api_url, ssl_context=None, clock=clock, meter=_NoMeter()),
            answers=AnswerClient(api_url=api_url, ssl_context=None, clock=clock),
            clock=clock,
        )
        self._clicks.durable(_PREFIX, self._consume)
        self._ready = asyncio.Event()
        self._client = BotClient(
            clicks=self._clicks,
            clock=clock,
            api_url=api_url,
            prefix=_no_prefix,
            on_first_ready=self._note_ready,
        )
        self._busy = BusyThreads()
        self._delivered: list[int] = []

    async def run(self) -> None:
        """Serve until standard input ends."""
        await self._clicks.start()
        serving = asyncio.create_task(self._client.start(os.environ["DISCORD_TOKEN"]))
        await self._ready.wait()
        await answer_questions(self._answer)
        self._busy.change(0)
        await self._client.close()
        await self._clicks.close()
        serving.cancel()

    async def _note_ready(self) -> None:
        self._ready.set()

    async def _consume(self, click: Click) -> None:
        self._delivered.append(click.user_id)

    async def _answer(self, question: Json) -> object:
        match question["what"]:
            case "post":
                body = {"content": "Click!", "components": [row(button(_PREFIX, "Click"))]}
                return await HttpOutbox(self._client.http).post(question["channel"], body)
            case "busy":
                self._busy.change(question["threads"])
            case "delivered":
                delivered, self._delivered = self._delivered, []
                return delivered
        return None


async def _no_prefix(_bot: object, _message: object) -> list[str]:
    return ["\0"]


async def _main() -> None:
    await StreamBot().run()  # its client wants to be made inside the loop


if __name__ == "__main__":
    asyncio.run(_main())
