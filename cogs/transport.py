"""`pause`, `resume`, `skip` and `stop`."""

from bot.kit import track_text
from bot.kit.checks import same_voice_channel
from bot.kit.converters import Integer
from bot.kit.dual_command import CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.replies import Reply, done, waiting
from bot.kit.saving import once_saved
from bot.kit.undo_button import undoable
from services.audio.player_service import PlayerService
from services.audio.player_state import QueuedTrack, SkipOutcome

_CHECKS = (same_voice_channel,)


class Transport:
    """Acts on what is playing."""

    def __init__(self, player: PlayerService) -> None:
        self._player = player

    @command(CommandSpec(name="pause", summary="Pause the music", checks=_CHECKS))
    async def pause(self, call: Invocation) -> Reply:
        """Pause at the very position."""
        entry = await self._player.pause(call.guild_id, by=call.author.id)
        return await self._saved(call, paused(entry))

    @command(CommandSpec(name="resume", summary="Go on with paused music", checks=_CHECKS))
    async def resume(self, call: Invocation) -> Reply:
        """Go on where the music was paused."""
        entry = await self._player.resume(call.guild_id)
        return await self._saved(call, resumed(entry))

    @command(
        CommandSpec(
            name="skip",
            summary="Skip the playing track, or several",
            arguments=(
                Integer(name="count", description="How many tracks", required=False, default=1),
            ),
            checks=_CHECKS,
            examples=("skip", "skip 3"),
            details="Skipping beyond the end of the queue ends the music.",
        )
    )
    async def skip(self, call: Invocation, count: int) -> Reply:
        """Go on with a later track."""
        outcome = await self._player.skip(call.guild_id, count)
        return await self._saved(call, undoable(skipped(outcome), outcome.undo))

    @command(
        CommandSpec(
            name="stop",
            summary="End the music and clear the queue",
            checks=_CHECKS,
            details="The history is kept, and I stay in the channel for a while.",
        )
    )
    async def stop(self, call: Invocation) -> Reply:
        """End the music."""
        await self._player.stop(call.guild_id)
        return await self._saved(call, done("⏹️ Stopped", "The queue is empty now."))

    async def _saved(self, call: Invocation, reply: Reply) -> Reply:
        return await once_saved(self._player.stored, call.guild_id, reply)


def paused(entry: QueuedTrack) -> Reply:
    """Say what waits now."""
    return waiting("⏸️ Paused", f"{track_text.name(entry.track)}\nGo on with `resume` or `play`.")


def resumed(entry: QueuedTrack) -> Reply:
    """Say what goes on."""
    return done("▶️ Resumed", track_text.name(entry.track))


def skipped(outcome: SkipOutcome) -> Reply:
    """Say what was skipped and what comes instead."""
    what = track_text.name(outcome.skipped.track)
    if outcome.count > 1:
        what = f"{outcome.count:,} tracks"
    if outcome.next is None:
        return done("⏭️ Skipped", f"{what}\nThat was the end of the queue.")
    return done("⏭️ Skipped", f"{what}\nNext: {track_text.name(outcome.next.track)}")
