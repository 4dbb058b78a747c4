"""What a database that does not answer looks like to everybody above it."""

from services.errors import OutsideFailure


class StorageUnavailable(OutsideFailure):
    """The database cannot be read or written right now; nothing of the attempt was kept."""
