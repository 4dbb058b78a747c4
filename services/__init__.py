"""What the bot can do, feature by feature, with no Discord inside."""
