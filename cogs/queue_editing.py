"""`clear`, `remove`, `move`, `shuffle` and `search`: members put the queue in order."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from bot.kit import track_text
from bot.kit.checks import same_voice_channel
from bot.kit.converters import Integer, Parsed, Text, WrongArgument
from bot.kit.dual_command import CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.paging import Page, Paging
from bot.kit.replies import Reply, done, empty, info
from bot.kit.saving import once_saved
from bot.kit.typed_text import code, plain
from bot.kit.undo_button import undoable
from services.audio.player_service import PlayerService
from services.audio.player_state import Edited, Found

_CHECKS = (same_voice_channel,)
_RANGE = re.compile(r"(?P<first>\d{1,7})(?:\s*(?:-|\u2013|\.\.)\s*(?P<last>\d{1,7}))?", re.ASCII)
_PAGE = 10
_LINE = 280
_TEXT = 100


class Which(Enum):
    """Several tracks that a member names by one word."""

    MINE = "mine"
    DUPLICATES = "duplicates"


@dataclass(frozen=True, slots=True)
class Positions:
    """Tracks by their numbers, both ends included."""

    first: int
    last: int


_WORDS = {
    "mine": Which.MINE,
    "duplicates": Which.DUPLICATES,
    "duplicate": Which.DUPLICATES,
    "dupes": Which.DUPLICATES,
}


def parse_which(text: str) -> Positions | Which:
    """Read `3`, `3-7`, `mine` or `duplicates`.

    Raises:
        WrongArgument: it is none of these.
    """
    if (word := _WORDS.get(text.lower())) is not None:
        return word
    if (numbers := _RANGE.fullmatch(text)) is None:
        raise WrongArgument("Write a number such as `3`, a range `3-7`, `mine` or `duplicates`.")
    first = int(numbers["first"])
    return Positions(first, int(numbers["last"] or first))


def _position(name: str, description: str) -> Integer:
    return Integer(name=name, description=description, strict=False)


class QueueEditing:
    """Changes the queue; every change can be undone for a minute."""

    def __init__(self, player: PlayerService, paging: Paging) -> None:
        self._player = player
        self._paging = paging

    @command(
        CommandSpec(
            name="clear",
            summary="Empty the queue; the current track plays on",
            checks=_CHECKS,
        )
    )
    async def clear(self, call: Invocation) -> Reply:
        """Empty the queue."""
        return await self._saved(call, cleared, self._player.clear(call.guild_id))

    @command(
        CommandSpec(
            name="remove",
            summary="Take tracks out of the queue",
            arguments=(
                Parsed(
                    name="which",
                    description="A number, a range such as 3-7, mine, or duplicates",
                    parse=parse_which,
                    rest=True,
                ),
            ),
            aliases=("rm",),
            checks=_CHECKS,
            examples=("remove 3", "remove 3-7", "remove mine", "remove duplicates"),
        )
    )
    async def remove(self, call: Invocation, which: Positions | Which) -> Reply:
        """Take one track out, several, one's own, or those that are queued twice."""
        return await self._saved(call, removed, await self._remove(call, which))

    async def _remove(self, call: Invocation, which: Positions | Which) -> Edited:
        match which:
            case Which.MINE:
                return await self._player.remove_of(call.guild_id, call.author.id)
            case Which.DUPLICATES:
                return await self._player.remove_duplicates(call.guild_id)
            case Positions(first=first, last=last) if first == last:
                return self._player.remove(call.guild_id, first)
            case Positions(first=first, last=last):
                return await self._player.remove_range(call.guild_id, first, last)

    @command(
        CommandSpec(
            name="move",
            summary="Put a queued track to another place",
            arguments=(
                _position("track", "Its number in the queue"),
                _position("to", "The number that it shall have"),
            ),
            aliases=("mv",),
            checks=_CHECKS,
            examples=("move 5 1",),
        )
    )
    async def move(self, call: Invocation, track: int, to: int) -> Reply:
        """Put a track to another place."""
        edited = self._player.move(call.guild_id, track, to=to)
        return await self._saved(call, lambda outcome: moved(outcome, to), edited)

    @command(CommandSpec(name="shuffle", summary="Mix the queue", checks=_CHECKS))
    async def shuffle(self, call: Invocation) -> Reply:
        """Mix the queue."""
        return await self._saved(call, shuffled, await self._player.shuffle(call.guild_id))

    @command(
        CommandSpec(
            name="search",
            summary="Find tracks in the queue by words of their titles",
            arguments=(
                Text(
                    name="text", description="Words of title or artist", rest=True, max_length=200
                ),
            ),
            aliases=("find",),
            examples=("search never gonna",),
        )
    )
    async def search(self, call: Invocation, text: str) -> Reply | None:
        """Show the queued tracks that fit, with their numbers."""
        found = await self._player.find(call.guild_id, text)
        if not found.total:
            return empty("🔍 Nothing found", f"No queued track fits {code(text, _TEXT)}.")
        await self._paging.show(call, lambda number: results(found, text, number))
        return None

    async def _saved(
        self, call: Invocation, words: Callable[[Edited], Reply], edited: Edited
    ) -> Reply:
        reply = undoable(words(edited), edited.undo)
        return await once_saved(self._player.stored, call.guild_id, reply)


def cleared(edited: Edited) -> Reply:
    """Say how much was dropped."""
    return done("🧹 Queue cleared", f"{_tracks(edited.count)} dropped.")


def removed(edited: Edited) -> Reply:
    """Say what was taken out."""
    name = track_text.name(edited.track)
    if edited.count == 1:
        return done("🗑️ Removed", name)
    return done("🗑️ Removed", f"{_tracks(edited.count)}, the first of them {name}")


def moved(edited: Edited, to: int) -> Reply:
    """Say where the track stands now."""
    return done("↕️ Moved", f"{track_text.name(edited.track)}\nIt is number {to:,} now.")


def shuffled(edited: Edited) -> Reply:
    """Say what comes first now."""
    name = track_text.name(edited.track)
    return done("🔀 Shuffled", f"{_tracks(edited.count)} mixed.\nNext: {name}")


def results(found: Found, text: str, number: int) -> Page:
    """Show one page of what was found."""
    pages = -(-len(found.entries) // _PAGE)
    number = min(max(number, 1), pages)
    shown = found.entries[(number - 1) * _PAGE : number * _PAGE]
    lines = [f"`{place}.` {track_text.line(entry.track, _LINE)}" for place, entry in shown]
    footer = f"{_tracks(found.total)} for {plain(text, _TEXT)}"
    if found.total > len(found.entries):
        footer += f", the first {len(found.entries)} are shown"
    reply = info("🔎 In the queue", "\n".join(lines), footer=footer)
    return Page(reply, number=number, count=pages)


def _tracks(count: int) -> str:
    return "1 track" if count == 1 else f"{count:,} tracks"
