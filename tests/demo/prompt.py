"""After the story: type as a member, press buttons, listen."""

import asyncio
import shlex
import sys
import time

from tests.demo.screen import Screen
from tests.demo.stage import Stage
from tests.simulator.member import Member, NotPossible
from tests.simulator.message import SimMessage

_HELP = """You are Ada. Type what she writes (!help shows the bot's commands), or:
  click <label>      press a button of the newest message that has it
  slash <command> [name=value ...]
  as ben | as ada    be somebody else
  join | leave       the voice channel
  listen [seconds]   draw what is heard
  quit"""


class Prompt:
    """Reads lines from the terminal until `quit` or the end of input."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen
        self._who: Member = stage.ada
        self._shown: dict[int, str] = {}

    async def run(self) -> None:
        """Serve lines; a slip of a member is told and the prompt goes on."""
        print(_HELP)
        self._remember()
        while True:
            line = await asyncio.to_thread(self._read)
            if line is None or line == "quit":
                return
            if line:
                await self._do(line)

    def _read(self) -> str | None:
        print(f"{self._who}> ", end="", flush=True)
        line = sys.stdin.readline()
        return line.strip() if line else None

    async def _do(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        try:
            match word:
                case "click":
                    await self._click(rest)
                case "slash":
                    await self._slash(rest)
                case "as":
                    self._who = self._stage.ben if rest == "ben" else self._stage.ada
                case "join":
                    await self._who.join(self._stage.lounge)
                case "leave":
                    await self._who.leave()
                case "listen":
                    await self._listen(float(rest or 2))
                case _:
                    await self._who.say(self._stage.general, line)
        except (NotPossible, AssertionError, ValueError, LookupError) as error:
            self._screen.note(str(error) or repr(error))
        await self._show_what_is_new()

    async def _click(self, label: str) -> None:
        message = next(
            (m for m in reversed(self._visible()) if any(label in shown for shown in m.labels)),
            None,
        )
        if message is None:
            raise LookupError(f"no message has a button {label!r}")
        outcome = await self._who.click(message, label)
        self._screen.good(
            f"acknowledged after {outcome.ack_ms:.0f} ms"
            if outcome.acknowledged
            else "This interaction failed"
        )

    async def _slash(self, rest: str) -> None:
        words = shlex.split(rest)
        command = " ".join(word for word in words if "=" not in word)
        options = dict(word.split("=", 1) for word in words if "=" in word)
        await self._who.slash(self._stage.general, command.removeprefix("/"), options)

    async def _listen(self, seconds: float) -> None:
        since = time.monotonic()
        await asyncio.sleep(seconds)
        self._screen.plays(self._stage.guild.ear.timeline(since=since))

    async def _show_what_is_new(self) -> None:
        await asyncio.sleep(1.0)
        for message in self._visible():
            if message.author is self._stage.discord.bot and (
                self._shown.get(message.id) != message.describe()
            ):
                self._screen.shows(message)
        self._remember()

    def _visible(self) -> list[SimMessage]:
        return [*self._stage.general.messages, *self._who.private_messages.messages]

    def _remember(self) -> None:
        self._shown = {message.id: message.describe() for message in self._visible()}
