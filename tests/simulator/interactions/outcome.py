"""What a member sees come of a click, a command or a form."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulator.errors import Json
from tests.simulator.message import SimMessage
from tests.simulator.news import News

if TYPE_CHECKING:
    from tests.simulator.interactions.interaction import Interaction


@dataclass(frozen=True)
class Modal:
    """A form that has opened for a member."""

    title: str
    custom_id: str
    components: list[Json]
    opened_by: "Interaction" = field(repr=False)


class Outcome:
    """Grows as the bot answers; `acknowledged` is decided within 3 s.

    `ack_ms` counts from the event's leaving to the callback's arrival at Discord.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.acknowledged = False
        self.ack_ms: float | None = None
        self.callback_type: int | None = None
        self.failed_text: str | None = None
        self.modal: Modal | None = None
        self.choices: list[Json] = []
        self.response: SimMessage | None = None
        """The answer to a command, or the message whose component was used."""
        self.messages: list[SimMessage] = []
        """Every message that this interaction brought, in the order of their coming."""
        self.news = News()
        self._decided: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def __repr__(self) -> str:
        state = f"type {self.callback_type}, {self.ack_ms:.0f} ms" if self.ack_ms else "no answer"
        return f"<{self.what}: {self.failed_text or state}>"

    @property
    def private(self) -> list[SimMessage]:
        """The messages of this interaction that only the member sees."""
        return [message for message in self.messages if message.ephemeral and not message.deleted]

    async def settled(self) -> "Outcome":
        """Return when it is acknowledged, or failed."""
        return await asyncio.shield(self._decided)

    def settling(self) -> "asyncio.Future[Outcome]":
        """Return the future of `settled`."""
        return self._decided

    async def answer(
        self, *, title: str | None = None, text: str | None = None, within: float = 5.0
    ) -> SimMessage:
        """Wait until a message of this interaction shows these words (any words by default).

        Raises:
            AssertionError: It did not come; the text says what did.
        """

        def look() -> SimMessage | None:
            for message in reversed(self.messages):
                words = (title or "") in message.title and (text or "") in message.text
                if words and not message.loading and not message.deleted:
                    return message
            return None

        found = await self.news.until(look, within)
        if found is None:
            seen = "\n".join(f"  {message.describe()}" for message in self.messages)
            raise AssertionError(
                f"{self!r}: no answer with {title or text or 'any words'!r} within {within:g} s.\n"
                f"Seen:\n{seen or '  nothing'}"
            )
        return found

    # ── written by the server ───────────────────────────────────────────────

    def decide(self) -> None:
        """Wake who waits for the acknowledgement."""
        if not self._decided.done():
            self._decided.set_result(self)
        self.news.ring()
