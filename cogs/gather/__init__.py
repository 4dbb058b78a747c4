"""Gather check-ins as members see and use them."""
