"""However readers come and go and wherever they read, they get the medium's bytes."""

import asyncio
import random
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.spool import Spool, SpoolLimits
from bot.adapters.spool_storage import DiskSpace, SpoolStorage
from bot.adapters.upstream import MediaHead
from services.audio.errors import ExtractionFailed, ExtractionReason, TrackRefused
from services.audio.extraction_reasons import failure

SIZE = 1_500_000
MEDIUM = random.Random(1).randbytes(SIZE)


class Source:
    """An upstream in memory that deals out pieces of any size, and may break for good."""

    def __init__(
        self, *, can_seek: bool, knows_length: bool, seed: int, breaks_at: int = SIZE
    ) -> None:
        self._random = random.Random(seed)
        self._can_seek = can_seek
        self._knows_length = knows_length
        self._breaks_at = breaks_at
        self.sent = 0
        self.closed = False

    async def open(self) -> MediaHead:
        return MediaHead(
            length=SIZE if self._knows_length else None,
            can_seek=self._can_seek,
            content_type="audio/mpeg",
            filename=None,
            is_live=False,
        )

    async def read(self, position: int) -> AsyncGenerator[bytes]:
        assert self._can_seek or self._knows_length or position == 0
        while position < SIZE:
            if position >= self._breaks_at:
                raise failure(ExtractionReason.UNREACHABLE)
            await asyncio.sleep(0)
            piece = MEDIUM[position : position + self._random.choice((1, 5000, 65536, 200_000))]
            yield piece
            position += len(piece)
            self.sent += len(piece)

    async def close(self) -> None:
        self.closed = True


async def read(spool: Spool, start: int, stop: int | None, pace: random.Random) -> bytes:
    got = b""
    async with aclosing(spool.read(start, stop)) as pieces:
        async for piece in pieces:
            got += piece
            for _ in range(pace.randrange(4)):
                await asyncio.sleep(0)
    return got


async def read_all(
    source: Source, folder: Path, spans: list[tuple[int, int | None]], *, disk: int, ahead: int
) -> list[bytes | BaseException]:
    """Read the spans at the same time."""
    with ThreadPoolExecutor(2) as executor:
        storage = SpoolStorage(
            folder / "x.part", space=DiskSpace(disk), executor=executor, memory_limit=400_000
        )
        spool = Spool(source, storage, SpoolLimits(10 * SIZE, read_ahead=ahead))
        await spool.open()
        try:
            async with asyncio.timeout(30):
                return await asyncio.gather(
                    *(read(spool, *span, random.Random(n)) for n, span in enumerate(spans)),
                    return_exceptions=True,
                )
        finally:
            await spool.close()


_SPANS = st.lists(
    st.tuples(st.integers(0, SIZE - 1), st.none() | st.integers(1, SIZE)), min_size=1, max_size=6
)


@settings(max_examples=60, deadline=None)
@given(
    spans=_SPANS,
    can_seek=st.booleans(),
    disk=st.sampled_from([10 * SIZE, 300_000]),
    ahead=st.sampled_from([100_000, 5_000_000]),
    seed=st.integers(0, 1000),
)
def test_readers_anywhere_at_the_same_time_get_the_very_bytes(
    *,
    spans: list[tuple[int, int | None]],
    can_seek: bool,
    disk: int,
    ahead: int,
    seed: int,
) -> None:
    source = Source(can_seek=can_seek, knows_length=True, seed=seed)
    with TemporaryDirectory() as folder:
        got = asyncio.run(read_all(source, Path(folder), spans, disk=disk, ahead=ahead))
    assert got == [MEDIUM[start:stop] for start, stop in spans]
    assert source.closed


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), readers=st.integers(1, 5))
def test_medium_of_unknown_length_is_fetched_once_for_all(seed: int, readers: int) -> None:
    source = Source(can_seek=False, knows_length=False, seed=seed)
    spans: list[tuple[int, int | None]] = [(0, None)] * readers
    with TemporaryDirectory() as folder:
        got = asyncio.run(read_all(source, Path(folder), spans, disk=10 * SIZE, ahead=100_000))
    assert got == [MEDIUM] * readers
    assert source.sent == SIZE


async def test_medium_that_breaks_for_good_fails_all_who_need_the_rest(tmp_path: Path) -> None:
    source = Source(can_seek=True, knows_length=True, seed=1, breaks_at=700_000)
    spans: list[tuple[int, int | None]] = [(0, 600_000), (0, None), (100, None)]
    early, *late = await read_all(source, tmp_path, spans, disk=10 * SIZE, ahead=SIZE)
    assert early == MEDIUM[:600_000]
    assert [type(error) for error in late] == [ExtractionFailed] * 2


async def test_medium_that_grows_over_the_limit_is_refused(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        space = DiskSpace(10 * SIZE)
        storage = SpoolStorage(tmp_path / "x.part", space=space, executor=executor)
        source = Source(can_seek=False, knows_length=False, seed=1)
        spool = Spool(source, storage, SpoolLimits(max_bytes=SIZE - 1))
        await spool.open()
        with pytest.raises(TrackRefused):
            await read(spool, 0, None, random.Random(1))
        await spool.close()
    assert not (tmp_path / "x.part").exists()


async def test_reader_of_a_closed_medium_does_not_wait_for_ever(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        space = DiskSpace(10 * SIZE)
        storage = SpoolStorage(tmp_path / "x.part", space=space, executor=executor)
        source = Source(can_seek=False, knows_length=False, seed=1)
        spool = Spool(source, storage, SpoolLimits(10 * SIZE, read_ahead=100_000))
        await spool.open()
        reading = asyncio.ensure_future(read(spool, 0, None, random.Random(1)))
        await asyncio.sleep(0)
        await spool.close()
        with pytest.raises(ExtractionFailed):
            await reading
