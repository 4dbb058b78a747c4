"""`join` and `leave`, and what the player has to know of the voice channels."""

import nextcord

from bot.kit.checks import bot_in_voice, same_voice_channel
from bot.kit.dual_command import CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.joining import Joining
from bot.kit.replies import Reply, done
from bot.kit.saving import once_saved
from services.audio.player_service import PlayerService


class Voice:
    """Brings the bot into voice channels and out of them."""

    def __init__(self, player: PlayerService, joining: Joining) -> None:
        self._player = player
        self._joining = joining

    @command(
        CommandSpec(
            name="join",
            summary="Bring me into your voice channel",
            checks=(same_voice_channel,),
        )
    )
    async def join(self, call: Invocation) -> Reply:
        """Join the author."""
        channel_id = await self._joining.join(call)
        return await self._saved(call, done("👋 Joined", f"I am in <#{channel_id}>."))

    @command(
        CommandSpec(
            name="leave",
            summary="Send me out of the voice channel",
            checks=(bot_in_voice, same_voice_channel),
            aliases=("disconnect",),
        )
    )
    async def leave(self, call: Invocation) -> Reply:
        """Leave, and forget what was queued."""
        await self._player.leave(call.guild_id)
        return await self._saved(call, done("👋 Left", "See you."))

    async def on_voice_state_update(
        self, member: nextcord.Member, before: nextcord.VoiceState, after: nextcord.VoiceState
    ) -> None:
        """Tell the player where the bot is, and when its listeners come and go.

        A listener for nextcord's event of that name.
        """
        guild = member.guild
        left, joined = (state.channel.id if state.channel else None for state in (before, after))
        if left == joined:
            return  # muted, deafened, streaming
        own = guild.me.voice.channel.id if guild.me.voice and guild.me.voice.channel else None
        if member.id == guild.me.id:
            await self._player.voice_changed(guild.id, joined)
        elif own in (left, joined) and not member.bot:
            await self._player.listeners_changed(guild.id)

    async def on_guild_remove(self, guild: nextcord.Guild) -> None:
        """Tell the player that the bot was removed from a guild, as nextcord's event says."""
        await self._player.voice_changed(guild.id, None)

    async def _saved(self, call: Invocation, reply: Reply) -> Reply:
        return await once_saved(self._player.stored, call.guild_id, reply)
