"""Reminders as members see them: commands, the reminder itself, snooze buttons."""
