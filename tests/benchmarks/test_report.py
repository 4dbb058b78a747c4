"""Figures are judged and written as a reader expects."""

import math

from tests.benchmarks.report import at_most, number, percentile


def test_percentile_is_one_of_the_samples_and_as_many_lie_below() -> None:
    samples = list(range(1, 201))
    assert percentile(samples, 50) == 100
    assert percentile(samples, 99) == 198
    assert percentile(samples, 100) == 200
    assert percentile([3.0, 1.0, 2.0], 1) == 1.0


def test_percentile_of_nothing_meets_no_target() -> None:
    row = at_most("answer", percentile([], 99), 10, unit="ms")
    assert row.met is False
    assert row.measured == "none ms"


def test_figure_at_its_limit_is_met_and_above_it_is_not() -> None:
    assert at_most("answer", 10.0, 10, unit="ms").met is True
    assert at_most("answer", 10.01, 10, unit="ms").met is False


def test_note_and_target_are_written_beside_the_figure() -> None:
    row = at_most("answer", 7.126, 10, unit="ms", note="worst 9", baseline="30 ms")
    assert (row.measured, row.target, row.baseline) == ("7.13 ms (worst 9)", "≤ 10 ms", "30 ms")


def test_number_has_about_three_digits() -> None:
    assert [number(value) for value in (0.5, 2.0, 33.333, 1234.5, math.inf)] == [
        "0.5",
        "2",
        "33.33",
        "1,234",
        "none",
    ]
