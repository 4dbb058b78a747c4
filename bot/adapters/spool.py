"""One download for many readers: streaming while it arrives, with seeks ahead of it.

A spool knows which bytes of a medium have arrived (in any order) and runs **fetchers**, each of
which downloads from one position onwards. A reader takes what is there; where nothing is, it waits
for a fetcher that will be there in a moment, or starts one at its own position where upstream can
seek (an m4a file whose index stands at its end is opened so: head, tail, then on from the head,
and nothing is fetched twice). A fetcher ends where it meets bytes that are there already, and
pauses when it is far enough ahead of every reader, so an endless stream or a skipped track costs
little. Paused for long, it lets go of its connection; the next reader starts another.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from bot.adapters.spool_storage import SpoolStorage
from bot.adapters.upstream import MediaHead
from services.audio.errors import ExtractionReason, TrackRefused
from services.audio.extraction_reasons import failure
from services.background import BackgroundTasks
from services.errors import UserError

_MEBIBYTE = 1024 * 1024
_JOIN_DISTANCE = 256 * 1024
"""How far behind a reader a fetcher may be and is still waited for, in bytes."""
_AHEAD_IN_MEMORY = _MEBIBYTE
_PAUSE_SECONDS = 30


class Upstream(Protocol):
    """The far end of a download."""

    async def open(self) -> MediaHead:
        """Send the first request and say what came back."""
        ...

    def read(self, position: int) -> AsyncGenerator[bytes]:
        """Yield the bytes from `position` to the end."""
        ...

    async def close(self) -> None:
        """Let go of what `open` holds."""
        ...


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """In bytes: the largest medium, and how far a download runs ahead of its readers."""

    max_bytes: int
    read_ahead: int = 16 * _MEBIBYTE


class _Pulse:
    """Wakes everybody who waits, each time something has changed."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def beat(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def wait(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)


@dataclass(slots=True, eq=False)
class _Place:
    """Where a reader or a fetcher is."""

    position: int


