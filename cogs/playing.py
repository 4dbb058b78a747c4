"""`playing`: the current track and how far it is."""

from bot.kit import track_text
from bot.kit.dual_command import CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.replies import Field, Reply, info, waiting
from services.audio.errors import NothingPlaying
from services.audio.player_service import PlayerService
from services.audio.player_state import PlayerView


class Playing:
    """Shows the current track."""

    def __init__(self, player: PlayerService) -> None:
        self._player = player

    @command(
        CommandSpec(name="playing", summary="Show the current track", aliases=("np", "nowplaying"))
    )
    async def playing(self, call: Invocation) -> Reply:
        """Show the current track with a progress bar, its source and who added it."""
        return card(self._player.view(call.guild_id))


def card(view: PlayerView) -> Reply:
    """Show the current track.

    Raises:
        NothingPlaying: there is none.
    """
    if view.current is None:
        raise NothingPlaying("Nothing is playing. Start something with `play`.")
    track = view.current.track
    parts = [
        track_text.name(track),
        track_text.progress_bar(view.position_ms, track.duration_ms),
    ]
    fields = (
        Field("Source", track_text.source_name(track)),
        Field("Added by", f"<@{track.requested_by}>"),
        Field("Volume", f"{view.volume} %"),
    )
    text = "\n".join(parts)
    if view.paused:
        by = f"\nPaused by <@{view.paused_by}>" if view.paused_by else ""
        return waiting("⏸️ Paused", text + by, fields=fields, picture=track.artwork_url)
    return info("🎶 Now playing", text, fields=fields, picture=track.artwork_url)
