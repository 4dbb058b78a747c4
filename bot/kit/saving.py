"""Members are told what is stored; where the database does not take it now, they are told that."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.kit.replies import Reply
from services.db.errors import StorageUnavailable

_NOT_YET = "Not saved yet, I keep trying"


async def once_saved(
    stored: Callable[[int], Awaitable[None]], guild_id: int, reply: Reply
) -> Reply:
    """Return `reply` when the guild's changes are on disk, with a note when they cannot be now."""
    try:
        await stored(guild_id)
    except StorageUnavailable as error:
        reason, _, _ = error.sentence.partition(". ")  # what to do next is not the member's matter
        note = f"{_NOT_YET}: {reason.removesuffix('.')}."
        return replace(reply, footer=f"{reply.footer} · {note}".removeprefix(" · "))
    return reply
