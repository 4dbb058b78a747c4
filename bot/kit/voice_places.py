"""Who is in which voice channel: clicks do not say it, and their consumers check as commands do."""

from typing import Protocol

import nextcord

from bot.kit.checks import check_same_channel
from bot.kit.clicks.click import Click


class VoicePlaces(Protocol):
    """Where members and the bot are right now."""

    def channel_of(self, guild_id: int, user_id: int) -> int | None:
        """Return the voice channel that a member is in."""
        ...

    def own_channel(self, guild_id: int) -> int | None:
        """Return the voice channel that the bot is in."""
        ...


class CachedVoicePlaces:
    """Reads nextcord's cache, which the gateway keeps true."""

    def __init__(self, client: nextcord.Client) -> None:
        self._client = client

    def channel_of(self, guild_id: int, user_id: int) -> int | None:
        """Return the voice channel that a member is in."""
        guild = self._client.get_guild(guild_id)
        member = guild.get_member(user_id) if guild is not None else None
        return _channel(member)

    def own_channel(self, guild_id: int) -> int | None:
        """Return the voice channel that the bot is in."""
        guild = self._client.get_guild(guild_id)
        return _channel(guild.me if guild is not None else None)


def _channel(member: nextcord.Member | None) -> int | None:
    voice = member.voice if member is not None else None
    return voice.channel.id if voice is not None and voice.channel is not None else None


def clicker_in_voice(places: VoicePlaces, click: Click) -> None:
    """Let clicks pass as `bot.kit.checks.same_voice_channel` lets commands pass.

    Raises:
        Refusal: the member is in no channel, or in another one than the bot.
    """
    guild_id = click.guild_id or 0
    check_same_channel(
        places.channel_of(guild_id, click.user_id), bot_channel_id=places.own_channel(guild_id)
    )
