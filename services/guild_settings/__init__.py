"""What admins set for their guild: prefix and time zone."""
