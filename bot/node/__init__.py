"""The embedded audio node: a process of its own that turns tracks into voice packets (Lavalink v4)."""
