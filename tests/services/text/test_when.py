"""What members may write for a moment, in any zone and over both changes of summer time."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.text.when import (
    FARTHEST,
    FORMS,
    REPEAT_FORMS,
    Repeat,
    WhenInThePast,
    WhenNotUnderstood,
    WhenTooFar,
    is_a_time,
    parse_repeat,
    parse_span,
    parse_when,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=BERLIN)  # a Friday in winter time


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("10s", "2026-11-20 12:00:10"),
        ("90m", "2026-11-20 13:30:00"),
        ("1h 30m", "2026-11-20 13:30:00"),
        ("1h30m", "2026-11-20 13:30:00"),
        ("2 hours 5 min", "2026-11-20 14:05:00"),
        ("7d", "2026-11-27 12:00:00"),
        ("2w", "2026-12-04 12:00:00"),
        ("1mo 15s", "2026-12-20 12:00:15"),
        ("1y", "2027-11-20 12:00:00"),
        ("14:30", "2026-11-20 14:30:00"),
        ("12:00", "2026-11-21 12:00:00"),
        ("9:05", "2026-11-21 09:05:00"),
        ("24-12-2026", "2026-12-24 09:00:00"),
        ("24-12-2026_15:30", "2026-12-24 15:30:00"),
        ("24-12-2026 15:30", "2026-12-24 15:30:00"),
        ("Tomorrow", "2026-11-21 09:00:00"),
        ("week", "2026-11-27 09:00:00"),
        ("tomorrow 14:30", "2026-11-21 14:30:00"),
        ("week_7:15", "2026-11-27 07:15:00"),
        # over the change to summer time (29 March 2027): the wall clock shows the same
        ("5mo", "2027-04-20 12:00:00"),
        ("29-03-2027_02:30", "2027-03-29 02:30:00"),
    ],
)
def test_when_of_a_known_form_is_that_moment_on_the_wall(text: str, moment: str) -> None:
    shown = parse_when(text, now=NOW, zone=BERLIN).astimezone(BERLIN)
    assert shown.strftime("%Y-%m-%d %H:%M:%S") == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "10",
        "10x",
        "s10",
        "1h 2h",
        "25:00",
        "12:60",
        "31-02-2027",
        "24-12-2026_99:00",
        "24/12/2026",
        "-5m",
        "1h and 2m",
        "tomorrow 25:00",
        "tomorrow morning",
        "every day 09:00",  # no moment, but many
        "1" * 80 + "s",
    ],
)
def test_when_of_another_form_lists_the_forms(text: str) -> None:
    with pytest.raises(WhenNotUnderstood) as caught:
        parse_when(text, now=NOW, zone=BERLIN)
    assert all(form in caught.value.sentence for form in FORMS)


@pytest.mark.parametrize("text", ["0s", "19-11-2026", "20-11-2026_11:59", "24-12-2020"])
def test_when_in_the_past_is_refused(text: str) -> None:
    with pytest.raises(WhenInThePast):
        parse_when(text, now=NOW, zone=BERLIN)


@pytest.mark.parametrize("text", ["3y", "24-12-2999", "999999999d", "999999999y", "999999999h"])
def test_when_beyond_two_years_is_refused(text: str) -> None:
    with pytest.raises(WhenTooFar):
        parse_when(text, now=NOW, zone=BERLIN)


def test_when_a_month_is_too_short_ends_on_its_last_day() -> None:
    end_of_january = datetime(2027, 1, 31, 8, tzinfo=UTC)
    moment = parse_when("1mo", now=end_of_january, zone=ZoneInfo("UTC"))
    assert moment == datetime(2027, 2, 28, 8, tzinfo=UTC)


def test_when_in_the_hour_that_summer_time_skips_moves_forward() -> None:
    evening = datetime(2027, 3, 27, 20, 0, tzinfo=BERLIN)
    moment = parse_when("02:30", now=evening, zone=BERLIN)
    assert moment.astimezone(BERLIN).strftime("%d %H:%M") == "28 03:30"


def test_when_in_the_hour_that_winter_time_repeats_means_the_first() -> None:
    evening = datetime(2026, 10, 24, 20, 0, tzinfo=BERLIN)
    moment = parse_when("02:30", now=evening, zone=BERLIN)
    assert moment == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_when_seconds_are_exact_over_a_change_of_summer_time() -> None:
    evening = datetime(2027, 3, 27, 20, 0, tzinfo=BERLIN)
    assert parse_when("24h", now=evening, zone=BERLIN) - evening == timedelta(hours=24)
    day_later = parse_when("1d", now=evening, zone=BERLIN)
    assert day_later.astimezone(BERLIN).strftime("%d %H:%M") == "28 20:00"


ZONES = st.sampled_from(["Europe/Berlin", *sorted(available_timezones())]).map(ZoneInfo)
MOMENTS = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001 -- Hypothesis adds the zone
    max_value=datetime(2030, 1, 1),  # noqa: DTZ001 -- likewise
    timezones=st.just(UTC),
)


@given(now=MOMENTS, zone=ZONES, seconds=st.integers(min_value=1, max_value=10**6))
def test_when_in_seconds_round_trips_in_any_zone(
    now: datetime, zone: ZoneInfo, seconds: int
) -> None:
    assert parse_when(f"{seconds}s", now=now, zone=zone) == now + timedelta(seconds=seconds)


@given(now=MOMENTS, zone=ZONES, ahead=st.integers(min_value=2, max_value=700 * 24 * 60))
def test_when_as_date_and_time_round_trips_on_the_wall(
    now: datetime, zone: ZoneInfo, ahead: int
) -> None:
    wall = (now + timedelta(minutes=ahead)).astimezone(zone)
    assume(wall.fold == 0)  # a repeated hour means its first
    moment = parse_when(wall.strftime("%d-%m-%Y_%H:%M"), now=now, zone=zone)
    assert moment.astimezone(zone).strftime("%H:%M") == wall.strftime("%H:%M")
    assert now < moment <= now + FARTHEST


@given(text=st.text(alphabet="0123456789smhdwoy :-_", max_size=20), now=MOMENTS, zone=ZONES)
def test_when_of_any_text_is_a_future_moment_or_a_refusal(
    text: str, now: datetime, zone: ZoneInfo
) -> None:
    try:
        moment = parse_when(text, now=now, zone=zone)
    except (WhenNotUnderstood, WhenInThePast, WhenTooFar):
        return
    assert now < moment <= now + FARTHEST


def test_span_keeps_calendar_and_exact_parts_apart() -> None:
    span = parse_span("1y 2mo 3w 4d 5h 6m 7s")
    assert span is not None
    assert (span.months, span.days) == (14, 25)
    assert span.exact == timedelta(hours=5, minutes=6, seconds=7)


# ── again and again ─────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("text", "shown", "moment"),
    [
        ("every day 09:00", "every day 09:00", "Sat 2026-11-21 09:00"),
        ("every day 12:01", "every day 12:01", "Fri 2026-11-20 12:01"),
        ("Every  Monday 18:30", "every monday 18:30", "Mon 2026-11-23 18:30"),
        ("every fri 8:05", "every friday 08:05", "Fri 2026-11-27 08:05"),
        ("every friday 12:00", "every friday 12:00", "Fri 2026-11-27 12:00"),
        ("every sunday 0:00", "every sunday 00:00", "Sun 2026-11-22 00:00"),
    ],
)
def test_repeat_of_a_known_form_comes_next_at_that_moment(
    text: str, shown: str, moment: str
) -> None:
    repeat = parse_repeat(text)
    assert repeat is not None
    assert str(repeat) == shown
    assert parse_repeat(shown) == repeat
    then = repeat.after(NOW, BERLIN)
    assert then.astimezone(BERLIN).strftime("%a %Y-%m-%d %H:%M") == moment


@pytest.mark.parametrize(
    "text", ["every", "every day", "every month 09:00", "every day 24:00", "day 09:00", "every 10m"]
)
def test_repeat_of_another_form_is_none(text: str) -> None:
    assert parse_repeat(text) is None


def test_repeat_keeps_the_wall_clock_over_both_changes_of_summer_time() -> None:
    repeat = Repeat(time(9, 0))
    for begin in (
        datetime(2027, 3, 27, 8, tzinfo=BERLIN),
        datetime(2026, 10, 24, 8, tzinfo=BERLIN),
    ):
        moment: datetime = begin
        for day in range(3):
            moment = repeat.after(moment, BERLIN)
            wall = moment.astimezone(BERLIN)
            assert (wall.date() - begin.date()).days == day
            assert (wall.hour, wall.minute) == (9, 0)


def test_repeat_in_the_hour_that_winter_time_repeats_comes_once() -> None:
    repeat = Repeat(time(2, 30))
    first = repeat.after(datetime(2026, 10, 24, 12, tzinfo=BERLIN), BERLIN)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert repeat.after(first, BERLIN) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_repeat_in_the_hour_that_summer_time_skips_moves_forward() -> None:
    repeat = Repeat(time(2, 30), weekday=6)
    skipped = repeat.after(datetime(2027, 3, 27, 12, tzinfo=BERLIN), BERLIN)
    assert skipped.astimezone(BERLIN).strftime("%a %H:%M") == "Sun 03:30"
    assert repeat.after(skipped, BERLIN) == datetime(2027, 4, 4, 0, 30, tzinfo=UTC)


@given(
    now=MOMENTS,
    zone=ZONES,
    clock=st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
    weekday=st.none() | st.integers(0, 6),
)
def test_repeat_comes_within_its_period_again_and_again(
    now: datetime, zone: ZoneInfo, clock: time, weekday: int | None
) -> None:
    repeat = Repeat(clock, weekday)
    assert parse_repeat(str(repeat)) == repeat
    period = timedelta(days=1 if weekday is None else 7)
    moment = now
    for _ in range(4):
        then = repeat.after(moment, zone)
        assert moment < then <= moment + period + timedelta(hours=2)  # a change lies between
        moment = then
    wall = moment.astimezone(zone)
    assert weekday in (None, wall.weekday())
    if wall.fold == 0 and wall.utcoffset() == (wall - timedelta(hours=2)).utcoffset():
        assert (wall.hour, wall.minute) == (clock.hour, clock.minute)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        *((form, True) for form in (*FORMS, *REPEAT_FORMS)),
        ("24-12-1999", True),
        ("999999999y", True),
        ("milk", False),
        ("10m milk", False),
        ("10", False),
        ("31-02-2027", False),
    ],
)
def test_time_is_known_as_such_be_it_past_or_far(text: str, *, is_one: bool) -> None:
    assert is_a_time(text) is is_one
