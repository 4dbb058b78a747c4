"""How the node's process and its machine are doing, for Lavalink's `stats`."""

import gc
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

from bot.node.protocol import now_ms

_STATM: Final = Path("/proc/self/statm")
_MEMINFO: Final = Path("/proc/meminfo")


class Machine:
    """Measures between two questions."""

    def __init__(self) -> None:
        self._started = now_ms()
        self._asked = time.monotonic()
        self._busy = _cpu_seconds()
        self._load = 0.0

    def payload(self) -> dict[str, Any]:
        """Return uptime, memory and cpu as the protocol's Stats have them."""
        used, total = resident_bytes(), _total_bytes()
        return {
            "uptime": now_ms() - self._started,
            "memory": {
                "free": max(0, total - used),
                "used": used,
                "allocated": used,
                "reservable": total,
            },
            "cpu": {
                "cores": os.cpu_count() or 1,
                "systemLoad": _system_load(),
                "lavalinkLoad": self._own_load(),
            },
        }

    def _own_load(self) -> float:
        now, busy = time.monotonic(), _cpu_seconds()
        if now - self._asked >= 1:
            self._load = (busy - self._busy) / (now - self._asked) / (os.cpu_count() or 1)
            self._asked, self._busy = now, busy
        return round(self._load, 6)


def resident_bytes() -> int:
    """Return the process's resident memory; its peak where only that is known."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return _peak_bytes()


def settle_memory() -> None:
    """Put all that the start has made aside, so the collector never looks at it again.

    A full collection would hold the interpreter lock for 20 ms, which is heard as late packets.
    """
    gc.collect()
    gc.freeze()


def return_memory() -> None:
    """Give memory that ended players used back to the system, where the C library keeps it.

    Players and what they use refer to each other, so the collector must have looked first; that
    takes a millisecond, because `settle_memory` has put everything from the start aside.
    """
    gc.collect()
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _peak_bytes() -> int:
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _total_bytes() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0


def _system_load() -> float:
    if sys.platform == "win32":
        return 0.0
    return round(min(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), 6)


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system
