"""An extraction worker: yt-dlp in a process of its own (`python -m bot.adapters.ytdlp_worker`).

Only here is yt-dlp imported. The process has low priority, guards its own network and memory, and
ends with the bot, however that ends: a thread of its own watches the pipe.
"""

import contextlib
import os
import queue
import resource
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from bot.adapters.address_guard import AddressGuard
from bot.adapters.ytdlp_network import NetworkGuard
from bot.adapters.ytdlp_protocol import Frame, Job, WorkerConfig, encode, read_frame

_NICENESS = 10
_MEMORY_LOOK_SECONDS = 0.5
_PAGE_BYTES = resource.getpagesize()
_AUTOGROUP = Path("/proc/self/autogroup")
_MEMORY = Path("/proc/self/statm")
_MEBIBYTE = 1024 * 1024


def main() -> None:
    """Serve jobs until the bot is gone."""
    _let_others_go_first()
    jobs, answers = _take_pipes()
    config = WorkerConfig(**_tuples(read_frame(_exactly(jobs))))
    network = NetworkGuard(AddressGuard(config.allow_hosts))
    pending: queue.SimpleQueue[Frame] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(jobs, pending), daemon=True).start()
    threading.Thread(target=_watch_memory, args=(config.max_memory_mb,), daemon=True).start()

    from bot.adapters.ytdlp_sites import SiteReader

    network.install()
    try:
        reader = SiteReader(config)
    except Exception as error:  # noqa: BLE001 -- a cookie file, a plugin: the bot logs what it was
        _send(answers, {"failed": str(error)})
        return
    _send(answers, {"ready": True})
    while True:
        job = Job(**pending.get())
        network.has_refused = False
        try:
            _send(answers, {"done": reader.answer(job, lambda part: _send(answers, part))})
        except Exception as error:  # noqa: BLE001 -- the boundary of a job: extractors raise anything
            _send(answers, {"error": {"said": str(error), "refused": network.has_refused}})


def _let_others_go_first() -> None:
    """Take low priority, also where Linux shares processors out by sessions (autogroup).

    A worker is a session of its own; there its niceness alone would count for nothing.
    """
    os.nice(_NICENESS)
    with contextlib.suppress(OSError):
        _AUTOGROUP.write_text(str(_NICENESS))


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take standard input and output for frames; what extractors print goes to the error output."""
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return jobs, answers


def _receive(jobs: BinaryIO, pending: "queue.SimpleQueue[Frame]") -> None:
    read = _exactly(jobs)
    try:
        while True:
            pending.put(read_frame(read))
    except EOFError:
        if os.getpgrp() == os.getpid():
            # the bot is gone; a JavaScript runtime that still computes goes with us
            os.killpg(0, signal.SIGKILL)
        os._exit(0)


def _watch_memory(limit_mb: int) -> None:
    """End the process when a page has blown it up; the pool starts another."""
    while True:
        time.sleep(_MEMORY_LOOK_SECONDS)
        try:
            resident = int(_MEMORY.read_bytes().split()[1]) * _PAGE_BYTES
        except OSError:  # only Linux tells it so
            return
        if resident > limit_mb * _MEBIBYTE:
            os._exit(1)


def _exactly(pipe: BinaryIO) -> Callable[[int], bytes]:
    def read(count: int) -> bytes:
        data = pipe.read(count)
        if len(data) < count:
            raise EOFError
        return data

    return read


def _send(pipe: BinaryIO, frame: Frame) -> None:
    pipe.write(encode(frame))
    pipe.flush()


def _tuples(frame: Frame) -> Frame:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in frame.items()}


if __name__ == "__main__":
    main()
