"""Bytes can be read at once, whether the disk is slow, full or gone."""

import asyncio
import errno
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, override

import pytest

from bot.adapters.spool_storage import DiskSpace, SpoolStorage


class SlowDisk(Executor):
    """Runs what it is given only when the test says so."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[tuple[Future[Any], Callable[[], Any]]] = asyncio.Queue()

    @override
    def submit[**P, T](
        self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        future: Future[T] = Future()
        self._waiting.put_nowait((future, lambda: work(*args, **kwargs)))
        return future

    async def work_on(self, steps: int) -> None:
        """Do the next pieces of work, in order."""
        for _ in range(steps):
            self._do(*await self._waiting.get())
        for _ in range(5):
            await asyncio.sleep(0)

    async def swap(self) -> None:
        """Do the next two pieces of work, the second one first."""
        first, second = await self._waiting.get(), await self._waiting.get()
        self._do(*second)
        self._do(*first)

    def _do(self, future: Future[Any], work: Callable[[], Any]) -> None:
        future.set_result(work())


async def test_bytes_before_unwritten_ones_are_read_up_to_these(tmp_path: Path) -> None:
    disk = SlowDisk()
    storage = SpoolStorage(tmp_path / "x.part", space=DiskSpace(10**6), executor=disk)
    storage.add(0, b"a" * 100)
    storage.add(200, b"c" * 100)
    await disk.work_on(3)  # the file is made, and has a hole now
    storage.add(100, b"b" * 100)
    assert storage.end_of_run(0) == 300
    await asyncio.sleep(0)
    reading = asyncio.ensure_future(storage.read(0))
    await disk.swap()  # the file is read before the hole is filled
    assert await reading == b"a" * 100
    closing = asyncio.ensure_future(storage.close())
    await disk.work_on(1)
    await closing


async def test_unwritten_bytes_can_be_read_from_any_position(tmp_path: Path) -> None:
    disk = SlowDisk()
    storage = SpoolStorage(tmp_path / "x.part", space=DiskSpace(10**6), executor=disk)
    storage.add(50, b"0123456789")
    assert await storage.read(50) == b"0123456789"
    assert await storage.read(57) == b"789"
    assert storage.end_of_run(49) == 49
    closing = asyncio.ensure_future(storage.close())
    await disk.work_on(3)
    await closing


async def test_slow_disk_holds_up_the_download_before_memory_fills(tmp_path: Path) -> None:
    disk = SlowDisk()
    storage = SpoolStorage(tmp_path / "x.part", space=DiskSpace(10**7), executor=disk)
    for number in range(10):
        storage.add(number * 100_000, b"x" * 100_000)
    settling = asyncio.ensure_future(storage.settle())
    await disk.work_on(2)
    assert not settling.done()
    await disk.work_on(9)
    await settling
    closing = asyncio.ensure_future(storage.close())
    await disk.work_on(1)
    await closing


async def test_device_without_space_keeps_the_latest_bytes_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    full = tmp_path / "x.part"
    full.symlink_to("/dev/full")  # every write fails with ENOSPC, as on a full disk
    with ThreadPoolExecutor(1) as executor:
        storage = SpoolStorage(
            full, space=DiskSpace(10**9), executor=executor, memory_limit=250_000
        )
        for number in range(6):  # more than may wait for the disk
            storage.add(number * 100_000, bytes([number]) * 100_000)
        await storage.settle()
        assert not storage.on_disk
        assert storage.end_of_run(0) == 0
        assert storage.end_of_run(400_000) == 600_000
        assert await storage.read(450_000) == bytes([4]) * 50_000
        await storage.close()
    assert "No space left on device" in caplog.text


def test_space_that_is_used_up_is_refused_until_given_back() -> None:
    space = DiskSpace(100)
    space.take(60)
    with pytest.raises(OSError, match="limit") as refused:
        space.take(60)
    assert refused.value.errno == errno.EDQUOT
    space.give_back(60)
    space.take(100)
