"""What members read while and after a track is brought in."""

from bot.kit import track_text
from bot.kit.replies import Reply, done, waiting
from bot.kit.typed_text import code, escaped, link, plain
from cogs.play.adding import Added, How
from services.audio.track import Playlist, Track

_TITLE = 200
_QUERY = 100


def queuing(what: str) -> Reply:
    """Say that an address or file is being looked at."""
    return waiting("⏳ Queuing…", escaped(what, _TITLE))


def searching(text: str) -> Reply:
    """Say that a search goes on."""
    return waiting("🔎 Searching…", code(text, _QUERY))


def added(outcome: Added, *, by: str) -> Reply:
    """Say what stands in the queue now; `by` is the name of who added it."""
    found = outcome.found
    body = _playlist(found) if isinstance(found, Playlist) else _track(found)
    where = _where(outcome)
    return done(
        "✅ Added to queue",
        f"{body}\n{where}" if where else body,
        footer=f"Added by {plain(by, 80)}",
        picture=found.artwork_url if isinstance(found, Track) else None,
    )


def _track(track: Track) -> str:
    return f"{track_text.name(track, _TITLE)} {track_text.length(track)}"


def _playlist(playlist: Playlist) -> str:
    count = len(playlist.tracks)
    lines = [f"**{count:,} tracks** of {link(playlist.title, playlist.url, _TITLE)}"]
    if playlist.refused:
        lines.append(f"{playlist.refused:,} were left out: too long, live or not available.")
    if playlist.total > (read := count + playlist.refused):
        lines.append(f"The list is longer: only its first {read:,} were read.")
    return "\n".join(lines)


def _where(outcome: Added) -> str:
    if outcome.started:
        return ""
    return "Plays next" if outcome.how is How.FIRST else f"Position {outcome.position:,}"
