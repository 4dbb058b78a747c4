"""When a gathering starts: durations and times of the day, two hours ahead at most."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.gather.times import (
    NotLater,
    StartNotUnderstood,
    StartTooFar,
    read_extension,
    read_start,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)  # 14:00 in Berlin


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("10m", 10), ("1h 30m", 90), ("90s", 1.5), ("2h", 120), ("14:30", 30), ("15:59", 119)],
)
def test_start_is_a_duration_or_a_time_in_the_guilds_zone(text: str, minutes: float) -> None:
    assert read_start(text, now=NOW, zone=BERLIN) == NOW + timedelta(minutes=minutes)


def test_start_time_that_has_passed_is_tomorrows() -> None:
    late = datetime(2026, 5, 1, 21, 50, tzinfo=UTC)  # 23:50 in Berlin
    assert read_start("0:10", now=late, zone=BERLIN) == late + timedelta(minutes=20)


@pytest.mark.parametrize("text", ["2h 1s", "13:59", "16:01", "3d", "1y", "999999999y"])
def test_start_more_than_two_hours_ahead_is_refused(text: str) -> None:
    with pytest.raises(StartTooFar):
        read_start(text, now=NOW, zone=BERLIN)


@pytest.mark.parametrize(
    "text", ["soon", "25:00", "10", "tomorrow", "24-12-2026", "10m 10m", "-5m"]
)
def test_start_that_is_neither_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(StartNotUnderstood, match=r"14:30"):
        read_start(text, now=NOW, zone=BERLIN)


@pytest.mark.parametrize(("text", "minutes"), [("5m", 5), ("14:30", 20)])
def test_extension_is_added_or_names_the_new_start(text: str, minutes: float) -> None:
    starts_at = NOW + timedelta(minutes=10)
    longer = read_extension(text, starts_at=starts_at, now=NOW, zone=BERLIN)
    assert longer == timedelta(minutes=minutes)


def test_extension_to_an_earlier_start_is_refused() -> None:
    with pytest.raises(NotLater):
        read_extension("14:05", starts_at=NOW + timedelta(minutes=10), now=NOW, zone=BERLIN)
    with pytest.raises(NotLater):
        read_extension("0m", starts_at=NOW + timedelta(minutes=10), now=NOW, zone=BERLIN)
