"""Discord's gateway v10: what the bot is told, and what it may ask there."""
