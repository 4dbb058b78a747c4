"""Brings the bot to the member who asks for it, but away from nobody."""

import asyncio
from weakref import WeakValueDictionary

from bot.kit.invocation import Invocation
from services.audio.player_service import PlayerService
from services.errors import Refusal


class Joining:
    """Joins the author's voice channel; one join at a time in each guild."""

    def __init__(self, player: PlayerService) -> None:
        self._player = player
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def join(self, call: Invocation) -> int:
        """Join the author's channel, or stay in it; return its id.

        Raises:
            Refusal: the author is in none, or the bot was brought elsewhere meanwhile.
            VoiceJoinRefused: no permission to connect or speak, the channel is full or gone.
            NodeUnavailable: no node takes the connection.
        """
        wanted = call.author.voice_channel_id
        if wanted is None:
            raise Refusal("Join a voice channel first, then try again.")
        lock = self._locks.setdefault(call.guild_id, asyncio.Lock())
        async with lock:
            present = self._player.view(call.guild_id).voice_channel_id
            if call.bot_voice_channel_id is None and present not in (None, wanted):
                raise Refusal(f"I am in <#{present}>. Join me there, then try again.")
            await self._player.connect(call.guild_id, wanted, text_channel_id=call.channel_id)
        return wanted
