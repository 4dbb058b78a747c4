"""What the bot and its extraction workers say to each other: JSON in length-prefixed frames.

The first frame to a worker is its `WorkerConfig`; it answers `{"ready": true}`, or
`{"failed": why}` when yt-dlp cannot be set up so. Each further frame is a `Job`, answered by any
number of `{"entries": [...]}` (parts of a long list, so that neither side chews on megabytes at
once) and one `{"done": {...}}` or `{"error": {...}}`.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Frame = dict[str, Any]

HEADER = struct.Struct(">I")
"""Precedes each frame: its length in bytes."""

MAX_FRAME_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """What a worker needs to know once; times are in seconds."""

    search_key: str
    allow_hosts: tuple[str, ...]
    plugin_dirs: tuple[str, ...]
    cookies: str | None
    cache_dir: str | None
    max_entries: int = 10_000
    list_seconds: float = 10
    socket_timeout: float = 8
    max_memory_mb: int = 700


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One wish: `target` is an address, or the words of a search that wants `limit` answers."""

    kind: Literal["look_up", "search", "stream"]
    target: str
    limit: int = 1


def encode(content: WorkerConfig | Job | Frame) -> bytes:
    """Return a frame with its header."""
    value = content if isinstance(content, dict) else asdict(content)
    body = json.dumps(value, separators=(",", ":")).encode()
    return HEADER.pack(len(body)) + body


def read_frame(read_exactly: Callable[[int], bytes]) -> Frame:
    """Read one frame from a blocking pipe.

    Raises:
        EOFError: the other side is gone.
    """
    (length,) = HEADER.unpack(read_exactly(HEADER.size))
    frame: Frame = json.loads(read_exactly(length))
    return frame
