"""The bot: command line, composition root, Discord kit, adapters and the embedded audio node."""
