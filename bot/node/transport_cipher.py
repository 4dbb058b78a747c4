"""The encryption between us and Discord's voice server, one packet at a time.

Both modes that Discord still speaks are of the `rtpsize` kind: the RTP header travels in the clear
and is authenticated; behind the ciphertext and its 16-byte tag stand the 4 bytes of a counter,
which, padded with zeros, are the nonce. A counter value is never used twice with one key.

XChaCha20 (draft-irtf-cfrg-xchacha) makes a subkey of the key and the first 16 of its 24 nonce bytes
by HChaCha20, then encrypts with plain ChaCha20-Poly1305. As the counter stands in those first
bytes, each packet has its own subkey. HChaCha20 is the ChaCha20 block function without its last
step, the addition of the input: so an ordinary key stream block gives it, once that addition is
taken back for the words that count (the first and the last four).
"""

import struct
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

Seal = Callable[[bytes, bytes, int], bytes]
"""(RTP header, payload, counter) -> the whole datagram; the counter is below 2**32."""

AES_GCM = "aead_aes256_gcm_rtpsize"
XCHACHA = "aead_xchacha20_poly1305_rtpsize"

_COUNTER = struct.Struct(">I")
_FIRST_ROW = struct.unpack("<4I", b"expand 32-byte k")
_BLOCK = struct.Struct("<16I")
_ROW = struct.Struct("<4I")
_SUBKEY = struct.Struct("<8I")
_EMPTY_BLOCK = bytes(64)


class NoCommonMode(ValueError):
    """The voice server offers no encryption mode that we know."""


def choose_mode(offered: Sequence[str]) -> str:
    """Pick AES where the server offers it (hardware does it), else XChaCha20.

    Raises:
        NoCommonMode: neither is offered.
    """
    for mode in (AES_GCM, XCHACHA):
        if mode in offered:
            return mode
    raise NoCommonMode(f"the voice server offers only {', '.join(offered) or 'no mode at all'}")


def sealer(mode: str, key: bytes) -> Seal:
    """Return the function that encrypts packets in `mode` with the session's 32-byte `key`.

    Raises:
        NoCommonMode: the mode is unknown.
    """
    if mode == AES_GCM:
        return _aes_gcm(key)
    if mode == XCHACHA:
        return _xchacha(key)
    raise NoCommonMode(f"the voice server chose {mode}, which was not asked for")


def _aes_gcm(key: bytes) -> Seal:
    encrypt = AESGCM(key).encrypt
    padding = bytes(8)

    def seal(header: bytes, payload: bytes, counter: int) -> bytes:
        nonce = _COUNTER.pack(counter)
        return header + encrypt(nonce + padding, payload, header) + nonce

    return seal


def _xchacha(key: bytes) -> Seal:
    rest_of_nonce = bytes(12)

    def seal(header: bytes, payload: bytes, counter: int) -> bytes:
        nonce = _COUNTER.pack(counter)
        subkey = hchacha20(key, nonce + rest_of_nonce)
        return header + ChaCha20Poly1305(subkey).encrypt(rest_of_nonce, payload, header) + nonce

    return seal


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """Return the subkey for a 32-byte key and the first 16 bytes of an XChaCha20 nonce."""
    stream = Cipher(algorithms.ChaCha20(key, nonce), mode=None).encryptor()
    words = _BLOCK.unpack(stream.update(_EMPTY_BLOCK))
    added = _FIRST_ROW + _ROW.unpack(nonce)
    kept = words[:4] + words[12:]
    return _SUBKEY.pack(*[(word - was) & 0xFFFFFFFF for word, was in zip(kept, added, strict=True)])
