"""Discord on this machine: REST, gateway and voice servers on loopback, and people to use it.

    async with Simulator() as discord:
        guild = discord.add_guild("Music Club")
        general, lounge = guild.add_text_channel("general"), guild.add_voice_channel("Lounge")
        ada = guild.add_member("Ada")
        async with BotProcess(discord) as bot:
            await ada.join(lounge)
            sent = await ada.say(general, "!play tone")
            answer = await general.expect(title="Added", author=discord.bot, after=sent)

It is as strict as Discord: what a bot may not do is refused with Discord's own codes, what people
cannot do in Discord's client raises `NotPossible`.
"""  # fmt: skip

import asyncio
import fnmatch
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from tests.simulator.application import Application
from tests.simulator.calls import VoicePort
from tests.simulator.clock import Clock
from tests.simulator.faults import Faults
from tests.simulator.gateway.gateway import Gateway
from tests.simulator.guild import Guild
from tests.simulator.interactions.outcome import Outcome
from tests.simulator.people import User
from tests.simulator.rest.call import MOST_BYTES
from tests.simulator.rest.log import RequestRecord
from tests.simulator.rest.server import API, ApiServer
from tests.simulator.world import World

if TYPE_CHECKING:
    from tests.simulator.voice import VoiceServer

_GATEWAY = "/gateway"


