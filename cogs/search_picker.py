"""Lets a member choose between the tracks that a search has found."""

from collections.abc import Sequence

from bot.kit import track_text
from bot.kit.choosing import Choosing
from bot.kit.invocation import Invocation
from bot.kit.replies import Reply, info
from bot.kit.typed_text import plain
from services.audio.track import Track

_LINE = 200
_QUERY = 100


class SearchPicker:
    """Shows search results with a button each."""

    def __init__(self, choosing: Choosing) -> None:
        self._choosing = choosing

    async def pick(self, call: Invocation, text: str, tracks: Sequence[Track]) -> Track | None:
        """Return the track that the author chose; None after Cancel or two minutes."""
        labels = [track.title for track in tracks]
        chosen = await self._choosing.choose(call, question(text, tracks), labels)
        return None if chosen is None else tracks[chosen]


def question(text: str, tracks: Sequence[Track]) -> Reply:
    """Show what was found."""
    lines = [
        f"`{number}.` {track_text.name(track, _LINE)} {track_text.length(track)}"
        for number, track in enumerate(tracks, start=1)
    ]
    return info("🔎 Choose a track", "\n".join(lines), footer=f"Search: {plain(text, _QUERY)}")
