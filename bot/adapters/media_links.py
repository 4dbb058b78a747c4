"""Links of the media relay: they say themselves what they lead to, and only the bot can make them.

A token holds the track's source and address, signed with a key that stays in the data folder. So
a link outlives the process that made it: a node that plays through a restart of the bot goes on
reading, and the relay finds the audio again from the link alone.
"""

import base64
import binascii
import hmac
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from services.audio.track import Source

_KEY_BYTES = 32
_SIGNATURE_BYTES = 16


@dataclass(frozen=True, slots=True)
class MediaRef:
    """The identity of a piece of media: where it is from and its lasting address."""

    source: Source
    url: str


class LinkSigner:
    """Makes and reads tokens."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, media: MediaRef) -> str:
        """Return the token for `media`, fit for a path."""
        packed = zlib.compress(f"{media.source.value} {media.url}".encode())
        return _encode(self._signature(packed) + packed)

    def media(self, token: str) -> MediaRef | None:
        """Return what a token stands for; None where we did not sign it."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        signature, packed = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(packed)):
            return None
        source, _, url = zlib.decompress(packed).decode().partition(" ")
        return MediaRef(Source(source), url)

    def _signature(self, packed: bytes) -> bytes:
        return hmac.digest(self._key, packed, "sha256")[:_SIGNATURE_BYTES]


def load_key(path: Path) -> bytes:
    """Return the key in `path`, which is made at the first start, readable by its owner only.

    Raises:
        OSError: the file can be neither read nor written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) >= _KEY_BYTES:
            return key
        # a crash between creating and writing leaves it short; no link was signed with it
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
    key = os.urandom(_KEY_BYTES)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    return key


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
