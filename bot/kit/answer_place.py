"""Interactions as places for messages: the answer to a slash command, the message of a click.

Discord shows "thinking" since the acknowledgement; the first state takes its place, more messages
follow. All of it goes by the interaction's own token, which needs no permission in the channel and
costs nothing of the bot's rate limit. After 15 minutes, or where the acknowledgement failed, the
message goes the ordinary way through the channel.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.kit.clicks.answer import AnswerExpired
from bot.kit.outbox import MessageGone, Undelivered
from bot.kit.posted import ChannelPlace, Place
from bot.kit.replies import Json


class Answer(Protocol):
    """Answers one interaction by its token (`bot.kit.clicks.answer.InteractionAnswer`)."""

    async def edit_original(self, body: Json) -> int:
        """Fill the answer that Discord shows as "thinking"; return its id."""
        ...

    async def follow_up(self, body: Json, *, private: bool = False) -> int:
        """Send a further message; return its id."""
        ...

    async def edit(self, message_id: int, body: Json) -> None:
        """Change one of these messages."""
        ...

    async def delete(self, message_id: int) -> None:
        """Take one of these messages away."""
        ...

    async def delete_original(self) -> None:
        """Take "thinking" away."""
        ...


class AnswerPlace:
    """One message that answers a slash command."""

    def __init__(
        self,
        answer: Answer,
        *,
        acknowledged: Callable[[], Awaitable[bool]],
        channel: ChannelPlace,
        first: bool,
        private: bool = False,
    ) -> None:
        self._answer = answer
        self._acknowledged = acknowledged
        self._channel = channel
        self._first = first
        self._private = private
        self._in_channel = False

    async def send(self, body: Json, *, passing: bool) -> int:
        """Send it (see `bot.kit.posted.Place`)."""
        if await self._acknowledged():
            try:
                if self._first:
                    return await self._answer.edit_original(body)
                return await self._answer.follow_up(body, private=self._private)
            except AnswerExpired:
                pass
        self._in_channel = True
        return await self._channel.send(body, passing=passing)

    async def edit(self, message_id: int, body: Json) -> None:
        """Replace its content (see `bot.kit.posted.Place`)."""
        if not self._in_channel:
            try:
                await self._answer.edit(message_id, body)
            except AnswerExpired:
                self._in_channel = True
            else:
                return
        await self._channel.edit(message_id, body)

    async def delete(self, message_id: int) -> None:
        """Take it away (see `bot.kit.posted.Place`)."""
        if not self._in_channel:
            try:
                await self._answer.delete(message_id)
            except MessageGone:
                return
            except AnswerExpired:
                self._in_channel = True
            else:
                return
        await self._channel.delete(message_id)


class ClickedPlace:
    """A message on which somebody has clicked: changed by the click's token while that is good."""

    def __init__(self, answer: Answer, otherwise: Place) -> None:
        self._answer = answer
        self._otherwise = otherwise

    async def send(self, body: Json, *, passing: bool) -> int:
        """Send it (see `bot.kit.posted.Place`)."""
        return await self._otherwise.send(body, passing=passing)

    async def edit(self, message_id: int, body: Json) -> None:
        """Replace its content (see `bot.kit.posted.Place`)."""
        try:
            await self._answer.edit_original(body)
        except MessageGone:
            raise
        except Undelivered:
            await self._otherwise.edit(message_id, body)

    async def delete(self, message_id: int) -> None:
        """Take it away (see `bot.kit.posted.Place`)."""
        try:
            await self._answer.delete_original()
        except MessageGone:
            return
        except Undelivered:
            await self._otherwise.delete(message_id)
