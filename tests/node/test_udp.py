"""The own address is found out, though packets are lost and strangers talk."""

import asyncio
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.node.udp import DiscoveryFailed, VoiceSocket

_SSRC = 7001


class _Server(asyncio.DatagramProtocol):
    """Answers from the `answer_from`th request on."""

    def __init__(self, *, answer_from: int = 1) -> None:
        self.requests: list[bytes] = []
        self.chatter: list[bytes] = []
        self.answer_from = answer_from
        self.port = 0
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: Any) -> None:
        assert self.transport is not None
        self.requests.append(data)
        for chatter in self.chatter:
            self.transport.sendto(chatter, addr)
        if len(self.requests) >= self.answer_from:
            self.transport.sendto(answer(_SSRC), addr)


def answer(ssrc: int, *, kind: int = 2) -> bytes:
    return struct.pack(">HHI64sH", kind, 70, ssrc, b"203.0.113.9", 50_004)


@pytest.fixture
async def server() -> AsyncIterator[_Server]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(_Server, local_addr=("127.0.0.1", 0))
    yield protocol
    transport.close()


async def test_discovery_asks_as_discord_says_and_reads_the_answer(server: _Server) -> None:
    udp = VoiceSocket("127.0.0.1", server.port)
    assert await udp.discover(_SSRC) == ("203.0.113.9", 50_004)
    assert server.requests[0] == struct.pack(">HHI", 1, 70, _SSRC) + bytes(66)
    udp.close()


async def test_discovery_with_lost_packets_asks_again(server: _Server) -> None:
    server.answer_from = 3
    udp = VoiceSocket("127.0.0.1", server.port)
    assert await udp.discover(_SSRC, waits=[0.01, 0.01, 5]) == ("203.0.113.9", 50_004)
    udp.close()


async def test_discovery_ignores_everything_but_its_answer(server: _Server) -> None:
    server.chatter = [b"", b"x" * 200, answer(_SSRC + 1), answer(_SSRC, kind=1)]
    udp = VoiceSocket("127.0.0.1", server.port)
    assert await udp.discover(_SSRC) == ("203.0.113.9", 50_004)
    udp.close()


async def test_discovery_without_any_answer_fails_with_a_sentence(server: _Server) -> None:
    server.answer_from = 99
    udp = VoiceSocket("127.0.0.1", server.port)
    with pytest.raises(DiscoveryFailed, match="UDP"):
        await udp.discover(_SSRC, waits=[0.01, 0.01])
    assert len(server.requests) == 2
    udp.close()


async def test_discovery_at_a_closed_port_fails_without_spinning(server: _Server) -> None:
    assert server.transport is not None
    server.transport.close()
    udp = VoiceSocket("127.0.0.1", server.port)
    with pytest.raises(DiscoveryFailed):
        await udp.discover(_SSRC, waits=[0.05])
    udp.close()


async def test_socket_that_was_closed_takes_no_datagram(server: _Server) -> None:
    udp = VoiceSocket("127.0.0.1", server.port)
    assert udp.send(b"sound")
    udp.close()
    assert not udp.send(b"sound")
