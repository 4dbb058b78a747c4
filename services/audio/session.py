"""The part of a guild's player that lives as long as the bot stays in its voice channel."""

from dataclasses import dataclass

from services.audio.player_state import LoopMode

DEFAULT_VOLUME = 100
MAX_VOLUME = 500


@dataclass(slots=True, kw_only=True)
class Session:
    """Where the player is and how it plays; `volume` alone outlives the session."""

    guild_id: int
    voice_channel_id: int | None = None
    text_channel_id: int | None = None
    paused: bool = False
    paused_by: int | None = None
    volume: int = DEFAULT_VOLUME
    loop: LoopMode = LoopMode.OFF
    silent: bool = False

    def unpause(self) -> None:
        """Forget the pause."""
        self.paused = False
        self.paused_by = None

    def end(self) -> None:
        """Go back to rest."""
        self.unpause()
        self.voice_channel_id = None
        self.text_channel_id = None
        self.loop = LoopMode.OFF
        self.silent = False
