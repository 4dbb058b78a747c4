"""`volume`: how loud the music is."""

import re
from dataclasses import dataclass

from bot.kit.checks import same_voice_channel
from bot.kit.converters import Parsed, WrongArgument
from bot.kit.dual_command import CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.replies import Reply, done, info
from bot.kit.saving import once_saved
from services.audio.player_service import PlayerService

_MOST = 100
_MOST_FORCED = 500
_WRITTEN = re.compile(r"(?P<number>\d{1,4})\s*%?\s*(?P<forced>!?)", re.ASCII)
_BAR_CELLS = 10


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume in per cent that somebody asked for."""

    percent: int


def parse_volume(text: str) -> Volume:
    """Read `80`, `80%`, or with an exclamation mark up to `500!`.

    Raises:
        WrongArgument: it is no number, or outside of the limits.
    """
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise WrongArgument(f"The volume must be a number from 1 to {_MOST}.")
    percent = int(written["number"])
    most = _MOST_FORCED if written["forced"] else _MOST
    if 1 <= percent <= most:
        return Volume(percent)
    if _MOST < percent <= _MOST_FORCED:
        raise WrongArgument(f"More than {_MOST} distorts; if you mean it, write `{percent}!`.")
    raise WrongArgument(f"The volume must be from 1 to {_MOST}, or to {_MOST_FORCED} with a `!`.")


class Sound:
    """Shows and changes how loud the guild's music is."""

    def __init__(self, player: PlayerService) -> None:
        self._player = player

    @command(
        CommandSpec(
            name="volume",
            summary="Show or set the volume",
            arguments=(
                Parsed(
                    name="percent",
                    description="1 to 100; with an exclamation mark up to 500",
                    parse=parse_volume,
                    required=False,
                ),
            ),
            aliases=("vol",),
            examples=("volume 60", "volume 200!"),
            details="It is kept for this server.",
        )
    )
    async def volume(self, call: Invocation, percent: Volume | None) -> Reply:
        """Show the volume, or set it for what plays now and later."""
        if percent is None:
            return shown(self._player.view(call.guild_id).volume)
        same_voice_channel(call)
        await self._player.set_volume(call.guild_id, percent.percent)
        reply = done(*_title_and_bar(percent.percent))
        return await once_saved(self._player.stored, call.guild_id, reply)


def shown(percent: int) -> Reply:
    """Show the volume as it is."""
    return info(*_title_and_bar(percent))


def _title_and_bar(percent: int) -> tuple[str, str]:
    full = min(round(percent / _MOST * _BAR_CELLS), _BAR_CELLS)
    return f"🔊 Volume {percent} %", "▰" * full + "▱" * (_BAR_CELLS - full)
