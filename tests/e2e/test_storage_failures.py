"""The database is locked, its disk is full, its file is damaged: the music plays, words are honest.

The disk that fills up is a real one: a small file system in memory, mounted for these tests where
that is allowed (root on Linux). Elsewhere the bot's files are kept from growing (RLIMIT_FSIZE).
"""

import asyncio
import os
import resource
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.e2e.house import ADDED, NOW, House, Room
from tests.simulator import SimMessage

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

_DISK_BYTES = 4 * 1024 * 1024
_NOT_SAVED = "Not saved yet"


class SmallDisk:
    """The disk under DATA_DIR, which can be filled up and cleared again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        mount = ("mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "none", str(folder))
        self._mounted = os.geteuid() == 0 and not _run(*mount)
        self._ballast = folder / "ballast"

    @contextmanager
    def full(self, house: House) -> Iterator[None]:
        """Leave no room in which the bot could write anything."""
        try:
            self._fill(house)
            yield
        finally:
            self._clear(house)

    def _fill(self, house: House) -> None:
        if not self._mounted:
            _limit_files_of(house.bot.pid, 1)
            return
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    def _clear(self, house: House) -> None:
        self._ballast.unlink(missing_ok=True)
        if not self._mounted and house.bot.running:
            _limit_files_of(house.bot.pid, resource.RLIM_INFINITY)

    def remove(self) -> None:
        """Take it away again."""
        if self._mounted:
            _run("umount", "--lazy", str(self.folder))


def _run(*command: str) -> int:
    return subprocess.run(command, check=False, capture_output=True).returncode  # noqa: S603 -- fixed words


def _limit_files_of(pid: int, size: int) -> None:
    """Let a process write no file beyond `size` bytes (Linux; Python turns the signal off)."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def locked(house: House) -> Iterator[None]:
    """Hold the database's write lock, as another program does."""
    other = sqlite3.connect(house.bot.data_dir / "bot.sqlite3", isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        other.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def disk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SmallDisk]:
    """The disk of the running bot."""
    disk = SmallDisk(tmp_path_factory.mktemp("disk"))
    yield disk
    disk.remove()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(disk: SmallDisk) -> AsyncIterator[House]:
    """A running bot on a small disk."""
    async with House(data_dir=disk.folder) as house:
        yield house


def footer_of(message: SimMessage) -> str:
    return str((message.embeds[0].get("footer") or {}).get("text", ""))


async def health(house: House) -> tuple[int, str]:
    """Return what `/healthz` answers, and what it says of the database."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{house.bot.status_url}/healthz") as response,
    ):
        return response.status, str((await response.json())["database"])


async def healthy(house: House) -> None:
    """Wait until all is well."""
    await house.bot.ready(within=10)


# ── full ────────────────────────────────────────────────────────────────────
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux")
async def test_full_disk_lets_everything_act_says_so_and_is_made_up_for_later(
    room: Room, house: House, disk: SmallDisk
) -> None:
    await room.plays(440)
    with disk.full(house):
        added = await room.says(room.ada, f"!play {room.tone(550)}", title=ADDED, within=15)
        assert _NOT_SAVED in footer_of(added)
        assert "disk" in footer_of(added)
        volume = await room.says(room.ada, "!volume 33", title="Volume 33 %")
        assert _NOT_SAVED in footer_of(volume)
        status, problem = await health(house)
        assert (status, "disk" in problem) == (503, True)
        await room.says(room.ada, "!skip", title="Skipped")
        await room.guild.hears(550)
    await healthy(house)
    saved = await room.says(room.ada, f"!play {room.tone(660)}", title=ADDED, within=15)
    assert _NOT_SAVED not in footer_of(saved)
    with disk.full(house):
        lost = await room.says(room.ada, f"!play {room.tone(770)}", title=ADDED, within=15)
        assert _NOT_SAVED in footer_of(lost)
        await house.bot.restart()
        await room.guild.hears(550, within=15)
        queue = await room.says(room.ada, "!queue", title="Queue")
        assert "660 Hz" in queue.text
        assert "770 Hz" not in queue.text
        await room.says(room.ada, "!volume", title="Volume 33 %")
        await room.says(room.ada, "!skip", title="Skipped")
        await room.guild.hears(660)
    await healthy(house)


# ── locked ──────────────────────────────────────────────────────────────────
async def test_locked_database_keeps_nobody_waiting_long_and_is_made_up_for_later(
    room: Room, house: House
) -> None:
    await room.plays(440)
    with locked(house):
        await room.ada.say(room.general, "!pause")
        await room.guild.silence()
        await room.ada.say(room.general, "!resume")
        await room.guild.hears(440)
        added = await room.says(room.ada, f"!play {room.tone(550)}", title=ADDED, within=15)
        assert _NOT_SAVED in footer_of(added)
        assert "locked" in footer_of(added)
        outcome = await room.ada.slash(room.general, "queue")
        assert "550 Hz" in (await outcome.answer(title="Queue", within=1.5)).text
    await healthy(house)
    await house.bot.kill()
    with locked(house):
        await house.bot.start()
        await house.discord.bot_ready()
        await room.says(room.ada, "!skip", title="Skipped", within=15)
        await room.guild.hears(550)
        async with asyncio.timeout(10):
            await house.bot.terminate()
    await house.bot.start()
    await house.bot.ready()
    await room.says(room.ada, "!np", title=NOW)


# ── damaged ─────────────────────────────────────────────────────────────────
async def test_bot_with_a_damaged_database_says_so_in_one_line(room: Room, house: House) -> None:
    await house.bot.terminate()
    file = house.bot.data_dir / "bot.sqlite3"
    good = file.read_bytes()
    said = len(house.bot.log)
    try:
        file.write_bytes(b"this is no database" * 1000)
        await house.bot.start()
        assert await house.bot.ended() != 0
    finally:
        file.write_bytes(good)
    last = [line for line in house.bot.log[said:].splitlines() if line]
    assert len(last) == 1
    assert "database" in last[0]
    await house.bot.start()
    await house.bot.ready()
    await room.plays(440)
