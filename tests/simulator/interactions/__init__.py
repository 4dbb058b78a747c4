"""Clicks, commands and forms: how members start them and how the bot answers."""
