"""A guild's connection to Discord's voice servers: first connect, moves, and every way to lose it.

A connection holds one *active* link, through which sound flows. A voice update with new values
makes another one, the *newest*; it becomes active when sound can flow through it, and only then is
the old one left: a move is not heard. What a link cannot repair by itself ends it; then playback
stands still (no frame is taken off) until the next voice update.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from bot.node.close_codes import ABNORMAL
from bot.node.rtp_stream import FrameQueue, RtpStream
from bot.node.schedule import SLOT_SECONDS
from bot.node.sender import Sender
from bot.node.voice_gateway import Closing
from bot.node.voice_link import VoiceLink
from bot.node.voice_session import VoiceCredentials
from bot.node.voice_tls import voice_tls_context

_log = logging.getLogger(__name__)

_UPDATE_SECONDS = 15.0
_LAST_WORDS_SECONDS = 0.3
"""Five silence frames take 100 ms."""


class VoiceFailed(Exception):
    """No voice connection could be made; the text is one sentence for the bot's log.

    `code` is the voice server's close code, 1006 where there was none.
    """

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
        tls: whom to trust; by default the system's authorities and `SSL_CERT_FILE`'s.
    """

    def __init__(
        self,
        *,
        guild_id: int,
        user_id: int,
        frames: FrameQueue,
        sender: Sender,
        on_closed: Callable[[int, str, bool], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._guild_id = guild_id
        self._user_id = user_id
        self._sender = sender
        self._on_closed = on_closed
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._stream = RtpStream(frames, self._announce_from_sender)
        self._http: aiohttp.ClientSession | None = None
        self._active: VoiceLink | None = None
        self._newest: VoiceLink | None = None
        self._tasks: dict[VoiceLink, asyncio.Task[None]] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._quiet = asyncio.Event()
        self._closed = False
        sender.add(self._stream)

    @property
    def connected(self) -> bool:
        """Whether the voice server has let us in, and still has us."""
        return self._active is not None and (self._active.usable or self._active.route is not None)

    @property
    def ping_ms(self) -> int:
        """Return the last heartbeat's round trip; -1 until the first one is acknowledged."""
        return -1 if self._active is None else self._active.ping_ms

    async def update(self, *, token: str, endpoint: str, session_id: str, channel_id: int) -> None:
        """Connect, or move to another voice server; return once the voice server has let us in.

        The same values again, while connected, do nothing. A move keeps the old connection sending
        until the new one can. Ends within 15 s in every case.

        Raises:
            VoiceFailed: it cannot be made; an older connection, if there is one, stays.
        """
        credentials = VoiceCredentials(
            guild_id=self._guild_id,
            user_id=self._user_id,
            channel_id=channel_id,
            endpoint=endpoint,
            session_id=session_id,
            token=token,
        )
        link = self._newest
        if link is None or link.credentials != credentials:
            link = self._begin(credentials)
        try:
            async with asyncio.timeout(_UPDATE_SECONDS):
                await link.settled()
                while link.successor is not None:
                    link = link.successor
                    await link.settled()
        except TimeoutError:
            self._abandon(link)
            raise VoiceFailed("the voice server did not let us in", code=ABNORMAL) from None
        if link.ending is not None:
            raise VoiceFailed(link.ending.reason or "closed", code=link.ending.code)

    async def close(self) -> None:
        """Leave for good; the talk spurt's end (five silence frames) is sent first."""
        if self._closed:
            return
        self._closed = True
        self._stream.ending = True
        if self._stream.route is not None and not self._stream.ended:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS_SECONDS):
                    await self._quiet.wait()
                    await asyncio.sleep(SLOT_SECONDS)  # the last packet is still under way
        self._sender.remove(self._stream)
        self._stream.route = None
        await asyncio.gather(*(self._leave(link) for link in tuple(self._tasks)))
        await asyncio.gather(*self._errands, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    # ── links ───────────────────────────────────────────────────────────────
    def _begin(self, credentials: VoiceCredentials) -> VoiceLink:
        if self._closed:
            raise VoiceFailed("the player was destroyed", code=ABNORMAL)
        former, link = (
            self._newest,
            VoiceLink(
                credentials,
                http=self._client(),
                speaking=lambda: self._stream.speaking,
                on_change=self._changed,
            ),
        )
        self._newest = link
        self._tasks[link] = asyncio.create_task(self._hold(link))
        if former is not None and former is not self._active:
            former.replace_by(link)
            self._run_errand(self._leave(former))
        return link

    async def _hold(self, link: VoiceLink) -> None:
        try:
            closing = await link.run()
        except Exception:  # noqa: BLE001 - background task: the player must hear of it
            _log.exception("voice of guild %d broke", self._guild_id)
            closing = Closing(ABNORMAL, "the node's own voice connection broke", by_remote=False)
        finally:
            del self._tasks[link]
        self._ended(link, closing)

    def _changed(self, link: VoiceLink) -> None:
        """Let sound flow where it can; the newest link takes over when it is able to."""
        if link is self._newest and link is not self._active and self._can_take_over(link):
            former, self._active = self._active, link
            if former is not None:
                self._run_errand(self._leave(former))
        if link is self._active:
            self._stream.announced = link.told_speaking
            self._stream.route = link.route
            self._sender.hurry(self._stream)
            if link.usable and self._stream.speaking != link.told_speaking:
                self._run_errand(self._speak(speaking=self._stream.speaking))

    def _can_take_over(self, link: VoiceLink) -> bool:
        return link.route is not None or (link.usable and self._active is None)

    def _ended(self, link: VoiceLink, closing: Closing) -> None:
        if link is self._active:
            self._active = None
        if link is not self._newest:
            return
        self._newest = self._active
        known = closing.by_remote or link.was_usable
        if self._active is None and known and not self._closed:
            self._on_closed(closing.code, closing.reason, closing.by_remote)

    def _abandon(self, link: VoiceLink) -> None:
        if link is self._newest and link is not self._active:
            self._newest = self._active
            self._run_errand(self._leave(link))

    async def _leave(self, link: VoiceLink) -> None:
        task = self._tasks.get(link)
        if task is None:
            return
        await link.leave()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    # ── speaking ────────────────────────────────────────────────────────────
    def _announce_from_sender(self, speaking: bool) -> None:  # noqa: FBT001 - the stream's callback
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the process with it
            self._loop.call_soon_threadsafe(self._announce, speaking)

    def _announce(self, speaking: bool) -> None:  # noqa: FBT001 - call_soon passes positionally
        self._run_errand(self._speak(speaking=speaking))

    async def _speak(self, *, speaking: bool) -> None:
        if self._active is not None:
            await self._active.tell_speaking(speaking=speaking)
            self._stream.announced = self._active.told_speaking and self._stream.speaking
            self._sender.hurry(self._stream)
        if self._stream.ended:
            self._quiet.set()

    # ── means ───────────────────────────────────────────────────────────────
    def _client(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=self._tls or voice_tls_context(),
                    resolver=aiohttp.ThreadedResolver(),  # the system's own rules for names
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._http

    def _run_errand(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
