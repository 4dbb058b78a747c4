"""The UDP socket of one voice session, and how it learns the address it is seen at."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Sequence

_DISCOVERY = struct.Struct(">HHI64sH")
_REQUEST, _RESPONSE, _LENGTH = 1, 2, 70
_WAITS = (0.1, 0.2, 0.4, 0.8, 1.6, 1.6)
"""Seconds until the question is put again; a lost packet costs the first of them."""
_RECEIVE_BUFFER = 4096
"""Bytes: nothing is read after the discovery, so what members say should not pile up."""


class DiscoveryFailed(Exception):
    """The voice server did not tell our address; most likely a firewall drops UDP."""


class VoiceSocket:
    """A UDP socket that exchanges datagrams with one voice server only.

    `send` may be called from the sender thread, everything else from the event loop.
    """

    def __init__(self, ip: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        self._lock = threading.Lock()
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.settimeout(0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        try:
            self._socket.connect((ip, port))
        except OSError:
            self._socket.close()
            raise

    def send(self, datagram: bytes) -> bool:
        """Send without waiting; return whether the system took the datagram."""
        with self._lock:  # close() frees the descriptor, whose number the next socket would get
            try:
                self._socket.send(datagram)
            except ConnectionRefusedError:
                return self._again(datagram)
            except OSError:
                return False
        return True

    def _again(self, datagram: bytes) -> bool:
        # The refusal belongs to an earlier datagram and kept this one from being sent.
        try:
            self._socket.send(datagram)
        except OSError:
            return False
        return True

    async def discover(self, ssrc: int, *, waits: Sequence[float] = _WAITS) -> tuple[str, int]:
        """Ask for the address at which the server sees us (IP discovery).

        Asked once for each of `waits`, which are seconds; together at most 4.7 s by default.

        Raises:
            DiscoveryFailed: no answer.
        """
        request = _DISCOVERY.pack(_REQUEST, _LENGTH, ssrc, b"", 0)
        for wait in waits:
            self.send(request)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    return await self._answer(ssrc)
        raise DiscoveryFailed("the voice server does not answer over UDP")

    async def _answer(self, ssrc: int) -> tuple[str, int]:
        loop = asyncio.get_running_loop()
        while True:
            try:
                datagram = await loop.sock_recv(self._socket, 256)
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)  # the port may open yet; without a pause this would spin
                continue
            if address := _discovered(datagram, ssrc):
                return address

    def close(self) -> None:
        """Free the socket; later sends do nothing."""
        with self._lock:
            self._socket.close()


def _discovered(datagram: bytes, ssrc: int) -> tuple[str, int] | None:
    if len(datagram) != _DISCOVERY.size:
        return None
    kind, length, whose, host, port = _DISCOVERY.unpack(datagram)
    if (kind, length, whose) != (_RESPONSE, _LENGTH, ssrc):
        return None
    return host.split(b"\0", 1)[0].decode("ascii", "replace"), port
