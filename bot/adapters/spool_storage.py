"""Where downloaded bytes wait for their readers: a file, or a little memory when the disk is full.

Bytes can be read the moment they have arrived: they stay in memory until a thread has written them
to the file (the event loop itself never touches the disk, which may stall for seconds). Where
writing fails, they just stay; then the oldest are dropped beyond a few megabytes, and a reader that
comes later fetches them from upstream again.
"""

import asyncio
import errno
import logging
import os
import time
from bisect import bisect_right, insort
from concurrent.futures import Executor
from pathlib import Path

from bot.adapters.byte_ranges import ByteRanges
from services.background import BackgroundTasks

_log = logging.getLogger(__name__)

_MEBIBYTE = 1024 * 1024
_UNWRITTEN_LIMIT = _MEBIBYTE // 2
_READ_SIZE = 128 * 1024
_QUIET_SECONDS = 600
_CLOSE_SECONDS = 2
MEMORY_LIMIT = 4 * _MEBIBYTE
"""How much one medium may keep in memory when nothing can be written, in bytes."""


class DiskSpace:
    """What all spools together may use, and the one log line when the disk is full."""

    def __init__(self, max_bytes: int) -> None:
        self._free = max_bytes
        self._quiet_until = 0.0

    def take(self, size: int) -> None:
        """Reserve `size` bytes.

        Raises:
            OSError: there is no room left.
        """
        if size > self._free:
            raise OSError(errno.EDQUOT, "its limit is reached")
        self._free -= size

    def give_back(self, size: int) -> None:
        """Return what was taken."""
        self._free += size

    def failed(self, error: OSError) -> None:
        """Say that the disk took nothing, at most once in ten minutes."""
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET_SECONDS
            _log.warning(
                "nothing more can be written for the media cache (%s); tracks are streamed through",
                error.strerror or error,
            )


class SpoolStorage:
    """The bytes of one medium that have arrived so far."""

    def __init__(
        self,
        path: Path,
        *,
        space: DiskSpace,
        executor: Executor,
        memory_limit: int = MEMORY_LIMIT,
    ) -> None:
        self._memory_limit = memory_limit
        self._path = path
        self._space = space
        self._executor = executor
        self._taken = 0
        self._on_disk = True
        self._file: int | None = None
        self._there = ByteRanges()
        self._chunks: dict[int, bytes] = {}  # in memory, by position
        self._order: list[int] = []  # the keys of _chunks, sorted
        self._in_memory = 0
        self._written = asyncio.Event()
        self._unwritten: list[int] = []
        self._tasks = BackgroundTasks("spool")
        self._writer: asyncio.Task[None] | None = None

    @property
    def on_disk(self) -> bool:
        """False once the disk took nothing more: then only the latest bytes are kept."""
        return self._on_disk

    def end_of_run(self, position: int) -> int:
        """Return up to where bytes can be read from `position` on."""
        return self._there.end_of_run(position)

    def next_start(self, position: int) -> int | None:
        """Return where the next stored bytes at or after `position` begin."""
        return self._there.next_start(position)

    def add(self, position: int, data: bytes) -> None:
        """Store bytes; they can be read at once."""
        self._there.add(position, position + len(data))
        self._chunks[position] = data
        insort(self._order, position)
        self._in_memory += len(data)
        if self._on_disk:
            self._unwritten.append(position)
            if self._writer is None or self._writer.done():
                self._writer = self._tasks.start(self._write(), name="write")
        self._shrink()

    async def settle(self) -> None:
        """Wait while the disk is far behind."""
        while self._on_disk and self._in_memory > _UNWRITTEN_LIMIT:
            self._written.clear()
            await self._written.wait()

    async def read(self, position: int) -> bytes:
        """Return some bytes from `position` on; it must lie inside of a run.

        Raises:
            OSError: the disk gives back nothing.
        """
        index = bisect_right(self._order, position) - 1
        if index >= 0:
            start = self._order[index]
            chunk = self._chunks[start]
            if position < start + len(chunk):
                return chunk[position - start :] if position > start else chunk
        end = self._there.end_of_run(position)
        if index + 1 < len(self._order):
            end = min(end, self._order[index + 1])
        size = min(end - position, _READ_SIZE)
        if self._file is None:
            raise OSError("the file of the media cache is gone")
        loop = asyncio.get_running_loop()
        data = await loop.run_in_executor(self._executor, os.pread, self._file, size, position)
        if not data:
            raise OSError("the file of the media cache is shorter than it was")
        return data

    async def close(self) -> None:
        """Throw everything away."""
        self._unwritten.clear()
        if self._writer is not None:
            await asyncio.wait({self._writer}, timeout=_CLOSE_SECONDS)
            if not self._writer.done():  # a stalled disk: its thread still uses the file
                return
        self._space.give_back(self._taken)
        file, self._file = self._file, None
        if file is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._executor, _remove, file, self._path)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._unwritten:
            position = self._unwritten.pop(0)
            data = self._chunks[position]
            try:
                self._space.take(len(data))
                self._taken += len(data)
                if self._file is None:
                    self._file = await loop.run_in_executor(self._executor, _create, self._path)
                await loop.run_in_executor(self._executor, _put, self._file, data, position)
            except OSError as error:
                self._space.failed(error)
                self._on_disk = False
                self._unwritten.clear()
            else:
                self._forget(position)
            self._written.set()
        self._shrink()

    def _shrink(self) -> None:
        """Drop the oldest bytes from memory where they cannot be written."""
        while not self._on_disk and self._in_memory > self._memory_limit:
            position = next(iter(self._chunks))
            size = len(self._chunks[position])
            self._forget(position)
            self._there.remove(position, position + size)

    def _forget(self, position: int) -> None:
        self._in_memory -= len(self._chunks.pop(position))
        del self._order[bisect_right(self._order, position) - 1]


def _create(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _put(file: int, data: bytes, position: int) -> None:
    while data:
        written = os.pwrite(file, data, position)
        data, position = data[written:], position + written


def _remove(file: int, path: Path) -> None:
    os.close(file)
    path.unlink(missing_ok=True)
