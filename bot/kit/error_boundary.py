"""The one place where a command's failure becomes a sentence for the member or a line in the log.

A table, read from the top: the first row whose type fits decides. What has no row is a defect of
ours; the member reads one general sentence, and the log has the traceback with guild, user and
command. A new kind of failure that needs its own look is a new row.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from nextcord.ext import commands

from bot.kit.converters import WrongArgument
from bot.kit.dual_command import CommandSpec
from bot.kit.invocation import Invocation
from bot.kit.replies import Reply, empty, refused
from bot.kit.typed_text import code
from services.errors import NothingFound, OutsideFailure, Refusal, UserError

_log = logging.getLogger(__name__)

_USAGE_LENGTH = 300

type Sentence = Callable[[str, "Context"], Reply | None]


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of the command that failed."""

    spec: CommandSpec
    prefix: str


def usage(sentence: str, context: Context) -> Reply:
    """Show how the command is written."""
    spec = context.spec
    lines = [sentence, code(spec.usage(context.prefix), _USAGE_LENGTH)]
    if spec.examples:
        shown = " · ".join(code(f"{context.prefix}{example}", 100) for example in spec.examples)
        lines.append(f"For example {shown}")
    return refused("📖 Usage", "\n".join(line for line in lines if line))


def _refusal(sentence: str, _: Context) -> Reply:
    return refused("⛔ That cannot be done", sentence)


def _nothing(sentence: str, _: Context) -> Reply:
    return empty("🔍 Nothing found", sentence)


def _failure(sentence: str, _: Context) -> Reply:
    return refused("⚠️ That did not work", sentence)


def _general(_: str, __: Context) -> Reply:
    return refused("💥 Something went wrong", "This is my fault, and it is in my log. Try again.")


def _silence(_: str, __: Context) -> None:
    return None


ROWS: tuple[tuple[type[Exception], Sentence], ...] = (
    (WrongArgument, usage),
    (NothingFound, _nothing),
    (OutsideFailure, _failure),
    (Refusal, _refusal),
    (UserError, _refusal),
    (commands.CommandNotFound, _silence),
    (commands.NoPrivateMessage, _silence),
    (commands.UserInputError, usage),
    (commands.CheckFailure, _refusal),
)
"""How each branch of the error tree, and each of nextcord's own errors, is answered."""


def answer_to(error: Exception, context: Context) -> Reply | None:
    """Return what the member reads about a failure; None where silence is right."""
    for kind, row in ROWS:
        if isinstance(error, kind):
            return row(str(error), context)
    return _general("", context)


def is_expected(error: Exception) -> bool:
    """Tell whether the table has a row for it; everything else is a defect of ours."""
    return isinstance(error, tuple(kind for kind, _ in ROWS))


def report(error: Exception, call: Invocation, spec: CommandSpec) -> None:
    """Tell the member, and log what is a defect or somebody else's failure."""
    if not is_expected(error):
        _log.error(
            "command %s failed in guild %d for user %d",
            call.command,
            call.guild_id,
            call.author.id,
            exc_info=error,
        )
    elif isinstance(error, OutsideFailure):
        _log.warning(
            "command %s in guild %d for user %d: %s",
            call.command,
            call.guild_id,
            call.author.id,
            error,
        )
    if (reply := answer_to(error, Context(spec, call.prefix))) is not None:
        call.show(reply)
