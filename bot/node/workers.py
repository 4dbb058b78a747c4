"""The node's threads for work that computes or blocks: two that decode, and some that read."""

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_log = logging.getLogger(__name__)

Job = Callable[[], None]

READER_THREADS = 96
"""Reading may block for seconds; threads are made only while all the others are blocked."""


class DecodeWorkers:
    """A few threads that make frames; the player that runs dry first is served first.

    Args:
        count: how many threads.
        right_of_way: a lock whose holder must not be disturbed; see `give_way`.
    """

    def __init__(self, count: int = 2, *, right_of_way: threading.Lock | None = None) -> None:
        self._right_of_way = right_of_way or threading.Lock()
        self._jobs: list[tuple[float, int, Job]] = []
        self._number = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"decode-{index}", daemon=True)
            for index in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job, *, due: float) -> None:
        """Run `job` on a worker; of the waiting ones the earliest `due` (monotonic) goes first."""
        with self._changed:
            heapq.heappush(self._jobs, (due, next(self._number), job))
            self._changed.notify()

    def give_way(self) -> None:
        """Wait while packets are being sent; for jobs, between two frames.

        With 50 players encoding, 99 of 100 slots are served in 2 ms instead of 8.
        """
        with self._right_of_way:
            pass

    def close(self) -> None:
        """Forget waiting jobs, finish the running ones and end the threads."""
        with self._changed:
            self._closed = True
            self._jobs.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:  # noqa: BLE001 -- background work: logged, the next player's goes on
                _log.exception("making frames failed")

    def _next(self) -> Job | None:
        with self._changed:
            while not self._jobs:
                if self._closed:
                    return None
                self._changed.wait()
            return heapq.heappop(self._jobs)[2]


def reader_threads() -> ThreadPoolExecutor:
    """Make the pool in which media are opened and read ahead."""
    return ThreadPoolExecutor(READER_THREADS, thread_name_prefix="read")
