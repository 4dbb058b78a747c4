"""The tables, one module for each feature; importing this package makes the schema complete."""

from services.db.models.base import Base
from services.db.models.gather import (
    AttendanceRow,
    AttendanceTallyRow,
    GatheringEventRow,
    GatheringRow,
)
from services.db.models.guild_settings import GuildSettingsRow
from services.db.models.player import HistoryRow, PlayerRow, QueueRow
from services.db.models.reminders import ReminderPersonRow, ReminderQuotaRow, ReminderRow
from services.db.models.reputation import (
    ReputationBoardRow,
    ReputationCooldownRow,
    ReputationCountRow,
    ReputationEntryRow,
    ReputationStandingRow,
)

__all__ = [
    "AttendanceRow",
    "AttendanceTallyRow",
    "Base",
    "GatheringEventRow",
    "GatheringRow",
    "GuildSettingsRow",
    "HistoryRow",
    "PlayerRow",
    "QueueRow",
    "ReminderPersonRow",
    "ReminderQuotaRow",
    "ReminderRow",
    "ReputationBoardRow",
    "ReputationCooldownRow",
    "ReputationCountRow",
    "ReputationEntryRow",
    "ReputationStandingRow",
]
