"""A player's place in a voice channel, as the protocol sees it: none yet, or a connection."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from bot.node.protocol import RequestRefused, VoiceWish
from bot.node.sender import FrameQueue, Sender
from bot.node.voice import VoiceConnection, VoiceFailed

_log = logging.getLogger(__name__)

_DISCORD_CODES = range(4000, 5000)


class VoiceSeat:
    """Makes the voice connection when it is first asked for.

    Args:
        guild_id: whose voice it is.
        user_id: the bot's own id.
        frames: what is to be sent.
        sender: the thread that sends it.
        on_closed: called with (code, reason, by_remote) when voice is lost for good.
    """

    def __init__(
        self,
        guild_id: int,
        user_id: int,
        *,
        frames: FrameQueue,
        sender: Sender,
        on_closed: Callable[[int, str, bool], None],
    ) -> None:
        self._guild_id = guild_id
        self._user_id = user_id
        self._frames = frames
        self._sender = sender
        self._on_closed = on_closed
        self._wish: VoiceWish | None = None
        self._connection: VoiceConnection | None = None

    @property
    def connected(self) -> bool:
        """Whether sound can be sent."""
        return self._connection is not None and self._connection.connected

    @property
    def ping_ms(self) -> int:
        """Return the voice server's round trip; -1 where it is not known."""
        return -1 if self._connection is None else self._connection.ping_ms

    def payload(self) -> dict[str, Any]:
        """Return the protocol's Voice State."""
        if self._wish is None:
            return {"token": "", "endpoint": "", "sessionId": "", "channelId": None}
        return self._wish.payload()

    async def update(self, wish: VoiceWish) -> None:
        """Connect or move.

        A refusal by Discord (a close code of its own) becomes a WebSocketClosedEvent, as with
        every Lavalink; where there is no voice server at all, the request fails.

        Raises:
            RequestRefused: the voice server cannot be reached.
        """
        self._wish = wish
        if self._connection is None:
            self._connection = VoiceConnection(
                guild_id=self._guild_id,
                user_id=self._user_id,
                frames=self._frames,
                sender=self._sender,
                on_closed=self._on_closed,
            )
        try:
            await self._connection.update(
                token=wish.token,
                endpoint=wish.endpoint,
                session_id=wish.session_id,
                channel_id=wish.channel_id,
            )
        except VoiceFailed as error:
            _log.warning("guild %s: no voice: %s (%s)", self._guild_id, error, error.code)
            if error.code in _DISCORD_CODES:
                self._on_closed(error.code, str(error), True)  # noqa: FBT003 -- by remote
                return
            raise RequestRefused(
                f"Failed to connect to voice server: {error}",
                status=HTTPStatus.INTERNAL_SERVER_ERROR,
            ) from error

    async def close(self) -> None:
        """Leave."""
        if self._connection is not None:
            await self._connection.close()
