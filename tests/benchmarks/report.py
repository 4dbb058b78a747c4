"""Rows of measurements: what, measured, target, baseline, met or not."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured figure; `met` is None where nothing was promised."""

    what: str
    measured: str
    target: str = "printed"
    baseline: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A named piece of the benchmarks."""

    name: str
    summary: str
    run: Callable[[], Awaitable[Sequence[Row]]]
    limit_s: float


PARTS: dict[str, Part] = {}


def part(
    name: str, *, limit_s: float = 120
) -> Callable[[Callable[[], Awaitable[Sequence[Row]]]], Callable[[], Awaitable[Sequence[Row]]]]:
    """Register a part; it is ended with a failed row after `limit_s` seconds."""

    def register(
        run: Callable[[], Awaitable[Sequence[Row]]],
    ) -> Callable[[], Awaitable[Sequence[Row]]]:
        summary = (run.__doc__ or "").strip().splitlines()[0]
        PARTS[name] = Part(name, summary, run, limit_s)
        return run

    return register


def at_most(
    what: str, value: float, limit: float, *, unit: str, baseline: str = "", note: str = ""
) -> Row:
    """Make a row for a figure that must not exceed `limit`."""
    return Row(
        what=what,
        measured=f"{number(value)} {unit}{note and f' ({note})'}",
        target=f"≤ {number(limit)} {unit}",
        baseline=baseline,
        met=value <= limit,
    )


def percentile(samples: Sequence[float], per_cent: float) -> float:
    """Return the nearest-rank percentile; infinity where there are no samples."""
    if not samples:
        return math.inf
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(per_cent / 100 * len(ordered)) - 1)]


def number(value: float) -> str:
    """Write a figure with about three significant digits."""
    if not math.isfinite(value):
        return "none"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".")


def show(title: str, rows: Sequence[Row], console: Console) -> None:
    """Print the rows as a table."""
    table = Table(title=title, title_justify="left")
    for heading in ("what", "measured", "target", "baseline", ""):
        table.add_column(heading)
    marks = {True: "[green]met", False: "[red]NOT met", None: ""}
    for row in rows:
        table.add_row(row.what, row.measured, row.target, row.baseline, marks[row.met])
    console.print(table)
