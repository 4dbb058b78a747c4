"""Packets, ciphers and certificates are what the standards say."""

import ssl
import struct
import subprocess
import sys
import time

import pytest

from tests.simulator.voice import CertificateAuthority, VoiceServer
from tests.simulator.voice.minimal_client import GUILD, MinimalClient, admit, tone_frames
from tests.simulator.voice.mls import MalformedMls, Reader, vector
from tests.simulator.voice.transport import (
    AES_GCM,
    BadPacket,
    RtpPacket,
    discovered_address,
    discovery_request,
    discovery_response,
    hchacha20,
    ssrc_of_discovery,
)


def test_hchacha20_gives_the_subkey_of_the_drafts_example() -> None:
    nonce = bytes.fromhex("000000090000004a0000000031415927")
    expected = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    assert hchacha20(bytes(range(32)), nonce).hex() == expected


def test_discovery_is_74_bytes_each_way() -> None:
    request = discovery_request(7)
    assert len(request) == 74
    assert ssrc_of_discovery(request) == 7
    assert ssrc_of_discovery(request[:70]) is None
    response = discovery_response(7, ("192.0.2.1", 50_000))
    assert len(response) == 74
    assert discovered_address(response) == ("192.0.2.1", 50_000)
    assert ssrc_of_discovery(response) is None


def test_rtp_header_with_an_extension_authenticates_its_four_bytes_only() -> None:
    header = struct.pack(">BBHIIHH", 0x90, 0x78, 5, 960, 42, 0xBEDE, 2)
    packet = RtpPacket.parse(header + b"e" * 30 + b"nnnn")
    assert packet.header == header
    assert packet.extension_bytes == 8
    assert (packet.sequence, packet.timestamp, packet.ssrc) == (5, 960, 42)
    assert (packet.sealed, packet.counter) == (b"e" * 30, b"nnnn")


@pytest.mark.parametrize(
    "header", [b"\x00\x78", b"\x80\x60", b"\x40\x78", b"\x81\x78"], ids=lambda each: each.hex()
)
def test_rtp_of_another_kind_is_refused(header: bytes) -> None:
    with pytest.raises(BadPacket):
        RtpPacket.parse(header + bytes(60))


@pytest.mark.parametrize(
    ("encoded", "size"), [("25", 37), ("7bbd", 15_293), ("9d7f3e7d", 494_878_333)]
)
def test_vector_lengths_are_those_of_the_mls_standards_examples(encoded: str, size: int) -> None:
    if size < 1 << 20:
        content = vector(bytes(size))
        assert content.startswith(bytes.fromhex(encoded))
        assert Reader(content).vector() == bytes(size)
    else:
        with pytest.raises(MalformedMls, match="too early"):
            Reader(bytes.fromhex(encoded)).vector()
    with pytest.raises(MalformedMls, match="short"):
        Reader(bytes.fromhex("4025") + bytes(100)).vector()


def test_authority_file_makes_python_trust_its_servers_by_environment() -> None:
    authority = CertificateAuthority()
    script = (
        "import ssl; c = ssl.create_default_context(); "
        "print(c.verify_flags & ssl.VERIFY_X509_STRICT, "
        "any('Test authority' in str(each) for each in c.get_ca_certs()))"
    )
    done = subprocess.run(  # noqa: S603  # this interpreter
        [sys.executable, "-c", script],
        env={"SSL_CERT_FILE": str(authority.ca_file)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[1] == "True"


def test_authority_trusts_nobody_else_and_makes_a_java_store() -> None:
    one, other = CertificateAuthority(), CertificateAuthority()
    assert one.client_context().get_ca_certs() != other.client_context().get_ca_certs()
    assert one.client_context().verify_mode is ssl.CERT_REQUIRED
    assert one.java_truststore("changeit")[:1] == b"\x30"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps datagrams in the kernel")
async def test_arrival_is_the_time_of_receipt_however_busy_the_interpreter_is() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.join(AES_GCM)
            await voice.log(GUILD).happens("speaking")
            first, second = (client.seal(frame) for frame in tone_frames(440, 2))
            client.send_datagram(first)
            await voice.ear(GUILD).packets(1)
            before = time.monotonic()
            client.send_datagram(second)
            after = time.monotonic()
            sum(range(20_000_000))  # one call in C: no other thread runs meanwhile
            freed = time.monotonic()
            frame = (await voice.ear(GUILD).packets(2))[1]
            assert before - 0.001 < frame.arrival < after + (freed - after) / 4
