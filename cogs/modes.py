"""`loop` and `silent`: what this session does by itself when a track ends or begins."""

from bot.kit.checks import same_voice_channel
from bot.kit.converters import OneOf
from bot.kit.dual_command import CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.replies import Reply, done
from bot.kit.saving import once_saved
from services.audio.player_service import PlayerService
from services.audio.player_state import LoopMode

_CHECKS = (same_voice_channel,)

_NEXT = {
    LoopMode.OFF: LoopMode.TRACK,
    LoopMode.TRACK: LoopMode.QUEUE,
    LoopMode.QUEUE: LoopMode.OFF,
}

_LOOPED = {
    LoopMode.OFF: ("➡️ Loop off", "Each track plays once."),
    LoopMode.TRACK: ("🔂 Looping the track", "The current track plays again and again."),
    LoopMode.QUEUE: ("🔁 Looping the queue", "What has played goes to the end of the queue."),
}


class Modes:
    """Changes how the session goes on."""

    def __init__(self, player: PlayerService) -> None:
        self._player = player

    @command(
        CommandSpec(
            name="loop",
            summary="Repeat the track or the queue",
            arguments=(
                OneOf(
                    name="mode",
                    description="What is repeated; left out: the next of off, track and queue",
                    choices=tuple(mode.value for mode in LoopMode),
                    required=False,
                ),
            ),
            aliases=("repeat",),
            checks=_CHECKS,
            examples=("loop track", "loop queue", "loop off"),
            details="Without a word it goes from off to track, to queue, and to off again.",
        )
    )
    async def loop(self, call: Invocation, mode: str | None) -> Reply:
        """Set the loop mode, or go to the next one."""
        before = self._player.view(call.guild_id).loop
        wanted = _NEXT[before] if mode is None else LoopMode(mode)
        await self._player.set_loop(call.guild_id, wanted)
        return await self._saved(call, done(*_LOOPED[wanted]))

    @command(
        CommandSpec(
            name="silent",
            summary="Show no messages for new tracks in this session, or show them again",
            arguments=(
                OneOf(
                    name="state",
                    description="On: no messages; left out: the other way than now",
                    choices=("on", "off"),
                    required=False,
                ),
            ),
            aliases=("shh", "quiet"),
            checks=_CHECKS,
            examples=("silent", "silent off"),
            details="It ends when I leave the voice channel.",
        )
    )
    async def silent(self, call: Invocation, state: str | None) -> Reply:
        """Set whether new tracks are announced."""
        before = self._player.view(call.guild_id).silent
        silent = not before if state is None else state == "on"
        self._player.set_silent(call.guild_id, silent=silent)
        return await self._saved(call, told(silent=silent))

    async def _saved(self, call: Invocation, reply: Reply) -> Reply:
        return await once_saved(self._player.stored, call.guild_id, reply)


def told(*, silent: bool) -> Reply:
    """Say whether new tracks have messages."""
    if silent:
        return done("🤫 Silent", "New tracks are not announced until I leave, or `silent off`.")
    return done("📣 Not silent", "New tracks are announced.")
