"""Monitoring learns which part does not work."""

import socket

import aiohttp
import pytest

from bot.adapters.metrics import Metrics
from bot.adapters.status_server import StatusServer


async def _well() -> str | None:
    return None


async def _broken() -> str | None:
    return "the database is locked"


async def _get(server: StatusServer, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}{path}") as answer,
    ):
        return answer.status, await answer.text()


async def test_healthz_with_every_part_working_says_200() -> None:
    server = StatusServer("127.0.0.1:0", checks={"gateway": _well}, metrics=lambda: b"")
    await server.start()
    try:
        assert await _get(server, "/healthz") == (200, '{"ok": true, "gateway": "ok"}')
    finally:
        await server.close()


async def test_healthz_with_a_broken_part_names_it() -> None:
    checks = {"gateway": _well, "database": _broken}
    server = StatusServer("127.0.0.1:0", checks=checks, metrics=lambda: b"")
    await server.start()
    try:
        status, body = await _get(server, "/healthz")
        assert status == 503
        assert "the database is locked" in body
    finally:
        await server.close()


async def test_metrics_show_acknowledgements_and_missed_clicks() -> None:
    metrics = Metrics()
    metrics.interaction_acknowledged(0.12)
    metrics.interaction_missed("timeout")
    server = StatusServer("127.0.0.1:0", checks={}, metrics=metrics.render)
    await server.start()
    try:
        _, body = await _get(server, "/metrics")
        assert "bot_interaction_ack_seconds_count 1.0" in body
        assert 'bot_interaction_missed_total{cause="timeout"} 1.0' in body
    finally:
        await server.close()


async def test_status_server_with_a_taken_port_goes_on_without(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = StatusServer(f"127.0.0.1:{port}", checks={}, metrics=lambda: b"")
        await server.start()
        await server.close()
    assert f"STATUS_BIND=127.0.0.1:{port} cannot be used" in caplog.text
