"""The baseline: a plain nextcord bot whose `View` defers, and whose `queue` has pages.

Written as the library's own examples are; nothing in it is slow on purpose.
"""

import asyncio
import os
from typing import Any

import nextcord
from nextcord.ext import commands
from nextcord.http import Route

from tests.benchmarks.busy_threads import BusyThreads
from tests.benchmarks.child import Json, answer_questions

_PER_PAGE = 10


class DeferringView(nextcord.ui.View):
    """One button that is deferred in its callback."""

    def __init__(self, delivered: list[int]) -> None:
        super().__init__(timeout=None)
        self._delivered = delivered

    @nextcord.ui.button(label="Click")
    async def click(
        self, _button: nextcord.ui.Button[nextcord.ui.View], interaction: nextcord.Interaction[Any]
    ) -> None:
        """Acknowledge, then note who it was."""
        await interaction.response.defer()
        assert interaction.user is not None
        self._delivered.append(interaction.user.id)


class QueueView(nextcord.ui.View):
    """Pages of a queue."""

    def __init__(self, tracks: list[str]) -> None:
        super().__init__(timeout=None)
        self._tracks = tracks
        self._page = 0
        self._number: nextcord.ui.Button[QueueView] = nextcord.ui.Button(disabled=True)
        self.add_item(self._number)
        self._show_number()

    @property
    def embed(self) -> nextcord.Embed:
        """What the page shows."""
        first = self._page * _PER_PAGE
        lines = enumerate(self._tracks[first : first + _PER_PAGE], start=first + 1)
        return nextcord.Embed(
            title="Queue", description="\n".join(f"`{number}.` {track}" for number, track in lines)
        )

    @nextcord.ui.button(label="▶")
    async def turn(
        self, _button: nextcord.ui.Button[nextcord.ui.View], interaction: nextcord.Interaction[Any]
    ) -> None:
        """Show the next page."""
        self._page += 1
        self._show_number()
        await interaction.response.edit_message(embed=self.embed, view=self)

    def _show_number(self) -> None:
        pages = -(-len(self._tracks) // _PER_PAGE)
        self._number.label = f"{self._page + 1}/{pages}"


class NaiveBot:
    """The bot and the questions that it answers."""

    def __init__(self) -> None:
        Route.BASE = os.environ["DISCORD_API_URL"]
        intents = nextcord.Intents.default()
        intents.message_content = True
        self._bot = commands.Bot(command_prefix="!", help_command=None, intents=intents)
        self._bot.command(name="queue")(self._queue)
        self._busy = BusyThreads()
        self._delivered: list[int] = []
        self._tracks = int(os.environ.get("BENCH_TRACKS", "0"))

    async def run(self) -> None:
        """Serve until standard input ends."""
        serving = asyncio.create_task(self._bot.start(os.environ["DISCORD_TOKEN"]))
        await self._bot.wait_until_ready()
        await answer_questions(self._answer)
        self._busy.change(0)
        await self._bot.close()
        serving.cancel()

    async def _queue(self, context: commands.Context[commands.Bot]) -> None:
        view = QueueView([f"Track {number + 1}" for number in range(self._tracks)])
        await context.send(embed=view.embed, view=view)

    async def _answer(self, question: Json) -> object:
        match question["what"]:
            case "post":
                channel = self._bot.get_channel(question["channel"])
                assert isinstance(channel, nextcord.TextChannel)
                sent = await channel.send("Click!", view=DeferringView(self._delivered))
                return sent.id
            case "busy":
                self._busy.change(question["threads"])
            case "delivered":
                delivered = self._delivered[:]
                self._delivered.clear()
                return delivered
        return None


async def _main() -> None:
    await NaiveBot().run()  # nextcord's client wants to be made inside the loop


if __name__ == "__main__":
    asyncio.run(_main())
