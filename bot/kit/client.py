"""The connection to Discord: nextcord's bot, with the click stream in front of it.

INTERACTION_CREATE reaches the click stream synchronously in the gateway's dispatch, before any
task is made. Components, forms and autocomplete end there: nextcord's own stores of views and
modals never see them. Commands go on to their handler, their acknowledgement already on its way.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, override

import aiohttp
import nextcord
from nextcord.ext import commands
from nextcord.http import Route
from nextcord.state import AutoShardedConnectionState

from bot.kit.clicks import Clicks
from bot.kit.clicks.command_acks import CommandInteraction
from bot.kit.process import prepare_process, settle_heap
from bot.kit.rest import PatientHTTP
from bot.kit.shard import PersistentShard
from services.clock import Clock

_log = logging.getLogger(__name__)

_KEEP_ALIVE_SECONDS = 75.0
_ALL_GUILDS_HERE_SECONDS = 0.05
_GUILD_PATIENCE_SECONDS = 2.0
_LEAVE_SECONDS = 2.0
_COMMAND = 2
_PAUSES_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
_UNREACHABLE = (
    OSError,
    TimeoutError,
    aiohttp.ClientError,
    nextcord.DiscordServerError,
    nextcord.GatewayNotFound,
)
_MUST_BE_READ = frozenset({"READY", "RESUMED"})

type Prefix = Callable[[Any, nextcord.Message], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharding:
    """Which part of the guilds this process serves; by default Discord is asked for the count."""

    ids: Sequence[int] = ()
    count: int | None = None


class BotClient(commands.AutoShardedBot):
    """The bot's account on Discord; make it inside the running event loop.

    `api_url` is the REST base, and the gateway's address comes from it. `on_first_ready` is called
    once, when all guilds are there, however often the gateway session begins anew. `on_command`
    handles application commands (acknowledged already); without it nextcord does, and it registers
    those that were added to it.
    """

    def __init__(
        self,
        *,
        clicks: Clicks,
        clock: Clock,
        api_url: str,
        prefix: Prefix,
        ssl_context: ssl.SSLContext | None = None,
        sharding: Sharding | None = None,
        on_first_ready: Callable[[], Awaitable[None]] | None = None,
        on_command: Callable[[CommandInteraction], Awaitable[None]] | None = None,
    ) -> None:
        self._clicks = clicks
        self._clock = clock
        self._on_first_ready = on_first_ready
        self._on_command = on_command
        self._was_ready = False
        self._connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            ssl=ssl_context if ssl_context is not None else True,
        )
        Route.BASE = api_url.rstrip("/")
        nextcord.VoiceClient.warn_nacl = False  # the audio node has its own voice connection
        sharding = sharding or Sharding()
        super().__init__(
            command_prefix=prefix,
            help_command=None,
            case_insensitive=True,
            intents=_intents(),
            shard_ids=list(sharding.ids) or None,
            shard_count=sharding.count,
            max_messages=None,
            chunk_guilds_at_startup=False,
            allowed_mentions=nextcord.AllowedMentions.none(),
            lazy_load_commands=on_command is None,
            guild_ready_timeout=_GUILD_PATIENCE_SECONDS,
        )

    @override
    def _get_state(self, *args: Any, **kwargs: Any) -> AutoShardedConnectionState:
        self.http = PatientHTTP(self._connector, clock=self._clock, dispatch=self.dispatch)
        return _State(
            *args,
            **kwargs,
            dispatch=self.dispatch,
            handlers=self._handlers,
            hooks=self._hooks,
            http=self.http,
            loop=self.loop,
            receive=self._receive,
        )

    @override
    async def start(self, token: str, *, reconnect: bool = True) -> None:
        """Log in and serve until closed.

        Raises:
            LoginFailure: Discord does not know the token.
            PrivilegedIntentsRequired: an intent is not switched on in the developer portal.
        """
        prepare_process()
        await super().start(token, reconnect=reconnect)

    @override
    async def login(self, token: str) -> None:
        """Log in; a Discord that is not reachable is waited for."""
        await self._patiently(lambda: super(BotClient, self).login(token))

    @override
    async def launch_shards(self) -> None:
        """Open the gateway connections; a Discord that is not reachable is waited for."""
        await self._patiently(super().launch_shards)

    async def _patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        for pause in chain(_PAUSES_SECONDS, repeat(_PAUSES_SECONDS[-1])):
            try:
                await step()
            except _UNREACHABLE as error:
                _log.warning("Discord is not reachable (%s); trying again", type(error).__name__)
            else:
                return
            await self._clock.sleep(pause)

    @override
    async def launch_shard(self, gateway: str, shard_id: int, *, initial: bool = False) -> None:
        """Open a shard's first connection; later ones are its own matter."""
        await super().launch_shard(gateway, shard_id, initial=initial)
        if (shard := self.get_shard(shard_id)) is not None:
            PersistentShard.adopt(shard._parent)  # noqa: SLF001 -- nextcord makes its shards itself

    @override
    async def close(self) -> None:
        """Leave all voice channels, in all guilds at once, and end the connections."""
        places = self.voice_clients
        leaving = [asyncio.ensure_future(place.disconnect(force=True)) for place in places]
        if leaving:
            await asyncio.wait(leaving, timeout=_LEAVE_SECONDS)
        for task, place in zip(leaving, places, strict=True):
            if not task.done():  # the end of the session takes us out of the channel as well
                task.cancel()
                place.cleanup()
        await asyncio.gather(*leaving, return_exceptions=True)
        await super().close()

    # ── events ──────────────────────────────────────────────────────────────
    def _receive(self, payload: Mapping[str, Any]) -> None:
        """Take an interaction, in the very turn of the event loop in which it arrived."""
        if payload["type"] != _COMMAND:
            self._clicks.receive(payload)
            return
        interaction = self.get_interaction(payload)
        self._clicks.receive_command(interaction)
        self.dispatch("interaction", interaction)

    @override
    async def on_interaction(self, interaction: CommandInteraction) -> None:
        """Let a command's handler run."""
        if self._on_command is not None:
            await self._on_command(interaction)
        else:
            await super().on_interaction(interaction)

    @override
    async def on_connect(self) -> None:
        """Register nextcord's commands, unless somebody else registers ours."""
        if self._on_command is None:
            await super().on_connect()

    @override
    async def on_guild_available(self, guild: nextcord.Guild) -> None:
        """Register a guild's commands, unless somebody else registers ours."""
        if self._on_command is None:
            await super().on_guild_available(guild)

    async def on_ready(self) -> None:
        """Start what needs the guilds, once: Discord says ready again after a new session."""
        if self._was_ready:
            _log.info("a new gateway session began")
            return
        self._was_ready = True
        settle_heap()
        if self._on_first_ready is not None:
            await self._on_first_ready()

    @override
    async def on_error(self, event_method: str, *args: Any, **kwargs: Any) -> None:
        """Log what a listener did not handle."""
        _log.exception("%s failed", event_method)


