"""The bot's own status line: what plays, or how to begin."""

from collections.abc import Awaitable, Callable

from bot.kit.clicks.last_state import LastState
from bot.kit.typed_text import plain
from services.audio.player_events import NowPlaying, PlaybackMoved, PlaybackWentOn, PlayerEvent
from services.clock import Clock

_WAITING = "!help · waiting for !play"
_LENGTH = 128
_EVERY_SECONDS = 5.0
"""Discord takes 120 gateway messages a minute; presence must leave room for voice."""

type SetStatus = Callable[[str], Awaitable[object]]


class Presence:
    """Follows the players of all guilds; everybody sees the same line."""

    def __init__(self, set_status: SetStatus, clock: Clock) -> None:
        self._playing: dict[int, str] = {}
        self._line = LastState[str](set_status, clock=clock, every=_EVERY_SECONDS)

    def receive(self, event: PlayerEvent) -> None:
        """Take an event of any guild's player."""
        if isinstance(event, NowPlaying | PlaybackWentOn):
            self._playing[event.guild_id] = event.entry.track.title
        elif isinstance(event, PlaybackMoved):
            return
        else:
            self._playing.pop(event.guild_id, None)
        self.refresh()

    def refresh(self) -> None:
        """Show the line as it should be."""
        self._line.show(self.text())

    async def on_ready(self) -> None:
        """Show the line again: a new gateway session begins without one.

        A listener for nextcord's event of that name.
        """
        self.refresh()

    def text(self) -> str:
        """Return the line as it should be."""
        if not self._playing:
            return _WAITING
        if len(self._playing) == 1:
            (title,) = self._playing.values()
            return plain(title, _LENGTH)
        return f"music in {len(self._playing):,} servers"

    async def close(self) -> None:
        """Change nothing any more."""
        await self._line.close()
