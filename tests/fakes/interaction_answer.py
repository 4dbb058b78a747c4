"""The answer to an interaction, kept in a fake outbox; its token can expire."""

from typing import Any

from bot.kit.clicks.answer import AnswerExpired
from tests.fakes.outbox import FakeOutbox

type Json = dict[str, Any]


class FakeAnswer:
    """Answers in channel 1; `original` is the clicked message, or the one that "thinks"."""

    def __init__(self, outbox: FakeOutbox, *, original: int | None = None) -> None:
        self._outbox = outbox
        self.original = original
        self.expired = False
        self.used = 0
        self.private: list[Json] = []
        """Follow-ups that only the member sees."""

    async def edit_original(self, body: Json) -> int:
        self._use()
        if self.original is None:
            self.original = await self._outbox.post(1, body)
        else:
            await self._outbox.edit(1, self.original, body)
        return self.original

    async def follow_up(self, body: Json, *, private: bool = False) -> int:
        self._use()
        if private:
            self.private.append(body)
            return 1
        return await self._outbox.post(1, body)

    async def edit(self, message_id: int, body: Json) -> None:
        self._use()
        await self._outbox.edit(1, message_id, body)

    async def delete(self, message_id: int) -> None:
        self._use()
        await self._outbox.delete(1, message_id)

    async def delete_original(self) -> None:
        self._use()
        if self.original is not None:
            await self._outbox.delete(1, self.original)

    def _use(self) -> None:
        if self.expired:
            raise AnswerExpired("the interaction is older than 15 minutes")
        self.used += 1
