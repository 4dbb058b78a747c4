"""Why a change of reputation is refused.

```
Refusal
├── NotYourself, NotABot              whom it was meant for
├── ReasonMissing, ReasonTooLong      why
├── CoolingDown                       one change per giver and receiver in 10 minutes
└── NotRetractable
    ├── NotTheGiver                   somebody else's change
    ├── RetractedAlready              it is gone
    └── TooLateToRetract              more than 60 seconds ago
```
"""

from datetime import datetime

from services.errors import Refusal


class NotYourself(Refusal):
    """Members do not change their own reputation."""

    def __init__(self) -> None:
        super().__init__("You cannot change your own reputation. Choose somebody else.")


class NotABot(Refusal):
    """Bots have no reputation."""

    def __init__(self) -> None:
        super().__init__("Bots have no reputation. Choose a person.")


class ReasonMissing(Refusal):
    """A change has a reason."""

    def __init__(self) -> None:
        super().__init__("Say why: a reason belongs to it.")


class ReasonTooLong(Refusal):
    """The reason is longer than it may be."""

    def __init__(self, most: int) -> None:
        super().__init__(f"A reason has {most} characters at most.")


class CoolingDown(Refusal):
    """The giver has changed this member's reputation a short while ago."""

    def __init__(self, until: datetime) -> None:
        super().__init__(
            "You have changed this member's reputation a short while ago. "
            f"You can again <t:{int(until.timestamp()) + 1}:R>."
        )
        self.until = until


class NotRetractable(Refusal):
    """The change stays as it is."""


class NotTheGiver(NotRetractable):
    """Only who made a change takes it back."""

    def __init__(self) -> None:
        super().__init__("Only who made this change can take it back.")


class RetractedAlready(NotRetractable):
    """There is no such change any more."""

    def __init__(self) -> None:
        super().__init__("This change was taken back already.")


class TooLateToRetract(NotRetractable):
    """The time in which a change can be taken back is over."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"A change can be taken back for {seconds:.0f} seconds only.")
