"""One use of a command: who gave it, where, and how to answer.

Prefix and slash commands give the same kind of object; what differs is the place of the answer,
and that is hidden in `Posted`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.kit.people import GuildMember
from bot.kit.posted import Posted
from bot.kit.replies import Json, Reply
from services.errors import Refusal


@dataclass(slots=True, kw_only=True)
class Invocation:
    """A command that a member has given in a guild."""

    guild_id: int
    channel_id: int
    author: GuildMember
    command: str
    """The command's name, as in `CommandSpec`."""
    prefix: str
    """What stands before the name: the guild's prefix, or `/`."""
    bot_voice_channel_id: int | None
    """The voice channel that the bot is in."""
    received_at: float
    """Arrival in monotonic seconds."""
    answer: Posted = field(repr=False)
    """The command's own message; on slash, the one that Discord shows as "thinking"."""
    another: Callable[[], Posted] = field(repr=False)
    """Makes a further message in the same place."""
    form: Callable[[Json], Awaitable[None]] | None = field(default=None, repr=False)

    def show(self, reply: Reply) -> None:
        """Make `reply` the command's answer, in place of the one before; return at once."""
        self.answer.show(reply)

    def begin_anew(self) -> None:
        """Delete the answer, and answer with a new message from now on."""
        self.answer.remove_soon()
        self.answer = self.another()

    async def reply(self, reply: Reply) -> Posted:
        """Make `reply` the command's answer and wait until it is shown, or given up."""
        self.answer.show(reply)
        await self.answer.settled()
        return self.answer

    @property
    def can_open_form(self) -> bool:
        """Whether this use may be answered by a form."""
        return self.form is not None

    async def open_form(self, form: Json) -> None:
        """Answer with a form.

        Raises:
            Refusal: it was given as a prefix command, which cannot open one.
        """
        if self.form is None:
            raise Refusal("A form opens only from the slash command or the menu; use that.")
        await self.form(form)
