"""The embedded audio node, a process of its own: tracks in, voice packets out (Lavalink v4)."""
