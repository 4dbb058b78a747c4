"""Reputation as members see it: praise and blame, a member's list, the leaderboard."""
