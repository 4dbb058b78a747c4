"""Discord's REST API v10: what the bot may ask, and how it is refused."""