class Spool:
    """A medium that is being downloaded."""

    def __init__(self, upstream: Upstream, storage: SpoolStorage, limits: SpoolLimits) -> None:
        self._upstream = upstream
        self._storage = storage
        self._limits = limits
        self._head: MediaHead | None = None
        self._length: int | None = None
        self._error: UserError | None = None
        self._readers: set[_Place] = set()
        self._fetchers: set[_Place] = set()
        self._tasks = BackgroundTasks("media")
        self._moved = _Pulse()

    @property
    def head(self) -> MediaHead:
        """What the server said; only after `open`."""
        assert self._head is not None, "open() comes first"
        return self._head

    @property
    def length(self) -> int | None:
        """The size in bytes; None while nobody knows it."""
        return self._length

    @property
    def error(self) -> UserError | None:
        """Why the download has ended for good; None while it works."""
        return self._error

    @property
    def in_use(self) -> bool:
        """Tell whether somebody reads."""
        return bool(self._readers)

    async def open(self) -> None:
        """Connect and begin to download.

        Raises:
            AddressRefused: the address may not be fetched.
            TrackRefused: the medium is too large.
            ExtractionFailed: it cannot be fetched.
        """
        self._head = await self._upstream.open()
        self._length = self._head.length
        if self._length is not None and self._length > self._limits.max_bytes:
            raise _too_large(self._limits.max_bytes)
        self._fetch_from(0)

    async def first_bytes(self, at_least: int) -> bytes:
        """Return the first bytes once `at_least` are there, or all of a shorter medium.

        Raises:
            ExtractionFailed: the download broke before.
        """
        async with aclosing(self.read(0, None)) as data:
            head = b""
            async for piece in data:
                head += piece
                if len(head) >= at_least:
                    break
        return head

    async def read(self, start: int, stop: int | None) -> AsyncGenerator[bytes]:
        """Yield the bytes from `start` up to, without, `stop` (None: to the end).

        Raises:
            TrackRefused: more came than the limit allows.
            ExtractionFailed: the download broke and cannot be taken up again.
        """
        reader = _Place(start)
        self._readers.add(reader)
        self._moved.beat()
        try:
            while stop is None or reader.position < stop:
                if not await self._available(reader.position):
                    return
                data = await self._stored(reader.position)
                if stop is not None:
                    data = data[: stop - reader.position]
                reader.position += len(data)
                self._moved.beat()
                yield data
        finally:
            self._readers.discard(reader)

    async def known_length(self, within: float) -> int | None:
        """Return the size in bytes, waiting up to `within` seconds for the download to show it."""
        try:
            async with asyncio.timeout(within):
                while self._length is None and self._error is None:
                    await self._moved.wait()
        except TimeoutError:
            pass
        return self._length

    async def close(self) -> None:
        """Stop the download and throw the bytes away."""
        if self._error is None:
            self._error = failure(ExtractionReason.UNREACHABLE)  # for readers that still wait
        self._moved.beat()
        await self._tasks.close()
        await self._upstream.close()
        await self._storage.close()

    async def _available(self, position: int) -> bool:
        """Wait until the byte at `position` is there; False where the medium ends before it."""
        while self._storage.end_of_run(position) <= position:
            if self._length is not None and position >= self._length:
                return False
            if self._error is not None:
                raise self._error
            self._ensure_fetcher(position)
            await self._moved.wait()
        return True

    async def _stored(self, position: int) -> bytes:
        try:
            return await self._storage.read(position)
        except OSError:
            raise failure(ExtractionReason.UNREACHABLE) from None

    def _ensure_fetcher(self, position: int) -> None:
        if any(self._will_reach(fetcher, position) for fetcher in self._fetchers):
            return
        if position and not self._can_start_anywhere:
            raise failure(ExtractionReason.UNREACHABLE)
        self._fetch_from(position)

    def _will_reach(self, fetcher: _Place, position: int) -> bool:
        distance = position - fetcher.position
        return distance >= 0 and (distance <= _JOIN_DISTANCE or not self.head.can_seek)

    @property
    def _can_start_anywhere(self) -> bool:
        # upstream reads over the beginning where it knows what to expect and cannot seek
        return self.head.can_seek or self.head.length is not None

    def _fetch_from(self, position: int) -> None:
        fetcher = _Place(position)
        self._fetchers.add(fetcher)
        self._tasks.start(self._fetch(fetcher), name=f"download from {position}")

    async def _fetch(self, fetcher: _Place) -> None:
        try:
            await self._download(fetcher)
        except UserError as error:
            self._error = error
        except Exception:
            self._error = failure(ExtractionReason.BROKEN)
            raise
        finally:
            self._fetchers.discard(fetcher)
            self._moved.beat()

    async def _download(self, fetcher: _Place) -> None:
        async with aclosing(self._upstream.read(fetcher.position)) as body:
            async for data in body:
                if not await self._keep(fetcher, data) or not await self._may_go_on(fetcher):
                    return
        if self._length is None:
            self._length = fetcher.position

    async def _keep(self, fetcher: _Place, data: bytes) -> bool:
        """Store what is new of `data`; False once the fetcher meets what is there already."""
        start = fetcher.position
        known = self._storage.next_start(start)
        fresh = data if known is None else data[: known - start]
        if start + len(fresh) > self._limits.max_bytes:
            raise _too_large(self._limits.max_bytes)
        if fresh:
            self._storage.add(start, fresh)
        fetcher.position = start + len(fresh)
        self._moved.beat()
        await self._storage.settle()
        return len(fresh) == len(data)

    async def _may_go_on(self, fetcher: _Place) -> bool:
        """Wait until some reader comes near; False when none did for long."""
        patience = _PAUSE_SECONDS if self._can_start_anywhere else None
        try:
            async with asyncio.timeout(patience):
                while not self._is_wanted(fetcher):
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def _is_wanted(self, fetcher: _Place) -> bool:
        ahead = self._limits.read_ahead if self._storage.on_disk else _AHEAD_IN_MEMORY
        if fetcher.position <= ahead:  # the beginning is fetched before anybody reads
            return True
        if self.head.fetch_all and self._storage.on_disk:
            return True
        return any(
            reader.position >= fetcher.position - ahead
            and (reader.position <= fetcher.position or self._will_reach(fetcher, reader.position))
            for reader in self._readers
        )


def _too_large(limit: int) -> TrackRefused:
    return TrackRefused(
        f"That file is larger than the {limit // _MEBIBYTE} MB that this bot downloads."
    )
