"""Lavalink's filters are understood, clamped, and absent where they change nothing."""

from typing import Any

import pytest

from bot.node.filters import NEUTRAL, FilterError, as_payload, read_filters


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"equalizer": []},
        {"equalizer": [{"band": band, "gain": 0.0} for band in range(15)]},
        {"volume": 1.0, "karaoke": None, "timescale": None},
        {"timescale": {"speed": 1.0, "pitch": 1.0, "rate": 1.0}},
        {"timescale": {}},
        {"karaoke": {"level": 0.0}},
        {"tremolo": {"depth": 0.0}},
        {"vibrato": {"depth": 0.0}},
        {"rotation": {"rotationHz": 0.0}},
        {"distortion": {}},
        {"channelMix": {"leftToLeft": 1.0, "rightToRight": 1.0}},
        {"lowPass": {"smoothing": 1.0}},
        {"pluginFilters": {"echo": {"delay": 1}}, "unknown": 5},
    ],
)
def test_filters_that_change_nothing_are_none(data: dict[str, Any]) -> None:
    assert read_filters(data) == NEUTRAL
    assert not read_filters(data).changes_sound


def test_speed_is_what_speed_and_rate_make_together() -> None:
    filters = read_filters({"timescale": {"speed": 1.5, "rate": 2.0, "pitch": 0.8}})
    assert filters.speed == pytest.approx(3.0)
    assert filters.changes_sound


def test_very_slow_tempo_is_made_of_several_steps() -> None:
    steps = read_filters({"timescale": {"speed": 0.2}}).steps
    factor = 1.0
    for name, arguments in steps:
        assert name == "atempo"
        assert float(arguments) >= 0.5
        factor *= float(arguments)
    assert factor == pytest.approx(0.2)


@pytest.mark.parametrize(("gain", "decibels"), [(-0.25, -40), (-0.125, -6.02), (0.25, 6.02)])
def test_equalizer_gain_has_lavalink_s_scale(gain: float, decibels: float) -> None:
    ((name, arguments),) = read_filters({"equalizer": [{"band": 8, "gain": gain}]}).steps
    assert name == "equalizer"
    assert "f=1000:" in arguments
    assert float(arguments.rpartition("g=")[2]) == pytest.approx(decibels, abs=0.01)


def test_values_outside_of_the_range_are_clamped() -> None:
    filters = read_filters({"volume": 99, "vibrato": {"frequency": 500, "depth": 7}})
    assert filters.volume == 5.0
    assert filters.steps == (("vibrato", "f=14.0:d=1.0"),)


@pytest.mark.parametrize(
    "data",
    [
        [],
        "loud",
        {"equalizer": {"band": 1}},
        {"equalizer": [1]},
        {"equalizer": [{"band": 15, "gain": 0.1}]},
        {"timescale": {"speed": "fast"}},
        {"timescale": 2},
        {"tremolo": {"depth": True}},
        {"volume": float("nan")},
        {"karaoke": "on"},
    ],
)
def test_wrong_types_are_refused_with_the_field_s_name(data: object) -> None:
    with pytest.raises(FilterError, match="filters"):
        read_filters(data)


def test_what_was_set_is_shown_again() -> None:
    told = {"volume": 0.5, "pluginFilters": {"a": 1}, "nonsense": 1}
    assert as_payload(told) == {"volume": 0.5, "pluginFilters": {"a": 1}}
