"""A gateway connection that comes back by itself, and resumes where Discord wants it.

nextcord's own shard ends the whole bot when the gateway closes a second time while it resumes, and
resumes at the general address, where sessions end earlier (Discord, "Resuming").
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, override

import aiohttp
import nextcord
from nextcord.gateway import DiscordWebSocket, ReconnectWebSocket
from nextcord.shard import Shard

_log = logging.getLogger(__name__)

_CONNECT_SECONDS = 60.0
_PAUSES_SECONDS = (0.0, 0.2, 1.0, 2.0, 5.0, 10.0, 30.0)
_TRIES_AT_OWN_ADDRESS = 2

_UNREACHABLE = (
    OSError,
    TimeoutError,
    aiohttp.ClientError,
    nextcord.HTTPException,
    nextcord.GatewayNotFound,
)


class GatewayAddress(Protocol):
    """Says where the next connection goes."""

    @contextmanager
    def gateway_at(self, address: str | None) -> Iterator[None]:
        """Let connections that are opened meanwhile go to `address`; None: the general one."""
        ...


class PersistentShard(Shard):
    """One gateway session; `adopt` makes it of nextcord's shard."""

    _own_address: str | None = None

    @staticmethod
    def adopt(shard: Shard) -> None:
        """Give a shard that nextcord has opened this behaviour."""
        shard.__class__ = PersistentShard

    @override
    async def reidentify(self, exc: ReconnectWebSocket) -> None:
        """Open a new connection and resume, or identify where the session is over."""
        self._cancel_task()
        self._dispatch("disconnect")
        self._dispatch("shard_disconnect", self.id)
        self._own_address = self.ws.resume_url or self._own_address
        resume, failures = bool(exc.resume), 0
        while not self._client.is_closed():
            try:
                await self._open(resume=resume, failures=failures)
            except ReconnectWebSocket as again:
                _log.info("the gateway closed again at once")
                resume = resume and bool(again.resume)
            except nextcord.ConnectionClosed as closed:
                await self._handle_disconnect(closed)  # a reason that no repetition mends
                return
            except _UNREACHABLE as error:
                _log.warning("the gateway is not reachable: %s", type(error).__name__)
            else:
                self.launch()
                return
            await asyncio.sleep(_PAUSES_SECONDS[min(failures, len(_PAUSES_SECONDS) - 1)])
            failures += 1

    @override
    async def reconnect(self) -> None:
        """Begin a new session."""
        await self.reidentify(ReconnectWebSocket(self.id, resume=False))

    async def _open(self, *, resume: bool, failures: int) -> None:
        at_own = resume and failures < _TRIES_AT_OWN_ADDRESS
        http: Any = self._client.http
        addresses: GatewayAddress = http
        with addresses.gateway_at(self._own_address if at_own else None):
            self.ws = await asyncio.wait_for(
                DiscordWebSocket.from_client(
                    self._client,
                    resume=resume,
                    shard_id=self.id,
                    session=self.ws.session_id if resume else None,
                    sequence=self.ws.sequence if resume else None,
                ),
                timeout=_CONNECT_SECONDS,
            )
