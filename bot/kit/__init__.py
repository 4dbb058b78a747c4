"""What cogs are made of: invocations, dual commands, replies, checks and the click stream."""