class _State(AutoShardedConnectionState):
    """nextcord's cache, with another way for interactions and a quicker "ready"."""

    def __init__(
        self, *args: Any, receive: Callable[[Mapping[str, Any]], None], **kwargs: Any
    ) -> None:
        self._receive = receive
        super().__init__(*args, **kwargs)
        for event, parse in self.parsers.items():
            if event not in _MUST_BE_READ:
                self.parsers[event] = _tolerant(event, parse)

    def parse_interaction_create(self, data: Mapping[str, Any]) -> None:
        """Give an interaction to the click stream, and to nobody else."""
        self._receive(data)

    @property
    def guild_ready_timeout(self) -> float:
        """How long "ready" waits for a further guild: hardly, once all that were named are here."""
        missing = any(guild.unavailable for guild in self._guilds.values())
        return self._guild_patience if missing else _ALL_GUILDS_HERE_SECONDS

    @guild_ready_timeout.setter
    def guild_ready_timeout(self, seconds: float) -> None:
        self._guild_patience = seconds
        self._guilds = {}  # nextcord reads the value back before it makes its cache


def _tolerant(event: str, parse: Callable[[Any], None]) -> Callable[[Any], None]:
    """Log an event that nextcord cannot read; it would end the bot otherwise."""

    def read(data: Any) -> None:
        try:
            parse(data)
        except Exception:  # noqa: BLE001 -- error boundary: one odd event must not end the session
            _log.exception("%s could not be read", event)

    return read


def _intents() -> nextcord.Intents:
    """Return what the bot listens to; members and message content are privileged."""
    return nextcord.Intents(
        guilds=True,
        members=True,
        voice_states=True,
        guild_messages=True,
        dm_messages=True,
        message_content=True,
    )
