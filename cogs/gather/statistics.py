"""What `gather stats` shows: how a member attended, and at which gatherings."""

from datetime import timedelta

from bot.kit.paging import Page
from bot.kit.replies import Field, Reply, empty, info
from bot.kit.typed_text import escaped
from cogs.gather.words import minutes_seconds
from services.gather.attendance import PERIODS, MemberStats, Outcome, PastGathering, Record

_LINES = 10
_WORDS = {Outcome.ON_TIME: "on time", Outcome.OUT: "opted out", Outcome.MISSING: "missing"}


def no_stats(name: str) -> Reply:
    """Say that there is nothing to show."""
    text = f"{escaped(name, 80)} was not expected at a gathering here yet."
    return empty("📊 No attendance yet", text).kept()


def stats_page(stats: MemberStats, name: str, number: int) -> Page:
    """Show one page: the figures, and ten gatherings, the newest first."""
    count = max(1, -(-len(stats.recent) // _LINES))
    number = min(max(number, 1), count)
    lines = stats.recent[(number - 1) * _LINES : number * _LINES]
    reply = info(
        f"📊 Attendance of {escaped(name, 80)}",
        "\n".join(map(_line, lines)),
        fields=tuple(map(_field, PERIODS, stats.records)),
        footer=f"The last {len(stats.recent)} gatherings" if count > 1 else "",
    )
    return Page(reply, number=number, count=count)


def _field(period: timedelta | None, record: Record) -> Field:
    rate = record.on_time_rate
    lines = [
        f"On time **{round(rate * 100)} %**" if rate is not None else "Never waited for",
        f"Median lateness **{_lateness(record.median_late_s)}**",
    ]
    if record.median_when_late_s is not None:
        lines.append(f"When late **{_lateness(record.median_when_late_s)}**")
    lines.append(
        f"{record.on_time} on time · {record.late} late · {record.missing} missing · "
        f"{record.out} out"
    )
    return Field("Ever" if period is None else f"{period.days} days", "\n".join(lines))


def _lateness(seconds: int | None) -> str:
    if seconds is None:
        return "none yet"
    return f"+{minutes_seconds(seconds)}" if seconds else "none"


def _line(past: PastGathering) -> str:
    late = f"+{minutes_seconds(past.late_s)}"
    word = late if past.outcome is Outcome.LATE else _WORDS[past.outcome]
    return f"<t:{int(past.held_at.timestamp())}:f> {word}"
