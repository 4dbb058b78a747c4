"""Bringing tracks in: `play`, `playtop` and `playnow`."""
