"""What has to be true before a command acts; each check raises a `Refusal` that says what to do."""

from collections.abc import Callable

import nextcord

from bot.kit.invocation import Invocation
from services.errors import Refusal

_JOIN = "Join a voice channel first, then try again."


def author_in_voice(call: Invocation) -> None:
    """Let members pass who are in a voice channel.

    Raises:
        Refusal: the author is in none.
    """
    if call.author.voice_channel_id is None:
        raise Refusal(_JOIN)


def same_voice_channel(call: Invocation) -> None:
    """Let members pass who are in the bot's voice channel, or in any while the bot is in none.

    Raises:
        Refusal: the author is in no channel, or in another one than the bot.
    """
    check_same_channel(call.author.voice_channel_id, bot_channel_id=call.bot_voice_channel_id)


def check_same_channel(channel_id: int | None, *, bot_channel_id: int | None) -> None:
    """Let members pass who are in the bot's channel, or in any while the bot is in none.

    Raises:
        Refusal: they are not.
    """
    if bot_channel_id is None and channel_id is None:
        raise Refusal(_JOIN)
    if bot_channel_id not in (None, channel_id):
        raise Refusal(f"I am in <#{bot_channel_id}>. Join me there, then try again.")


def bot_in_voice(call: Invocation) -> None:
    """Let commands pass while the bot is in a voice channel.

    Raises:
        Refusal: it is in none.
    """
    if call.bot_voice_channel_id is None:
        raise Refusal("I am in no voice channel. Use `play` or `join` to bring me into yours.")


def needs(permission: nextcord.Permissions, *, called: str) -> Callable[[Invocation], None]:
    """Return a check that the author has a permission; `called` is its name in Discord."""

    def check(call: Invocation) -> None:
        if not call.author.may(permission):
            raise Refusal(f"You need the permission *{called}* for this.")

    return check
