"""Ids that encode the time of their making, as Discord's do (reference, "Snowflakes")."""

from tests.simulator.clock import Clock

EPOCH_SECONDS = 1_420_070_400
"""Discord's zero: the first second of 2015."""

_YEAR_SECONDS = 365 * 86_400


def snowflake_at(wall: float, increment: int = 0) -> int:
    """Return an id made at a wall time."""
    return (int((wall - EPOCH_SECONDS) * 1000) << 22) | increment


def wall_time_of(snowflake: int) -> float:
    """Return the wall time that an id encodes."""
    return (snowflake >> 22) / 1000 + EPOCH_SECONDS


class Snowflakes:
    """Makes ids that grow and never repeat."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0
        self._last_settled = snowflake_at(clock.wall() - _YEAR_SECONDS)

    def new(self) -> int:
        """Return the id of something that happens now."""
        self._last = max(snowflake_at(self._clock.wall()), self._last + 1)
        return self._last

    def settled(self) -> int:
        """Return the id of something that has existed for a year.

        Each is a millisecond younger than the one before, so that guilds spread over shards.
        """
        self._last_settled += 1 << 22
        return self._last_settled


def as_snowflake(value: object) -> int | None:
    """Read an id that was sent as a number or as digits; None when it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 1 << 63 else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        return int(value)
    return None
