"""Dual commands as prefix commands: `!play …`, or the bot's mention in place of the prefix.

nextcord finds the command by its name; the rest of the line is read by the command's own
arguments. The member's message is deleted 30 s after the command was handled, where the bot may.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import nextcord
from nextcord.ext import commands

from bot.kit.command_runner import CommandRunner
from bot.kit.converters import Words
from bot.kit.dual_command import BoundCommand, CommandSet
from bot.kit.error_boundary import is_expected
from bot.kit.invocation import Invocation
from bot.kit.people import AttachedFile, CachedMembers, member_of
from bot.kit.posted import Messages
from bot.kit.replies import Reply, refused
from bot.kit.typed_text import code

_log = logging.getLogger(__name__)

_KEEP_MESSAGE_SECONDS = 30.0
_LISTED = 25

type Bot = commands.Bot | commands.AutoShardedBot
type Context = commands.Context[Any]
type Command = commands.Command[Any, Any]
type Group = commands.Group[Any, Any]


class Prefixes:
    """Answers nextcord's question which prefixes a message may begin with."""

    def __init__(self, prefix_of: Callable[[int], Awaitable[str]]) -> None:
        self._prefix_of = prefix_of

    async def __call__(self, bot: Bot, message: nextcord.Message) -> list[str]:
        """Return the guild's prefix and the bot's mention; none in a direct message."""
        if message.guild is None or bot.user is None:
            return []
        prefix = await self._prefix_of(message.guild.id)
        # the longer one first: phones put a space after punctuation
        return [f"<@{bot.user.id}> ", f"<@!{bot.user.id}> ", f"{prefix} ", prefix]


class PrefixCommands:
    """Puts the commands of a set into nextcord's bot, and runs them."""

    def __init__(self, commands_: CommandSet, *, runner: CommandRunner, messages: Messages) -> None:
        self._commands = commands_
        self._runner = runner
        self._messages = messages

    def register(self, bot: Bot) -> None:
        """Make every command known to the bot, once and before it starts."""
        groups: dict[str, Group] = {}
        for bound in self._commands:
            *group, name = bound.spec.path
            parent: Bot | Group = bot
            if group:
                parent = groups.get(group[0]) or self._group(bot, group[0])
                groups[group[0]] = parent
            parent.add_command(self._command(bound, name))
        bot.add_listener(_on_command_error, "on_command_error")

    def _command(self, bound: BoundCommand, name: str) -> Command:
        async def carry_out(context: Context, *, line: str = "") -> None:
            if (call := self._invocation(context, bound.spec.name)) is not None:
                await self._runner.run(bound, call, _words(context, line))
                self._clear_away(context)

        return commands.Command(carry_out, name=name, aliases=list(bound.spec.aliases))

    def _group(self, bot: Bot, name: str) -> Group:
        async def explain(context: Context, *, line: str = "") -> None:
            del line
            if (call := self._invocation(context, name)) is not None:
                await call.reply(self._overview(name, call.prefix))
                self._clear_away(context)

        group: Group = commands.Group(
            explain,
            name=name,
            aliases=list(self._commands.group(name).aliases),
            invoke_without_command=True,
            case_insensitive=True,
        )
        bot.add_command(group)
        return group

    def _overview(self, name: str, prefix: str) -> Reply:
        specs = [bound.spec for bound in self._commands.in_group(name)[:_LISTED]]
        lines = [f"{code(spec.usage(prefix), 120)} {spec.summary}" for spec in specs]
        return refused("📖 Usage", "\n".join(lines))

    def _invocation(self, context: Context, command: str) -> Invocation | None:
        """Return the value for nextcord's context; None outside of guilds."""
        guild, author = context.guild, context.author
        if guild is None or not isinstance(author, nextcord.Member):
            return None
        channel_id = context.channel.id
        own_voice = guild.me.voice
        return Invocation(
            guild_id=guild.id,
            channel_id=channel_id,
            author=member_of(author),
            command=command,
            prefix=_shown_prefix(context),
            bot_voice_channel_id=own_voice.channel.id if own_voice and own_voice.channel else None,
            received_at=time.monotonic(),
            answer=self._messages.in_channel(channel_id),
            another=lambda: self._messages.in_channel(channel_id),
        )

    def _clear_away(self, context: Context) -> None:
        message = context.message
        channel = message.channel
        if isinstance(channel, nextcord.abc.GuildChannel | nextcord.Thread):
            own = channel.guild.me
            if channel.permissions_for(own).manage_messages:
                self._messages.delete_later(channel.id, message.id, seconds=_KEEP_MESSAGE_SECONDS)


def _words(context: Context, line: str) -> Words:
    assert context.guild is not None
    files = [
        AttachedFile(
            url=attachment.url,
            filename=attachment.filename,
            content_type=attachment.content_type,
            size_bytes=attachment.size,
        )
        for attachment in context.message.attachments
    ]
    named = [user for user in context.message.mentions if isinstance(user, nextcord.Member)]
    return Words(line, members=CachedMembers(context.guild, named), attachments=files)


def _shown_prefix(context: Context) -> str:
    prefix = (context.prefix or "").rstrip()
    if not prefix.startswith("<@") or context.guild is None:
        return prefix
    return f"@{context.guild.me.display_name} "


async def _on_command_error(context: Context, error: commands.CommandError) -> None:
    """Log what failed before or beside the runner; members are told by the error boundary."""
    if is_expected(error):
        return
    cause = error.original if isinstance(error, commands.CommandInvokeError) else error
    _log.error(
        "command %s failed in guild %s for user %d",
        context.invoked_with,
        context.guild.id if context.guild else "-",
        context.author.id,
        exc_info=cause,
    )
