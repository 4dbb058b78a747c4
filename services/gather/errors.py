"""What cannot be done about gatherings."""

from services.errors import Refusal


class AlreadyGathering(Refusal):
    """The guild has a gathering already."""

    def __init__(self) -> None:
        super().__init__(
            "A gathering is running here already. See it with `gather status`, or end it with "
            "`gather cancel`."
        )


class NoGathering(Refusal):
    """The guild has none."""

    def __init__(self) -> None:
        super().__init__("No gathering is running here. Begin one with `gather start`.")
