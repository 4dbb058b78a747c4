"""Members are told what is stored; where the database does not take it now, they are told that."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.kit.replies import Reply
from services.db.errors import StorageUnavailable

_NOT_YET = "Not saved yet: the database does not answer. I keep trying."


async def once_saved(
    stored: Callable[[int], Awaitable[None]], guild_id: int, reply: Reply
) -> Reply:
    """Return `reply` when the guild's changes are on disk, with a note when they cannot be now."""
    try:
        await stored(guild_id)
    except StorageUnavailable:
        return replace(reply, footer=f"{reply.footer} · {_NOT_YET}".removeprefix(" · "))
    return reply
