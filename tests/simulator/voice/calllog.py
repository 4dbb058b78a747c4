"""What happened to a guild's voice connection, in order, for tests to wait on."""

import time
from dataclasses import dataclass

from tests.simulator.voice.bell import Bell


@dataclass(frozen=True)
class Event:
    """`what` happened at monotonic time `at`."""

    at: float
    what: str


class CallLog:
    """Events of one guild, each a few words.

    In the order of a normal life: "identify", "ready", "discovery", "select aead_…", "speaking 1",
    "heartbeat 3" (with what it acknowledges), "close 4015" (by the server), "cut", "gone 1006" (the
    websocket is), "resume 3", "resumed 2" (messages replayed). Of encryption: "dave key package of
    USER", "dave epoch 1", "dave ready 1 by USER", "dave executed 1", "dave commit of USER not used:
    …", "dave invalid 0", "dave group reset".
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._bell = Bell()

    def add(self, what: str) -> None:
        """Note an event; any thread may."""
        self.events.append(Event(time.monotonic(), what))
        self._bell.ring()

    def count(self, beginning: str) -> int:
        """Return how many events begin with these words."""
        return sum(event.what.startswith(beginning) for event in self.events)

    async def happens(self, beginning: str, *, within: float = 5.0, times: int = 1) -> Event:
        """Wait until `times` events have begun with these words, ever; return the last of them.

        Raises:
            AssertionError: They did not happen in time; the text says what did.
        """

        def look() -> Event | None:
            found = [event for event in self.events if event.what.startswith(beginning)]
            return found[times - 1] if len(found) >= times else None

        event = await self._bell.until(look, time.monotonic() + within)
        if event is None:
            story = ", ".join(event.what for event in self.events) or "nothing"
            raise AssertionError(
                f"{beginning!r} did not happen {times}x within {within} s: {story}"
            )
        return event
