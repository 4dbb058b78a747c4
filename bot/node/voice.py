"""A guild's connection to Discord's voice servers: first connect, moves, and every way to lose it."""

from collections.abc import Callable

from bot.node.sender import FrameQueue, Sender


class VoiceFailed(Exception):
    """No voice connection could be made; the text is one sentence for the bot's log."""

    def __init__(self, sentence: str, *, code: int) -> None:
        super().__init__(sentence)
        self.code = code


class VoiceConnection:
    """One guild's voice: websocket, UDP and encryption; used on the event loop only.

    It can be updated again after it was closed by Discord (4014 and others): playback stands still
    meanwhile, no frame is taken off, and goes on where it was.

    Args:
        guild_id: whose voice it is.
        user_id: the bot's own id.
        frames: the player's sound, drawn from the sender thread.
        sender: the thread that sends it.
        on_closed: called with (close code, reason, by_remote) when the connection is lost for good;
            not for what is repaired by a resume or a fresh identify, nor after `close()`.
    """

    def __init__(
        self,
        *,
        guild_id: int,
        user_id: int,
        frames: FrameQueue,
        sender: Sender,
        on_closed: Callable[[int, str, bool], None],
    ) -> None:
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        """Whether sound can be sent right now."""
        raise NotImplementedError

    @property
    def ping_ms(self) -> int:
        """Return the last heartbeat's round trip; -1 until the first one is acknowledged."""
        raise NotImplementedError

    async def update(self, *, token: str, endpoint: str, session_id: str, channel_id: int) -> None:
        """Connect, or move to another voice server; return once sound can be sent.

        The same values again, while connected, do nothing. A move keeps the old connection sending
        until the new one is ready. Ends within 15 s in every case.

        Raises:
            VoiceFailed: it cannot be made; an older connection, if there is one, stays.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Leave for good; the last frames' end (five silence frames) is sent first."""
        raise NotImplementedError
