"""What a person reads in one place, and waiting for words to appear there."""

from collections.abc import Callable, Iterator
from itertools import islice

from tests.simulator.clock import Clock
from tests.simulator.message import SimMessage
from tests.simulator.news import News
from tests.simulator.people import User

_TOLD_AT_MOST = 30


class Feed:
    """The messages of a channel, or those that one person alone can see; oldest first."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        self.all: list[SimMessage] = []
        """Every message that was ever here, the deleted ones too."""
        self.news = News()

    @property
    def messages(self) -> list[SimMessage]:
        """What stands there now."""
        return [message for message in self.all if not message.deleted]

    def add(self, message: SimMessage) -> None:
        """Put a message at the end."""
        self.all.append(message)
        self.news.ring()

    async def expect(
        self,
        *,
        title: str | None = None,
        text: str | None = None,
        author: User | None = None,
        after: SimMessage | float | None = None,
        where: Callable[[SimMessage], bool] | None = None,
        within: float = 5.0,
    ) -> SimMessage:
        """Wait for a message and return the newest that fits in its newest state.

        Args:
            title: Words in the title of its first embed.
            text: Words anywhere on it.
            author: Who wrote it.
            after: Only messages after this one, or after this monotonic moment.
            where: Any further condition.
            within: Seconds to wait.

        Raises:
            AssertionError: None came; the text lists what was seen.
        """

        def fits(message: SimMessage) -> bool:
            return (
                not message.deleted
                and not message.loading
                and (author is None or message.author is author)
                and (title or "") in message.title
                and (text or "") in message.text
                and (where is None or where(message))
            )

        def look() -> SimMessage | None:
            return next(filter(fits, self._newest_first(after)), None)

        found = await self.news.until(look, within)
        if found is None:
            wanted = {"title": title, "text": text, "author": author, "where": where}
            words = ", ".join(f"{name}={value!r}" for name, value in wanted.items() if value)
            raise AssertionError(
                f"{self.name}: no message with {words or 'anything'} came within {within:g} s.\n"
                f"{self.account(after)}"
            )
        return found

    async def nothing(
        self,
        *,
        title: str | None = None,
        text: str | None = None,
        author: User | None = None,
        seconds: float,
    ) -> None:
        """Watch for `seconds` and make sure that no such message appears.

        Raises:
            AssertionError: One did.
        """
        begin = self._clock.monotonic()

        def look() -> SimMessage | None:
            for message in self._newest_first(begin):
                if author is not None and message.author is not author:
                    continue
                if (title or "") in message.title and (text or "") in message.text:
                    return message
            return None

        found = await self.news.until(look, seconds)
        if found is not None:
            raise AssertionError(f"{self.name}: this should not have come:\n{found.account()}")

    def account(self, after: SimMessage | float | None = None) -> str:
        """Tell in words what was seen."""
        newest = list(islice(self._newest_first(after), _TOLD_AT_MOST))
        lines = [f"  {message.describe()}" for message in reversed(newest)]
        return "Seen:\n" + ("\n".join(lines) if lines else "  nothing")

    def _newest_first(self, after: SimMessage | float | None) -> Iterator[SimMessage]:
        for message in reversed(self.all):
            if isinstance(after, SimMessage) and message.id <= after.id:
                return
            if isinstance(after, float) and message.sent_at < after:
                return
            yield message
