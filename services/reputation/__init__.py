"""Reputation: members praise and blame each other, and everybody's standing is known."""
