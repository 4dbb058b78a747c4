"""Music: tracks, queues, the player of each guild and where sound comes from."""
