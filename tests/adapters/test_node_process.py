"""The embedded node is there when the bot needs it, and gone when nobody does."""

import asyncio
import json
import logging
import os
import queue
import signal
import stat
import sys
from collections.abc import AsyncIterator
from logging.handlers import QueueHandler
from pathlib import Path

import psutil
import pytest

from bot.adapters.node_process import NodeAddress, NodeProcess
from services.audio.errors import NodeUnavailable
from tests.contracts.raw_lavalink import RawLavalink

pytestmark = pytest.mark.e2e

PATIENCE = 20.0


async def gone(pid: int) -> None:
    """Wait until a process that is not our child has ended."""
    process = psutil.Process(pid) if psutil.pid_exists(pid) else None
    if process is not None:
        await asyncio.to_thread(psutil.wait_procs, [process], timeout=PATIENCE)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def client(address: NodeAddress) -> RawLavalink:
    return RawLavalink(address.uri, address.password)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[NodeProcess]:
    process = NodeProcess(tmp_path / "data")
    await process.start()
    yield process
    await process.close()


async def test_node_is_started_and_its_address_is_for_the_owner_only(
    node: NodeProcess, tmp_path: Path
) -> None:
    assert await node.problem() is None
    file = tmp_path / "data" / "node.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert node.address is not None
    assert json.loads(file.read_text())["pid"] == node.address.pid
    assert node.address.password not in repr(node.address)
    command = " ".join(psutil.Process(node.address.pid).cmdline())
    assert node.address.password not in command


async def test_node_ends_with_a_bot_that_stops_cleanly(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path)
    address = await node.start()
    await node.close()
    await gone(address.pid)
    assert not (tmp_path / "node.json").exists()
    assert await node.problem() is not None


async def test_node_that_dies_is_started_again_at_the_same_address(tmp_path: Path) -> None:
    restarted: asyncio.Queue[NodeAddress] = asyncio.Queue()
    node = NodeProcess(tmp_path, on_restarted=restarted.put_nowait)
    before = await node.start()
    for _ in range(2):
        os.kill(before.pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            address = await restarted.get()
        assert (address.uri, address.password) == (before.uri, before.password)
        assert address.pid != before.pid
        assert await node.problem() is None
        before = address
    await node.close()


async def test_node_left_by_a_killed_bot_is_found_and_keeps_its_session(tmp_path: Path) -> None:
    script = (
        "import asyncio, os, pathlib, sys\n"
        "from bot.adapters.node_process import NodeProcess\n"
        "async def main():\n"
        "    await NodeProcess(pathlib.Path(sys.argv[1])).start()\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(tmp_path))
    assert await killed.wait() == -signal.SIGKILL
    left = json.loads((tmp_path / "node.json").read_text())
    node = NodeProcess(tmp_path)
    address = await node.start()
    assert node.adopted
    assert address.pid == left["pid"]
    async with client(address) as lavalink:
        assert (await lavalink.request("GET", "/version"))[0] == 200
    await node.close()
    await gone(address.pid)


async def test_adopted_node_that_dies_is_replaced(tmp_path: Path) -> None:
    first = NodeProcess(tmp_path)
    old = await first.start()
    restarted: asyncio.Queue[NodeAddress] = asyncio.Queue()
    second = NodeProcess(tmp_path, on_restarted=restarted.put_nowait)
    assert await second.start() == old
    await first.close()
    async with asyncio.timeout(PATIENCE):
        assert (await restarted.get()).pid != old.pid
    assert await second.problem() is None
    assert not second.adopted
    await second.close()


async def test_node_without_a_client_ends_itself(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path, linger_seconds=1.0)
    address = await node.start()
    async with client(address):
        child = psutil.Process(address.pid)
        assert child.is_running()
    await gone(address.pid)
    await node.close()


async def test_stale_address_file_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "node.json").write_text(
        json.dumps({"host": "127.0.0.1", "port": 9, "password": "x", "pid": 1})
    )
    node = NodeProcess(tmp_path)
    address = await node.start()
    assert address.pid != 1
    assert not node.adopted
    await node.close()


async def test_node_that_cannot_start_is_said_to_be_unavailable(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path, options=("--host", "203.0.113.1"))
    with pytest.raises(NodeUnavailable, match="cannot start"):
        await node.start()
    await node.close()


async def test_node_s_log_lines_go_to_the_bot_s_loggers(tmp_path: Path) -> None:
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = QueueHandler(lines)
    logger = logging.getLogger("bot.node")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    node = NodeProcess(tmp_path)
    await node.start()
    record = await asyncio.to_thread(lines.get, timeout=PATIENCE)
    assert "listens on" in record.getMessage()
    assert (record.name, record.levelno) == ("bot.node.server", logging.INFO)
    await node.close()
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


async def test_node_gets_none_of_the_bot_s_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "bot-secret")
    node = NodeProcess(tmp_path)
    address = await node.start()
    assert "DISCORD_TOKEN" not in psutil.Process(address.pid).environ()
    await node.close()
