"""Keeps one member's flood of commands from taking the bot away from everybody else."""

from dataclasses import dataclass

from services.clock import Clock

_FORGET_ABOVE = 1000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float
    told: bool = False


class Pace:
    """A token bucket for each member: `burst` commands at once, then one in `seconds_each`."""

    def __init__(self, clock: Clock, *, burst: int = 10, seconds_each: float = 1.0) -> None:
        self._clock = clock
        self._burst = float(burst)
        self._seconds_each = seconds_each
        self._buckets: dict[tuple[int, int], _Bucket] = {}

    def allows(self, guild_id: int, user_id: int) -> bool:
        """Take one command from the member's bucket; False when it is empty."""
        now = self._clock.monotonic()
        if len(self._buckets) > _FORGET_ABOVE:
            self._forget(now)
        bucket = self._buckets.setdefault((guild_id, user_id), _Bucket(self._burst, now))
        bucket.tokens = self._level(bucket, now)
        bucket.filled_at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        bucket.told = False
        return True

    def first_refusal(self, guild_id: int, user_id: int) -> bool:
        """Tell whether the member has not been told yet since the bucket ran empty."""
        bucket = self._buckets[guild_id, user_id]
        told, bucket.told = bucket.told, True
        return not told

    def _level(self, bucket: _Bucket, now: float) -> float:
        refilled = bucket.tokens + (now - bucket.filled_at) / self._seconds_each
        return min(self._burst, refilled)

    def _forget(self, now: float) -> None:
        full = [key for key, b in self._buckets.items() if self._level(b, now) >= self._burst]
        for key in full:
            del self._buckets[key]
