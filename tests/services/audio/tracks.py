"""Tracks for tests."""

from services.audio.track import Source, Track


def track(name: str, *, duration_ms: int | None = 180_000, is_live: bool = False) -> Track:
    """Return a track whose address and title are `name`."""
    return Track(
        url=name,
        title=name,
        source=Source.DIRECT,
        requested_by=7,
        duration_ms=duration_ms,
        is_live=is_live,
    )
