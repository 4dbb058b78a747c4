"""`seek`, `replay`, `previous` and `jump`: where the music is."""

import re
from dataclasses import dataclass

from bot.kit import track_text
from bot.kit.checks import same_voice_channel
from bot.kit.converters import Integer, Parsed, WrongArgument
from bot.kit.dual_command import CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.replies import Reply, done
from bot.kit.saving import once_saved
from bot.kit.undo_button import undoable
from services.audio.errors import NothingPlaying
from services.audio.player_service import PlayerService
from services.audio.player_state import PlayerView, QueuedTrack, SkipOutcome
from services.errors import Refusal

_CHECKS = (same_voice_channel,)
_FORMS = "Write a time such as `1:23`, `90`, `+30s` or `-10s`."
_CLOCK = re.compile(r"(?:(?P<h>\d{1,3}):(?=\d{1,2}:))?(?P<m>\d{1,4}):(?P<s>[0-5]?\d)", re.ASCII)
_UNITS = re.compile(
    r"(?:(?P<h>\d{1,3})\s*h)?\s*(?:(?P<m>\d{1,4})\s*m(?:in)?)?\s*(?:(?P<s>\d{1,6})\s*s(?:ec)?)?",
    re.ASCII,
)
_SECONDS = re.compile(r"(?P<s>\d{1,6})", re.ASCII)
_MOST_MS = 1000 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Target:
    """A place in a track; `relative`: counted from where the music is now."""

    milliseconds: int
    relative: bool

    def seen_from(self, position_ms: int) -> int:
        """Return the place counted from the beginning; never before it."""
        return max(0, position_ms + self.milliseconds if self.relative else self.milliseconds)


def parse_target(text: str) -> Target:
    """Read `1:23`, `1:02:03`, `90`, `1m30s`; a sign in front counts from where the music is.

    Raises:
        WrongArgument: it is no such time.
    """
    sign, size = (text[0], text[1:].strip()) if text[:1] in {"+", "-"} else ("", text)
    size = size.lower()
    found = _CLOCK.fullmatch(size) or _SECONDS.fullmatch(size) or _UNITS.fullmatch(size)
    if not size or found is None:
        raise WrongArgument(_FORMS)
    parts = {name: int(number or 0) for name, number in found.groupdict().items()}
    seconds = parts.get("h", 0) * 3600 + parts.get("m", 0) * 60 + parts["s"]
    milliseconds = min(seconds * 1000, _MOST_MS)
    return Target(-milliseconds if sign == "-" else milliseconds, relative=bool(sign))


class Position:
    """Moves within the current track, and from one to another."""

    def __init__(self, player: PlayerService) -> None:
        self._player = player

    @command(
        CommandSpec(
            name="seek",
            summary="Go to a time in the current track",
            arguments=(
                Parsed(
                    name="time",
                    description="1:23, 90, +30s or -10s",
                    parse=parse_target,
                    rest=True,
                ),
            ),
            checks=_CHECKS,
            examples=("seek 1:23", "seek +30s", "seek -10s"),
        )
    )
    async def seek(self, call: Invocation, time: Target) -> Reply:
        """Go to a position, or some seconds on or back."""
        view = self._player.view(call.guild_id)
        position = time.seen_from(view.position_ms)
        check_within(view, position)
        position = await self._player.seek(call.guild_id, position)
        return await self._saved(call, sought(view, position))

    @command(
        CommandSpec(name="replay", summary="Play the track from its beginning", checks=_CHECKS)
    )
    async def replay(self, call: Invocation) -> Reply:
        """Begin the current track again."""
        entry = await self._player.replay(call.guild_id)
        return await self._saved(call, replayed(entry))

    @command(
        CommandSpec(
            name="previous",
            summary="Play the track before the current one",
            aliases=("prev", "back"),
            checks=_CHECKS,
            details="The current track comes again after it.",
        )
    )
    async def previous(self, call: Invocation) -> Reply:
        """Go back one track."""
        entry = await self._player.previous(call.guild_id)
        return await self._saved(call, done("⏮️ Previous", track_text.name(entry.track)))

    @command(
        CommandSpec(
            name="jump",
            summary="Play a queued track now and pass over those before it",
            arguments=(
                Integer(name="number", description="Its number in the queue", strict=False),
            ),
            aliases=("skipto",),
            checks=_CHECKS,
            examples=("jump 5",),
        )
    )
    async def jump(self, call: Invocation, number: int) -> Reply:
        """Go to a queued track."""
        outcome = await self._player.jump(call.guild_id, number)
        return await self._saved(call, undoable(jumped(outcome), outcome.undo))

    async def _saved(self, call: Invocation, reply: Reply) -> Reply:
        return await once_saved(self._player.stored, call.guild_id, reply)


def check_within(view: PlayerView, position_ms: int) -> None:
    """Let positions pass that the current track has.

    Raises:
        NothingPlaying: there is no track.
        Refusal: the position is beyond the track's end; the sentence says how long it is.
    """
    if view.current is None:
        raise NothingPlaying("Nothing is playing.")
    duration_ms = view.current.track.duration_ms
    if duration_ms is not None and position_ms >= duration_ms:
        length = track_text.clock_time(duration_ms)
        raise Refusal(f"That is beyond the end: the track is {length} long.")


def sought(view: PlayerView, position_ms: int) -> Reply:
    """Say where the track is now."""
    if view.current is None:
        raise NothingPlaying("Nothing is playing.")
    track = view.current.track
    bar = track_text.progress_bar(position_ms, track.duration_ms)
    forward = position_ms >= view.position_ms
    return done("⏩ Forward" if forward else "⏪ Back", f"{track_text.name(track)}\n{bar}")


def jumped(outcome: SkipOutcome) -> Reply:
    """Say what plays now and how much was passed over."""
    name = track_text.name((outcome.next or outcome.skipped).track)
    over = outcome.count - 1
    passed = f"\n{over:,} queued {'track was' if over == 1 else 'tracks were'} passed over."
    return done("⏭️ Jumped", name + (passed if over else ""))


def replayed(entry: QueuedTrack) -> Reply:
    """Say what begins again."""
    return done("🔁 From the beginning", track_text.name(entry.track))
