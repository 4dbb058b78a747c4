"""The real bot, the real node, a strict stand-in for Discord: what members type, see and hear."""
