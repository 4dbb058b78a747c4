"""Hands things on in the order of their arrival, though they become ready in any order."""

from collections import deque
from collections.abc import Callable, Hashable


class Ticket[Thing]:
    """The place of one thing in its line."""

    __slots__ = ("key", "ready", "thing")

    def __init__(self, key: Hashable, thing: Thing) -> None:
        self.key = key
        self.thing = thing
        self.ready = False


class InOrder[Thing]:
    """One line for each key; lines do not know of each other.

    `hand_on` gets a thing once it and everything before it in its line are ready, in one
    synchronous step, so that no other task can come between.
    """

    def __init__(self, hand_on: Callable[[Thing], None]) -> None:
        self._hand_on = hand_on
        self._lines: dict[Hashable, deque[Ticket[Thing]]] = {}

    def join(self, key: Hashable, thing: Thing) -> Ticket[Thing]:
        """Put `thing` at the end of the key's line."""
        ticket = Ticket(key, thing)
        self._lines.setdefault(key, deque()).append(ticket)
        return ticket

    def ready(self, ticket: Ticket[Thing], thing: Thing) -> None:
        """Replace the ticket's thing by what became of it, and hand on whatever is free now."""
        ticket.thing = thing
        ticket.ready = True
        line = self._lines[ticket.key]
        while line and line[0].ready:
            first = line.popleft()
            self._hand_on(first.thing)
        if not line:
            self._lines.pop(ticket.key, None)
