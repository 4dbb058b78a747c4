"""`/healthz` and `/metrics`, for the admin's monitoring."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

_log = logging.getLogger(__name__)

HealthCheck = Callable[[], Awaitable[str | None]]
"""Returns None when the part works, else one sentence on what is wrong."""


class StatusServer:
    """A small HTTP server that says whether gateway, node and database work."""

    def __init__(
        self, bind: str, *, checks: Mapping[str, HealthCheck], metrics: Callable[[], bytes]
    ) -> None:
        host, _, port = bind.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._checks = checks
        self._metrics = metrics
        application = web.Application()
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/metrics", self._show_metrics)
        self._runner = web.AppRunner(application, access_log=None)

    @property
    def port(self) -> int | None:
        """Return the port that was bound; None where the server could not start."""
        addresses = self._runner.addresses
        return addresses[0][1] if addresses else None

    async def start(self) -> None:
        """Listen; where the address is taken, say so once and go on without."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            _log.warning(
                "STATUS_BIND=%s:%s cannot be used (%s): no /healthz and /metrics in this run",
                self._host,
                self._port,
                error.strerror or error,
            )

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _healthz(self, _request: web.Request) -> web.Response:
        parts = {name: await check() for name, check in self._checks.items()}
        well = all(problem is None for problem in parts.values())
        return web.json_response(
            {"ok": well, **{name: problem or "ok" for name, problem in parts.items()}},
            status=200 if well else 503,
        )

    async def _show_metrics(self, _request: web.Request) -> web.Response:
        return web.Response(
            body=self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4"}
        )
