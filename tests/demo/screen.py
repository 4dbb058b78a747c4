"""Draws what members see and hear: messages as Discord shows them, sound as level and pitch."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.text import Text

from tests.simulator.message import SimMessage
from tests.simulator.voice.measures import Frame

_BARS = " ▁▂▃▄▅▆▇█"
_QUIETEST_DB, _LOUDEST_DB = -48.0, -3.0
_SAME_PITCH = 0.04
_WIDTH = 92
_LINES = 14
_LINK = re.compile(r"\[([^\]]+)\]\(\S+?\)")
_MENTION = re.compile(r"<@!?(\d+)>")
_MARKUP = re.compile(r"\*\*|`")


class Screen:
    """The terminal; times on the left count from its making."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self.names: Mapping[int, str] = {}
        """What is shown for the mention of a member, by user id."""
        self._began = time.monotonic()

    def chapter(self, title: str) -> None:
        """Begin a new scene."""
        self._console.print()
        self._console.rule(f"[bold]{escape(title)}", align="left")

    def note(self, text: str) -> None:
        """Say what happens behind the scene."""
        self._line(f"[dim]{escape(text)}")

    def good(self, text: str) -> None:
        """Say what was measured."""
        self._line(f"[green]✔[/green] {escape(text)}")

    def does(self, who: object, action: str) -> None:
        """Show what a member does."""
        self._line(f"[bold cyan]{escape(str(who))}[/bold cyan] {escape(action)}")

    def shows(self, message: SimMessage) -> None:
        """Show a message of the bot as members see it now."""
        colour = message.color
        embed = message.embeds[0] if message.embeds else {}
        body = Text()
        for part in (message.content, embed.get("description")):
            if part:
                body.append(f"{self._plain(part)}\n")
        for entry in embed.get("fields", ()):
            body.append(f"{entry['name']}: ", style="bold")
            body.append(f"{self._plain(entry['value'])}\n")
        if footer := (embed.get("footer") or {}).get("text"):
            body.append(f"{footer}\n", style="dim")
        for button in message.buttons:
            emoji = (button.get("emoji") or {}).get("name") or ""
            label = f" {emoji} {button.get('label') or ''} ".replace("  ", " ")
            body.append(label, style="dim reverse" if button.get("disabled") else "reverse")
            body.append(" ")
        body.rstrip()
        self._console.print(
            Panel(
                body,
                title=escape(str(embed.get("title", ""))),
                title_align="left",
                border_style=f"#{colour:06x}" if colour is not None else "white",
                width=_WIDTH,
                padding=(0, 1),
            )
        )

    def plays(self, frames: Sequence[Frame]) -> None:
        """Draw the sound: a bar for each 100 ms, the pitch below."""
        if not frames:
            self._line("[dim]♪ nothing is heard")
            return
        cells = list(_cells(frames))
        bars = "".join(_bar(level) for level, _ in cells)
        self._line(f"[magenta]♪ {bars}[/magenta]")
        labels = ", ".join(
            f"{_pitch_name(hz)} for {len(list(group)) / 10:.1f} s"
            for hz, group in groupby(cells, key=lambda cell: cell[1])
        )
        self._line(f"[dim]  {labels}")

    def _plain(self, text: str) -> str:
        """Return Markdown as Discord shows it, long texts cut."""
        text = _LINK.sub(r"\1", text)
        text = _MENTION.sub(lambda match: f"@{self.names.get(int(match[1]), match[1])}", text)
        lines = _MARKUP.sub("", text).splitlines()
        return "\n".join([*lines[:_LINES], "…"] if len(lines) > _LINES else lines)

    def _line(self, text: str) -> None:
        seconds = time.monotonic() - self._began
        self._console.print(f"[dim]{seconds:5.1f}s[/dim] {text}", soft_wrap=False)


def _cells(frames: Sequence[Frame]) -> Iterable[tuple[float | None, int]]:
    """Return level and rounded pitch (0: none) for each 100 ms."""
    start, pitch = frames[0].arrival, 0
    for _, group in groupby(frames, key=lambda frame: int((frame.arrival - start) * 10)):
        part = list(group)
        levels = [f.level for f in part if f.level is not None and not f.silent]
        pitches = sorted(f.hz for f in part if f.hz is not None and not f.silent)
        level = max(levels, default=None)
        heard = round(pitches[len(pitches) // 2]) if pitches and level is not None else 0
        pitch = pitch if pitch and abs(heard - pitch) <= _SAME_PITCH * pitch else heard
        yield level, pitch


def _bar(level: float | None) -> str:
    if level is None:
        return "·"
    share = (level - _QUIETEST_DB) / (_LOUDEST_DB - _QUIETEST_DB)
    return _BARS[max(1, min(len(_BARS) - 1, round(share * (len(_BARS) - 1))))]


def _pitch_name(hz: int) -> str:
    return f"{hz} Hz" if hz else "silence"
