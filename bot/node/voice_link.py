"""The tie to one voice server: as many sessions and websockets as it takes, to the very end."""

import asyncio
import logging
from collections.abc import Callable

import aiohttp

from bot.node.close_codes import NORMAL, Recoveries, Recovery
from bot.node.rtp_stream import Route
from bot.node.voice_gateway import Closing
from bot.node.voice_session import VoiceCredentials, VoiceSession

_log = logging.getLogger(__name__)


class VoiceLink:
    """Holds one voice server by one set of credentials; used on the event loop.

    Args:
        credentials: from the voice update.
        http: the client for websockets.
        speaking: tells whether a talk spurt is going on.
        on_change: called with this link when sound may flow another way, or not at all.
    """

    def __init__(
        self,
        credentials: VoiceCredentials,
        *,
        http: aiohttp.ClientSession,
        speaking: Callable[[], bool],
        on_change: Callable[["VoiceLink"], None],
    ) -> None:
        self.credentials = credentials
        self.ending: Closing | None = None
        """How it ended for good."""
        self.was_usable = False
        self.successor: VoiceLink | None = None
        """The link that a newer voice update put in its place."""
        self._http = http
        self._speaking = speaking
        self._on_change = on_change
        self._settled = asyncio.Event()
        self._session = self._new_session()

    @property
    def route(self) -> Route | None:
        """Return where sound may flow now."""
        return self._session.route

    @property
    def usable(self) -> bool:
        """Return whether the voice server has let us in, and the websocket is up."""
        return self._session.usable

    @property
    def told_speaking(self) -> bool:
        """Return what the voice server was last told."""
        return self._session.told_speaking

    @property
    def ping_ms(self) -> int:
        """Return the last heartbeat's round trip, -1 before the first."""
        return self._session.ping_ms

    async def run(self) -> Closing:
        """Connect, and connect again, until that is hopeless or not wanted; return how it ended."""
        recoveries = Recoveries()
        try:
            while self.ending is None:
                closing = await self._session.serve(self._http)
                step = recoveries.after(
                    closing.code, established=self._session.established, lasted=self._session.lasted
                )
                self._report(closing, step.recovery)
                if step.recovery is Recovery.STOP:
                    self.ending = closing
                else:
                    await self._prepare(step.recovery)
                    await asyncio.sleep(step.pause)
        finally:
            self.ending = self.ending or Closing(NORMAL, "the connection was left", by_remote=False)
            self._session.discard()
            self._settled.set()
        return self.ending

    async def _prepare(self, recovery: Recovery) -> None:
        if recovery is Recovery.IDENTIFY:
            self._session.discard()
            self._session = self._new_session()
        elif not self._session.lasted:
            self._session.hold()  # a resume has failed: nobody may be listening at the other end

    def _new_session(self) -> VoiceSession:
        return VoiceSession(self.credentials, speaking=self._speaking, on_change=self._changed)

    def _changed(self) -> None:
        if self._session.usable:
            self.was_usable = True
            self._settled.set()
        elif self.successor is None:
            self._settled.clear()
        self._on_change(self)

    def _report(self, closing: Closing, recovery: Recovery) -> None:
        _log.info(
            "voice of guild %d: websocket closed with %d (%s), next: %s",
            self.credentials.guild_id,
            closing.code,
            closing.reason,
            recovery.name.lower(),
        )

    async def settled(self) -> None:
        """Wait until it is usable, over, or replaced."""
        await self._settled.wait()

    def replace_by(self, successor: "VoiceLink") -> None:
        """Let those who wait for this link wait for another one."""
        self.successor = successor
        self._settled.set()

    async def tell_speaking(self, *, speaking: bool) -> None:
        """Tell the voice server that a talk spurt begins or ends."""
        await self._session.tell_speaking(speaking=speaking)

    async def leave(self) -> None:
        """Close the websocket as one who goes."""
        await self._session.leave()
