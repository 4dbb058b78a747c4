"""The project's own rules about code, read from its syntax trees."""
