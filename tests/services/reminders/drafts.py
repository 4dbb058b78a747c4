"""Reminders that tests need."""

from datetime import UTC, datetime, timedelta

from services.reminders.reminder import Draft
from services.text.when import Repeat

NOW = datetime(2026, 5, 1, 18, 0, tzinfo=UTC)
GUILD, CHANNEL = 10, 20
ADA, BEN, CARA, DAN = 1, 2, 3, 4


def draft(
    *,
    by: int = ADA,
    targets: tuple[int, ...] = (ADA,),
    seconds: float = 10,
    note: str = "Tea",
    guild: int = GUILD,
    channel: int = CHANNEL,
    repeats: Repeat | None = None,
    snooze_of: tuple[int, int] | None = None,
) -> Draft:
    return Draft(
        guild_id=guild,
        channel_id=channel,
        scheduled_by=by,
        targets=targets,
        note=note,
        due_at=NOW + timedelta(seconds=seconds),
        zone="Europe/Berlin",
        repeats=repeats,
        snooze_of=snooze_of,
    )


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)
