"""How tracks, lengths and positions are written in messages."""

from bot.kit.typed_text import link
from services.audio.track import Source, Track

_MINUTE = 60
_BAR_CELLS = 18

_SOURCES = {
    Source.YOUTUBE: "YouTube",
    Source.SPOTIFY: "Spotify",
    Source.SOUNDCLOUD: "SoundCloud",
    Source.BANDCAMP: "Bandcamp",
    Source.DIRECT: "direct link",
    Source.ATTACHMENT: "attached file",
    Source.LIBRARY: "library",
    Source.SITE: "web site",
}


def clock_time(milliseconds: int) -> str:
    """Return a position or length as `m:ss` or `h:mm:ss`."""
    minutes, seconds = divmod(max(milliseconds, 0) // 1000, _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def length(track: Track) -> str:
    """Return the track's length as inline code; "live" or "?" where there is none."""
    if track.is_live:
        return "`live`"
    return "`?`" if track.duration_ms is None else f"`{clock_time(track.duration_ms)}`"


def name(track: Track, limit: int = 200) -> str:
    """Return title and artist as a link to the track, at most `limit` long."""
    artist = track.artist
    said = track.title if not artist or artist in track.title else f"{track.title} · {artist}"
    return link(said, track.url, limit)


def line(track: Track, limit: int = 200) -> str:
    """Return the track with its length and who added it, at most about `limit` long."""
    return f"{name(track, limit - 50)} {length(track)} · <@{track.requested_by}>"


def source_name(track: Track) -> str:
    """Return where the sound comes from, in words."""
    return _SOURCES[track.source]


def progress_bar(position_ms: int, duration_ms: int | None) -> str:
    """Draw how far the track is, with times at both ends."""
    if not duration_ms:
        return f"`{clock_time(position_ms)}`"
    done = min(max(position_ms / duration_ms, 0.0), 1.0)
    knob = round(done * (_BAR_CELLS - 1))
    bar = "━" * knob + "⬤" + "─" * (_BAR_CELLS - 1 - knob)
    return f"`{clock_time(position_ms)}` {bar} `{clock_time(duration_ms)}`"
