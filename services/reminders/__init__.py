"""Reminders: members are told at a moment what they wanted to be told, exactly once."""
