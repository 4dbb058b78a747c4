"""How much of the machine was left for a measurement: what other programs used meanwhile."""

import os
import resource
import time

import psutil


class MachineShare:
    """Counts from its making on."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._own, self._all = _own_seconds(), _busy_seconds()

    def account(self) -> str:
        """Tell how long it took, and how busy others kept the processors."""
        took = time.monotonic() - self._began
        others = _busy_seconds() - self._all - (_own_seconds() - self._own)
        share = max(0.0, others) / (took * (os.cpu_count() or 1))
        return f"{took:.0f} s; other programs used {share:.0%} of the processors"


def _own_seconds() -> float:
    """Return what this process and those that it has waited for have computed."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _busy_seconds() -> float:
    """Return what all programs together have computed."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - _guests(times))


def _guests(times: object) -> float:
    """Return what Linux counts twice: virtual machines are in `user` and `nice` already."""
    return float(getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0))
