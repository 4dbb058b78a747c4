"""The wire format of the gateway: JSON envelopes, as text or as one zlib stream a connection."""

import zlib
from typing import Any

import orjson

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE_STATE = 0, 1, 2, 3, 4
RESUME, RECONNECT, REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = range(6, 12)


def envelope(op: int, data: Any = None) -> bytes:
    """Write a frame that is no dispatch; `s` and `t` stand in every frame."""
    return orjson.dumps({"t": None, "s": None, "op": op, "d": data})


def dispatch(event: str, sequence: int, raw_data: bytes) -> bytes:
    """Write a dispatch around data that is JSON already."""
    return b'{"t":"%b","s":%d,"op":0,"d":%b}' % (event.encode(), sequence, raw_data)


class ZlibStream:
    """One compression context for a whole connection; every message ends with a sync flush."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(level=1)

    def pack(self, frame: bytes) -> bytes:
        """Compress the next message."""
        return self._compressor.compress(frame) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
