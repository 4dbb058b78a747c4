"""Which tracks this bot plays: not longer than the admin's limit, and no livestreams."""

from dataclasses import dataclass

from services.audio.errors import TrackRefused

_MINUTE_MS = 60_000
_MINUTES_IN_HOUR = 60


@dataclass(frozen=True, slots=True)
class TrackLimits:
    """The admin's limits (`MAX_TRACK_MINUTES`); a length that is not known passes."""

    max_minutes: int

    @property
    def max_ms(self) -> int:
        """The longest that a track may last."""
        return self.max_minutes * _MINUTE_MS

    @property
    def overlong(self) -> str:
        """The sentence on a track that shows its length only by playing on and on."""
        return f"It goes on for more than the {self.max_minutes} min that this bot plays."

    def check(self, *, duration_ms: int | None, is_live: bool) -> None:
        """Let a track pass that may be played.

        Raises:
            TrackRefused: it is too long, or live.
        """
        if is_live:
            raise TrackRefused("That is a livestream, and this bot plays only things that end.")
        if duration_ms is not None and duration_ms > self.max_ms:
            raise TrackRefused(
                f"That track is {_in_words(duration_ms)} long, "
                f"and this bot plays tracks of up to {self.max_minutes} min."
            )

    def allows(self, *, duration_ms: int | None, is_live: bool) -> bool:
        """Tell whether `check` would let it pass."""
        return not is_live and (duration_ms is None or duration_ms <= self.max_ms)


DEFAULT_LIMITS = TrackLimits(max_minutes=60)


def _in_words(duration_ms: int) -> str:
    # a started minute counts: 60 min 1 s must not read "60 min long, up to 60 min"
    hours, minutes = divmod(-(-duration_ms // _MINUTE_MS), _MINUTES_IN_HOUR)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
