"""Where state outlives the process: SQLite by default, PostgreSQL by URL."""
