"""One track in one player, from being opened to its end."""

from dataclasses import dataclass, field
from typing import Any

from bot.node.encoded_track import TrackInfo
from bot.node.http_media import MediaUnreadable
from bot.node.source import Source


@dataclass(slots=True, eq=False)
class Playback:
    """An open track as a player plays it; compared by identity.

    `start` and `end` are seconds in the track; no `end`: play to the last sample.
    """

    source: Source
    info: TrackInfo
    user_data: dict[str, Any] = field(default_factory=dict)
    start: float = 0.0
    end: float | None = None
    passes_through: bool = True
    """Cleared when a packet turned up that cannot be sent as it is."""
    failure: MediaUnreadable | None = None
    """Why its sound ends before its end; None where it does not."""
