"""Python threads that never let the interpreter rest, beside which a process is to answer."""

import threading


class BusyThreads:
    """As many threads as wanted, each counting."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def change(self, count: int) -> None:
        """Run `count` threads from now on."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=_count, args=(self._stop,), daemon=True) for _ in range(count)
        ]
        for thread in self._threads:
            thread.start()


def _count(stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        for _ in range(10_000):
            number += 1
