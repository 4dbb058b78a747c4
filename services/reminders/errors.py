"""Why a reminder is refused, and how its delivery can fail.

```
Refusal
├── TooManyScheduled, TooManyReceived     25 open ones each, per member
├── BotsNeedNoReminder
├── NoSuchReminder                        gone, or somebody else's
└── NotYours                              its buttons are for those who are reminded
DeliveryFailed                            never shown to members
├── Unreachable                           this place does not take it, however often we try
└── NotDelivered                          it may work later
```
"""

from services.errors import Refusal


class TooManyScheduled(Refusal):
    """The member has as many open reminders as they may have."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"You have {most} open reminders, which is the most. Remove one with "
            "`notify remove`, or wait for the next."
        )


class TooManyReceived(Refusal):
    """Others have scheduled as many reminders for a member as there may be."""

    def __init__(self, most: int, user_id: int) -> None:
        super().__init__(f"<@{user_id}> has {most} open reminders from others, which is the most.")


class BotsNeedNoReminder(Refusal):
    """A bot was to be reminded."""

    def __init__(self) -> None:
        super().__init__("Bots need no reminder. Choose people.")


class NoSuchReminder(Refusal):
    """There is no open reminder of that number that the member may remove."""

    def __init__(self, reminder_id: int) -> None:
        super().__init__(
            f"You have no open reminder #{reminder_id}. `notify list` shows the ones you have."
        )


class NotYours(Refusal):
    """Somebody else is reminded."""

    def __init__(self) -> None:
        super().__init__("Only those who are reminded can snooze this.")


class DeliveryFailed(Exception):
    """A reminder was not shown; the text says why, for the log."""


class Unreachable(DeliveryFailed):
    """The place is gone or closed: another one has to be found."""


class NotDelivered(DeliveryFailed):
    """Discord does not take it now; whether it was shown may be unknown."""
