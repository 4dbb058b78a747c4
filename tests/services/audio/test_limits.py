"""Too long and endless things are refused with the limit named."""

import pytest

from services.audio.errors import TrackRefused
from services.audio.limits import TrackLimits

HOUR = 3_600_000


def test_track_of_exactly_the_limit_passes() -> None:
    TrackLimits(60).check(duration_ms=HOUR, is_live=False)


def test_track_of_unknown_length_passes() -> None:
    TrackLimits(60).check(duration_ms=None, is_live=False)


@pytest.mark.parametrize(
    ("duration_ms", "words"),
    [(HOUR + 1, "1 h 1 min"), (10 * HOUR, "10 h long"), (90 * 60_000, "1 h 30 min")],
)
def test_track_over_the_limit_is_refused_with_its_length(duration_ms: int, words: str) -> None:
    with pytest.raises(TrackRefused, match=words) as refused:
        TrackLimits(60).check(duration_ms=duration_ms, is_live=False)
    assert "60 min" in refused.value.sentence


def test_short_limit_is_told_in_minutes() -> None:
    with pytest.raises(TrackRefused, match="6 min long"):
        TrackLimits(5).check(duration_ms=5 * 60_000 + 1, is_live=False)


def test_livestream_is_refused() -> None:
    with pytest.raises(TrackRefused, match="livestream"):
        TrackLimits(60).check(duration_ms=None, is_live=True)


def test_allows_agrees_with_check() -> None:
    limits = TrackLimits(60)
    assert limits.allows(duration_ms=HOUR, is_live=False)
    assert not limits.allows(duration_ms=HOUR + 1, is_live=False)
    assert not limits.allows(duration_ms=1, is_live=True)