class Simulator:
    """One Discord with one bot application.

    Args:
        name: The bot's name.
        voice: Whether a voice server runs; or voice servers of your own, already started.
        rate_limits: Whether requests are limited as on Discord.
        identify_every: Seconds that must lie between two IDENTIFYs; Discord's are 5, 0 is no limit.
        heartbeat_interval: Seconds between heartbeats of the gateway.
        resume_window: Seconds for which a broken gateway session can be resumed.
        compress: Whether the gateway compresses for clients that ask for it.
    """

    def __init__(
        self,
        *,
        name: str = "Tunes",
        voice: bool | Iterable[VoicePort] = True,
        rate_limits: bool = True,
        identify_every: float = 5.0,
        heartbeat_interval: float = 41.25,
        resume_window: float = 120.0,
        compress: bool = True,
    ) -> None:
        self.world = World(name)
        self.gateway = Gateway(
            self.world,
            heartbeat_interval=heartbeat_interval,
            resume_window=resume_window,
            identify_every=identify_every,
            compress=compress,
        )
        self.world.events = self.gateway
        self.world.faults.gateway = self.gateway
        self.api = ApiServer(self.world)
        self.api.limiter.enabled = rate_limits
        self._wants_voice = voice
        self._own_voice: VoiceServer | None = None
        self._runner: web.ServerRunner | None = None
        self._port = 0

    # ── life ────────────────────────────────────────────────────────────────

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
        if self.world.defects and error is None:
            raise ExceptionGroup("the simulator itself failed", self.world.defects)

    async def start(self) -> None:
        """Listen on free ports of 127.0.0.1."""
        server = web.Server(self._serve, request_factory=self._request, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=2048).start()
        self._port = self._runner.addresses[0][1]
        self.gateway.url = self.world.gateway_url = f"ws://127.0.0.1:{self._port}{_GATEWAY}"
        self.world.cdn.base_url = self.url
        await self._start_voice()

    async def _start_voice(self) -> None:
        if self._wants_voice is True:
            from tests.simulator.voice import VoiceServer

            self._own_voice = VoiceServer()
            await self._own_voice.start()
            self.add_voice_server(self._own_voice)
        elif self._wants_voice is not False:
            for server in self._wants_voice:
                self.add_voice_server(server)

    async def close(self) -> None:
        """End everything; open connections are closed."""
        self.world.interactions.close()
        self.faults.heal()
        self.gateway.stop()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._own_voice is not None:
            await self._own_voice.close()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.rstrip("/") == _GATEWAY:
            return await self.gateway.serve(request)
        return await self.api.serve(request)

    def _request(
        self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any
    ) -> web.BaseRequest:
        loop = asyncio.get_running_loop()
        return web.BaseRequest(
            message, payload, protocol, writer, task, loop, client_max_size=MOST_BYTES
        )

    # ── furnishing ──────────────────────────────────────────────────────────

    def add_guild(self, name: str) -> Guild:
        """Add a guild with @everyone, an owner, and the bot with the rights that it asks for."""
        guild = Guild(self.world, name)
        self.world.guilds[guild.id] = guild
        self.gateway.announce_guild(guild)
        return guild

    def add_voice_server(self, server: VoicePort) -> None:
        """Add a voice server; `Guild.change_voice_server` moves a call there."""
        self.world.calls.servers.append(server)

    # ── the bot ─────────────────────────────────────────────────────────────

    @property
    def bot(self) -> User:
        """The bot's account."""
        return self.world.bot

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.world.application.token

    @property
    def application(self) -> Application:
        """The bot's application: what the portal allows it, its commands."""
        return self.world.application

    @property
    def url(self) -> str:
        """Where the simulator listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_url(self) -> str:
        """The base of the REST API."""
        return self.url + API

    def environment(self, *, allow_hosts: Iterable[str] = (), **more: str) -> dict[str, str]:
        """Return the settings with which `python -m bot` uses this Discord.

        Args:
            allow_hosts: Further `host:port` that may be fetched; attachments always may.
            more: Further settings.
        """
        settings = {
            "DISCORD_API_URL": self.api_url,
            "DISCORD_TOKEN": self.token,
            "STATUS_BIND": f"127.0.0.1:{free_port()}",
            "ALLOW_HOSTS": ",".join((f"127.0.0.1:{self._port}", *allow_hosts)),
        }
        if self.world.calls.servers:
            settings["SSL_CERT_FILE"] = str(self.world.calls.servers[0].ca_file)
        return settings | more

    async def bot_ready(self, *, within: float = 30.0) -> None:
        """Wait until the bot has identified and has been told of its guilds.

        Raises:
            AssertionError: It has not.
        """
        look = lambda: bool(self.gateway.live_sessions) or None  # noqa: E731  # one expression
        if await self.gateway.news.until(look, within) is None:
            raise AssertionError(f"The bot did not log in within {within:g} s: {self.account()}")

    async def expect_commands(self, *names: str, within: float = 10.0) -> None:
        """Wait until the bot has registered global commands of these names.

        Raises:
            AssertionError: It has not.
        """
        scope = self.world.application.in_scope(None)

        def look() -> bool | None:
            return {command.name for command in scope.values()} >= set(names) or None

        if await self.world.application.news.until(look, within) is None:
            known = sorted(command.name for command in scope.values())
            raise AssertionError(f"Registered within {within:g} s were {known}, not {names}.")

    @property
    def presence(self) -> Any:
        """What the bot shows as its activity."""
        sessions = self.gateway.live_sessions
        return sessions[-1].presence if sessions else None

    # ── what happened ───────────────────────────────────────────────────────

    @property
    def faults(self) -> Faults:
        """What can go wrong, on demand."""
        return self.world.faults

    @property
    def clock(self) -> Clock:
        """The simulator's time."""
        return self.world.clock

    @property
    def requests(self) -> list[RequestRecord]:
        """The REST requests that were answered, in the order of the answers."""
        return self.api.requests

    async def expect_request(
        self, line: str, *, after: float | None = None, within: float = 5.0
    ) -> RequestRecord:
        """Wait until a request was answered whose "METHOD /path" fits a pattern with *.

        Args:
            line: Such as "PATCH /channels/*/messages/*".
            after: Only requests that came after this monotonic moment; None: from now on.
            within: Seconds to wait.

        Raises:
            AssertionError: It did not come.
        """
        since = self.clock.monotonic() if after is None else after

        def look() -> RequestRecord | None:
            for record in reversed(self.requests):
                fits = fnmatch.fnmatchcase(f"{record.method} {record.path}", line)
                if fits and record.at >= since:
                    return record
            return None

        found = await self.api.news.until(look, within)
        if found is None:
            raise AssertionError(f"No {line!r} came within {within:g} s: {self.account()}")
        return found

    @property
    def failed_interactions(self) -> list[Outcome]:
        """Interactions whose member read "This interaction failed"."""
        return self.world.interactions.failed

    @property
    def rate_limit_hits(self) -> list[str]:
        """The buckets that refused a request."""
        return self.api.limiter.hits

    def account(self) -> str:
        """Tell in words what the bot did last."""
        lines = [f"  {record}" for record in self.requests[-15:]]
        return f"gateway {dict(self.gateway.counts)}; last requests:\n" + "\n".join(lines)


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
