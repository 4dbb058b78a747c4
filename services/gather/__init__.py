"""Gather check-ins: who is here, who is late, who is reconsidering."""
