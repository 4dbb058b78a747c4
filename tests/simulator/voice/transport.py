"""The UDP side of a voice connection on paper: IP discovery, RTP and the two transport ciphers.

Both ciphers are the `rtpsize` kind: the RTP header travels in the clear and is authenticated as
additional data, with the 4-byte extension header when the packet has one (the extension's body is
encrypted). Behind the ciphertext and its 16-byte tag stand 4 bytes, which, padded with zeros, are
the nonce. They are taken as they come: nobody needs to know their byte order.

XChaCha20 (draft-irtf-cfrg-xchacha) derives a key from the first 16 nonce bytes by HChaCha20, then
uses IETF ChaCha20-Poly1305 with the other 8. HChaCha20 is the ChaCha20 block function without the
last addition of the input, and with only the outer two rows kept: so it is had from an ordinary
key stream block by taking that addition back.
"""

import socket
import struct
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

AES_GCM = "aead_aes256_gcm_rtpsize"
XCHACHA = "aead_xchacha20_poly1305_rtpsize"
SILENCE = b"\xf8\xff\xfe"
"""The Opus frame that a client sends five times when it stops speaking."""

_RTP_HEADER = 12
_TAG_AND_COUNTER = 20
_DISCOVERY = struct.Struct(">HHI64sH")
_DISCOVERY_REQUEST, _DISCOVERY_RESPONSE, _DISCOVERY_LENGTH = 1, 2, 70
_OPUS_PAYLOAD = 0x78
_EXTENSION_PROFILE = 0xBEDE


class BadPacket(Exception):
    """A packet that Discord's voice server would throw away; the sentence says why."""


class _Aead(Protocol):
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


class TransportCipher:
    """Opens packets of one connection.

    Args:
        mode: `AES_GCM` or `XCHACHA`.
        key: 32 bytes, as sent in op 4.
    """

    def __init__(self, mode: str, key: bytes) -> None:
        self._key = key
        self._gcm: _Aead | None = AESGCM(key) if mode == AES_GCM else None

    def open(self, counter: bytes, sealed: bytes, header: bytes) -> bytes:
        """Return what was sealed; raise `BadPacket` when the tag is wrong."""
        try:
            if self._gcm is not None:
                return self._gcm.decrypt(counter + bytes(8), sealed, header)
            subkey = hchacha20(self._key, counter + bytes(12))
            return ChaCha20Poly1305(subkey).decrypt(bytes(12), sealed, header)
        except InvalidTag:
            raise BadPacket("its authentication tag is wrong") from None


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """Return the 32-byte subkey for a 32-byte key and the first 16 bytes of an XChaCha nonce."""
    block = Cipher(algorithms.ChaCha20(key, nonce), mode=None).encryptor().update(bytes(64))
    words = struct.unpack("<16I", block)
    first_row = struct.unpack("<4I", b"expand 32-byte k")
    last_row = struct.unpack("<4I", nonce)
    rows = zip(words[:4] + words[12:], first_row + last_row, strict=True)
    return struct.pack("<8I", *((word - start) & 0xFFFFFFFF for word, start in rows))


def ssrc_of_discovery(datagram: bytes) -> int | None:
    """Return who asks for its address, or None when this is no discovery request."""
    if len(datagram) != _DISCOVERY.size:
        return None
    kind, length, ssrc, _, _ = _DISCOVERY.unpack(datagram)
    if kind != _DISCOVERY_REQUEST or length != _DISCOVERY_LENGTH:
        return None
    return int(ssrc)


def discovery_response(ssrc: int, address: tuple[str, int]) -> bytes:
    """Return the answer that tells a client the address it is seen at."""
    return _DISCOVERY.pack(
        _DISCOVERY_RESPONSE, _DISCOVERY_LENGTH, ssrc, address[0].encode(), address[1]
    )


def discovery_request(ssrc: int) -> bytes:
    """Return what a client asks; here because both directions are one format."""
    return _DISCOVERY.pack(_DISCOVERY_REQUEST, _DISCOVERY_LENGTH, ssrc, b"", 0)


def discovered_address(datagram: bytes) -> tuple[str, int]:
    """Return the address that a discovery response names."""
    _, _, _, host, port = _DISCOVERY.unpack(datagram)
    return host.split(b"\0", 1)[0].decode(), int(port)


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet as it lies on the wire, its cipher still closed."""

    sequence: int
    timestamp: int
    ssrc: int
    header: bytes
    sealed: bytes
    counter: bytes
    extension_bytes: int

    @classmethod
    def parse(cls, datagram: bytes) -> "RtpPacket":
        """Read the clear parts; raise `BadPacket` for what is no Opus packet of Discord's."""
        if len(datagram) <= _RTP_HEADER + _TAG_AND_COUNTER:
            raise BadPacket(f"{len(datagram)} bytes are too few for a header, a tag and a counter")
        first, kind, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", datagram)
        if first & ~0x10 != 0x80:
            raise BadPacket(f"its first byte is {first:#04x}, not 0x80 or 0x90")
        if kind & 0x7F != _OPUS_PAYLOAD:
            raise BadPacket(f"its payload type is {kind & 0x7F}, not {_OPUS_PAYLOAD}")
        header, extension = _RTP_HEADER, 0
        if first & 0x10:
            profile, words = struct.unpack_from(">HH", datagram, header)
            if profile != _EXTENSION_PROFILE:
                raise BadPacket(f"its extension profile is {profile:#06x}, not 0xbede")
            header, extension = header + 4, 4 * words
        return cls(
            sequence=sequence,
            timestamp=timestamp,
            ssrc=ssrc,
            header=datagram[:header],
            sealed=datagram[header:-4],
            counter=datagram[-4:],
            extension_bytes=extension,
        )

    def open(self, cipher: TransportCipher) -> bytes:
        """Return the payload behind the extension; raise `BadPacket` when it cannot be opened."""
        return cipher.open(self.counter, self.sealed, self.header)[self.extension_bytes :]


def udp_socket(port: int = 0) -> socket.socket:
    """Return a loopback socket that takes bursts of a hundred players without losing any."""
    created = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    created.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    created.bind(("127.0.0.1", port))
    return created
