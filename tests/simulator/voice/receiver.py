"""The voice server's UDP port: receives in a thread of its own, with the kernel's time stamps.

Lateness is judged by these times, so they must not depend on how busy the test's event loop or the
interpreter is: on Linux the kernel stamps each datagram when it comes in (SO_TIMESTAMPNS);
elsewhere the time of `recvmsg` stands in.
"""

import socket
import struct
import sys
import threading
import time
from collections.abc import Callable

from tests.simulator.voice.ears import Ears
from tests.simulator.voice.stream import Stream
from tests.simulator.voice.transport import discovery_response, ssrc_of_discovery, udp_socket

_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; the socket module names neither
_SO_RXQ_OVFL = 40
_TIMESPEC = struct.Struct("@qq")
_KEEP_ALIVE_BYTES = 8
_LARGEST_DATAGRAM = 2048
_OLDEST_STAMP = 10.0
_SSRC_AT = 8
_RTCP_KINDS = range(200, 208)
_UNINTERRUPTED = 20e-6


class Receiver:
    """Answers IP discovery and hands RTP packets on, by SSRC.

    Args:
        ears: Where packets go.
        discovered: Called with the SSRC when a discovery was answered (in the receiving thread).
    """

    def __init__(self, ears: Ears, discovered: Callable[[int], None]) -> None:
        self.streams: dict[int, Stream] = {}
        self.discoveries_to_drop = 0
        self.packets_to_lose = 0
        self.strays = 0
        self._ears = ears
        self._discovered = discovered
        self._socket = udp_socket()
        self._stamped = sys.platform == "linux"
        if self._stamped:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
        self._overflowed = 0
        self._wall_ahead = 0.0
        self._open = True
        self._thread = threading.Thread(target=self._work, name="voice udp", daemon=True)

    @property
    def port(self) -> int:
        """Return the UDP port."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Begin receiving."""
        self._thread.start()

    def close(self) -> None:
        """End the thread and free the port."""
        self._open = False
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _work(self) -> None:
        ancillary_space = socket.CMSG_SPACE(_TIMESPEC.size) + socket.CMSG_SPACE(4)
        while True:
            try:
                datagram, ancillary, _, sender = self._socket.recvmsg(
                    _LARGEST_DATAGRAM, ancillary_space
                )
            except ConnectionError:
                continue  # a client's port closed while an answer was under way
            if not self._open:
                return
            self._receive(self._arrival(ancillary), datagram, sender)

    def _arrival(self, ancillary: list[tuple[int, int, bytes]]) -> float:
        now = self._compare_clocks()
        arrival = now
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack(data)
                stamp = seconds + nanoseconds * 1e-9 - self._wall_ahead
                if now - _OLDEST_STAMP < stamp < now:  # else the wall clock was set meanwhile
                    arrival = stamp
            elif level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL:
                self._note_overflow(int.from_bytes(data, sys.byteorder))
        return arrival

    def _compare_clocks(self) -> float:
        """Keep what the stamps' clock is ahead; a comparison that was interrupted is not used."""
        before = time.monotonic()
        wall = time.time()
        after = time.monotonic()
        if after - before < _UNINTERRUPTED or self._wall_ahead == 0.0:
            self._wall_ahead = wall - (before + after) / 2
        return after

    def _note_overflow(self, total: int) -> None:
        if total > self._overflowed:
            lost, self._overflowed = total - self._overflowed, total
            for stream in tuple(self.streams.values()):
                stream.ear.report(f"the simulator's own queue overflowed, {lost} packets are gone")

    def _receive(self, arrival: float, datagram: bytes, sender: tuple[str, int]) -> None:
        if len(datagram) == _KEEP_ALIVE_BYTES:
            self._socket.sendto(datagram, sender)
        elif (ssrc := ssrc_of_discovery(datagram)) is not None:
            self._answer_discovery(ssrc, sender)
        elif len(datagram) >= _SSRC_AT + 4:
            self._receive_rtp(arrival, datagram)

    def _answer_discovery(self, ssrc: int, sender: tuple[str, int]) -> None:
        if ssrc not in self.streams:
            return
        if self.discoveries_to_drop > 0:
            self.discoveries_to_drop -= 1
            return
        self._discovered(ssrc)
        self._socket.sendto(discovery_response(ssrc, sender), sender)

    def _receive_rtp(self, arrival: float, datagram: bytes) -> None:
        stream = self.streams.get(int.from_bytes(datagram[_SSRC_AT : _SSRC_AT + 4]))
        if stream is None:
            self.strays += 1
            return
        if datagram[1] in _RTCP_KINDS:
            return
        if self.packets_to_lose > 0:
            self.packets_to_lose -= 1
            return
        stream.ear.received += 1
        self._ears.take(stream, arrival, datagram)
