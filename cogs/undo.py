"""`undo`, and the button under everything that destroys or reorders the queue.

The button is served by its custom id, not by its message, so a click is answered also when the bot
was restarted in between: nothing can be undone then, and the member reads that.
"""

import contextlib
import logging
from typing import Protocol

from bot.kit import track_text
from bot.kit.checks import same_voice_channel
from bot.kit.clicks.click import Click
from bot.kit.clicks.custom_id import values_of
from bot.kit.clicks.durable import ClickConsumer
from bot.kit.dual_command import CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.outbox import Undelivered
from bot.kit.replies import Json, Reply, done, refused
from bot.kit.saving import once_saved
from bot.kit.undo_button import UNDO_PREFIX
from bot.kit.voice_places import VoicePlaces, clicker_in_voice
from services.audio.player_service import PlayerService
from services.audio.undo_log import Change, Moved, Removed, Shuffled, Skipped
from services.errors import Refusal, UserError

_log = logging.getLogger(__name__)

_LONGEST_NUMBER = 19


class ClickSource(Protocol):
    """Sends clicks by their custom id (`bot.kit.clicks.router.Clicks`)."""

    def durable(self, prefix: str, consumer: ClickConsumer, *, decides: bool = False) -> None:
        """Send all clicks whose custom id begins with `prefix` to `consumer`, for good."""
        ...


class Undo:
    """Takes changes back."""

    def __init__(self, player: PlayerService, places: VoicePlaces) -> None:
        self._player = player
        self._places = places

    @command(
        CommandSpec(
            name="undo",
            summary="Take the last change of the queue back",
            checks=(same_voice_channel,),
            details="For a minute after clear, remove, move, shuffle, skip and jump.",
        )
    )
    async def undo(self, call: Invocation) -> Reply:
        """Take the newest change back."""
        change = await self._player.undo(call.guild_id)
        return await once_saved(self._player.stored, call.guild_id, undone(change))

    def register(self, clicks: ClickSource) -> None:
        """Ask for the clicks on undo buttons."""
        clicks.durable(UNDO_PREFIX, self.consume)

    async def consume(self, click: Click) -> None:
        """Take the change back that the clicked message tells of."""
        try:
            clicker_in_voice(self._places, click)
        except Refusal as error:
            await _tell(click, error.sentence)
            return
        body: Json = {"components": []}
        try:
            change = await self._player.undo(click.guild_id or 0, _number(click))
            reply = await once_saved(self._player.stored, click.guild_id or 0, undone(change))
            body = reply.body()
        except UserError as error:
            await _tell(click, error.sentence)
        with contextlib.suppress(Undelivered):  # the message was deleted
            await click.answer.edit_original(body)


def _number(click: Click) -> int:
    """Return which change is meant; one that never was for a custom id that is not ours."""
    text = "".join(values_of(click.custom_id, UNDO_PREFIX)[:1])
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_NUMBER else 0


async def _tell(click: Click, sentence: str) -> None:
    reply = refused("⛔ That cannot be done", sentence)
    try:
        await click.answer.follow_up(reply.body(), private=True)
    except Undelivered as error:
        _log.info("a member was not told what came of a click: %s", error)


def undone(change: Change) -> Reply:
    """Say what is as it was before."""
    match change:
        case Removed(count=count):
            tracks = "1 track is" if count == 1 else f"{count:,} tracks are"
            text = f"{tracks} back in the queue."
        case Moved(entry=entry):
            text = f"{track_text.name(entry.track)}\nIt is back where it was."
        case Shuffled():
            text = "The queue is in its old order."
        case Skipped(entry=entry, position_ms=position_ms):
            at = track_text.clock_time(position_ms)
            text = f"{track_text.name(entry.track)}\nIt goes on at `{at}`."
    return done("↩️ Undone", text)
