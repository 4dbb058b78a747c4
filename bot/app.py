"""The composition root: builds every part by hand, starts them in order, ends them in reverse.

```
database ─► settings, players ─┐
relay, extraction ─────────────┼─► commands ─► Discord ─► (all guilds are here) nodes, restore
click stream ──────────────────┘
```
"""

import asyncio
import contextlib
import logging
from contextlib import AsyncExitStack
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import nextcord

from bot.adapters.address_guard import AddressGuard
from bot.adapters.audio_nodes import AudioNodes
from bot.adapters.guarded_http import GuardedHttp
from bot.adapters.media_relay import MediaRelay
from bot.adapters.media_store import MediaStore
from bot.adapters.metrics import Metrics
from bot.adapters.node_process import NodeProcess
from bot.adapters.node_sessions import NodeSessions
from bot.adapters.spool import SpoolLimits
from bot.adapters.spool_storage import DiskSpace
from bot.adapters.status_server import StatusServer
from bot.adapters.voice_control import NextcordVoice
from bot.adapters.wavelink_node import NodeAddress
from bot.adapters.ytdlp import YtdlpSites
from bot.adapters.ytdlp_pool import WorkerPool
from bot.adapters.ytdlp_protocol import WorkerConfig
from bot.community import Community
from bot.kit.choosing import Choosing
from bot.kit.clicks import AckLane, AnswerClient, Clicks
from bot.kit.clicks.command_acks import CommandInteraction
from bot.kit.client import BotClient, Sharding
from bot.kit.command_runner import CommandRunner
from bot.kit.command_sync import publish
from bot.kit.dual_command import CommandSet
from bot.kit.joining import Joining
from bot.kit.outbox import HttpOutbox
from bot.kit.paging import Paging
from bot.kit.posted import Messages
from bot.kit.prefix_commands import PrefixCommands, Prefixes
from bot.kit.slash_commands import SlashCommands
from bot.kit.speaking_order import SpeakingOrder
from bot.kit.tls import client_context
from bot.kit.voice_places import CachedVoicePlaces
from bot.settings import Settings
from cogs.announcements import Announcements
from cogs.gather.board import Board
from cogs.gather.clicks import GatherClicks
from cogs.gather.commands import Gather
from cogs.gather.listeners import GatherListeners
from cogs.gather.rooms import Rooms
from cogs.gather.stage import DiscordStage
from cogs.help import Help
from cogs.history import History
from cogs.modes import Modes
from cogs.play.commands import Play
from cogs.playing import Playing
from cogs.position import Position
from cogs.presence import Presence
from cogs.queue import Queue
from cogs.queue_editing import QueueEditing
from cogs.search_picker import SearchPicker
from cogs.sound import Sound
from cogs.transport import Transport
from cogs.undo import Undo
from cogs.voice import Voice
from services.audio.limits import TrackLimits
from services.audio.player_events import PlayerEvent
from services.audio.player_service import PlayerService
from services.audio.repository import PlayerRepository
from services.audio.resolver import TrackResolver
from services.background import BackgroundTasks
from services.clock import SystemClock
from services.db.engine import open_engine
from services.db.errors import StorageUnavailable
from services.db.schema import upgrade
from services.db.unit_of_work import UnitOfWork
from services.errors import UserError
from services.gather.gather_service import GatherService
from services.gather.repository import GatherRepository
from services.guild_settings.guild_settings_service import GuildSettingsService
from services.guild_settings.repository import GuildSettingsRepository

_log = logging.getLogger(__name__)

_MEBIBYTE = 1024 * 1024

_PERMISSIONS = nextcord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
    add_reactions=True,
    manage_messages=True,
    manage_nicknames=True,
    connect=True,
    speak=True,
    move_members=True,
)
"""Exactly what the features need, for the invite link."""


class App:
    """One bot process. Parts that must be closed are put on the stack when they are made."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._metrics = Metrics()
        self._order = SpeakingOrder()
        self._tasks = BackgroundTasks("bot")
        self._ssl = client_context(settings.ssl_cert_file)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set or the connection to Discord ends for good.

        Raises:
            UserError: something that the bot needs cannot be had.
            LoginFailure, PrivilegedIntentsRequired: the account is not set up (nextcord).
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._tasks.close)
            await self._open_database(stack)
            await self._open_media(stack)
            self._build_discord(stack)
            await self._build_music(stack)
            await self._build_gatherings(stack)
            self._build_commands(stack)
            await self._players.load()
            await self._clicks.start()
            await self._open_status(stack)
            await self._serve(stack, stop)

    # ── parts ───────────────────────────────────────────────────────────────
    async def _open_database(self, stack: AsyncExitStack) -> None:
        url = self._settings.resolved_database_url
        await upgrade(url)
        self._database = UnitOfWork(open_engine(url))
        stack.push_async_callback(self._database.close)
        # what is put on it ends after the click stream, and before the database
        self._after_clicks = await stack.enter_async_context(AsyncExitStack())
        self._guilds = GuildSettingsService(
            GuildSettingsRepository(self._database),
            default_prefix=self._settings.prefix,
            default_timezone=self._settings.timezone,
        )
        await self._guilds.load()

    async def _open_media(self, stack: AsyncExitStack) -> None:
        settings = self._settings
        http = GuardedHttp(AddressGuard(settings.allow_hosts))
        stack.push_async_callback(http.close)
        pool = WorkerPool(
            WorkerConfig(
                search_key=settings.ytdlp_search,
                allow_hosts=settings.allow_hosts,
                plugin_dirs=settings.ytdlp_plugin_dirs,
                cookies=str(settings.ytdlp_cookies) if settings.ytdlp_cookies else None,
                cache_dir=str(settings.data_dir.resolve() / "yt-dlp"),
            ),
            workers=settings.ytdlp_workers,
        )
        stack.push_async_callback(pool.close)
        pool.start()
        self._sites = YtdlpSites(pool)
        self._limits = TrackLimits(max_minutes=settings.max_track_minutes)
        self._store = MediaStore(
            http=http,
            finder=self._sites,
            folder=settings.data_dir / "spool",
            limits=self._limits,
            spool_limits=SpoolLimits(max_bytes=settings.max_download_mb * _MEBIBYTE),
            space=DiskSpace(settings.cache_max_mb * _MEBIBYTE),
            clock=self._clock,
        )
        await self._store.start()
        stack.push_async_callback(self._store.close)
        self._relay = MediaRelay(
            bind=settings.media_bind,
            base_url=settings.media_url,
            data_dir=settings.data_dir,
            store=self._store,
        )
        await self._relay.start()
        stack.push_async_callback(self._relay.close)

    def _build_discord(self, stack: AsyncExitStack) -> None:
        settings = self._settings
        api_url = settings.discord_api_url
        self._clicks = Clicks(
            lane=AckLane(
                api_url=api_url, ssl_context=self._ssl, clock=self._clock, meter=self._metrics
            ),
            answers=AnswerClient(api_url=api_url, ssl_context=self._ssl, clock=self._clock),
            clock=self._clock,
        )
        stack.push_async_callback(self._clicks.close)
        self._client = BotClient(
            clicks=self._clicks,
            clock=self._clock,
            api_url=api_url,
            prefix=Prefixes(self._prefix_of),
            ssl_context=self._ssl,
            sharding=Sharding(ids=settings.shard_ids, count=settings.shard_count),
            on_first_ready=self._on_first_ready,
            on_command=self._on_command,
        )
        self._outbox = HttpOutbox(self._client.http)
        self._messages = Messages(self._outbox, self._clock)

    async def _build_music(self, stack: AsyncExitStack) -> None:
        settings = self._settings
        self._node_process: NodeProcess | None = None
        if not settings.lavalink_urls:
            self._node_process = NodeProcess(
                settings.data_dir, on_moved=lambda _address: self._use_embedded_node()
            )
            stack.push_async_callback(self._node_process.close)
            self._node_start = self._tasks.start(
                self._node_process.start(), name="start the audio node"
            )
        self._node = AudioNodes(
            self._client, sessions=NodeSessions(settings.data_dir / "node-sessions.json")
        )
        stack.push_async_callback(self._node.close)
        self._players = PlayerService(
            node=self._node,
            voice=NextcordVoice(self._client, self._node),
            media=self._relay,
            store=PlayerRepository(self._database),
            clock=self._clock,
            announce=self._on_player_event,
            limits=self._limits,
            idle_leave_seconds=settings.idle_leave_seconds,
            alone_leave_seconds=settings.alone_leave_seconds,
        )
        stack.push_async_callback(self._players.close)
        self._resolver = TrackResolver(
            extractor=self._sites,
            opener=self._store,
            media=self._relay,
            probe=self._node,
            limits=self._limits,
        )
        self._announcements = Announcements(self._messages, self._order)
        stack.push_async_callback(self._announcements.close)
        self._presence = Presence(self._show_status, self._clock)
        stack.push_async_callback(self._presence.close)

    def _build_commands(self, stack: AsyncExitStack) -> None:
        paging = Paging(self._clicks)
        stack.push_async_callback(paging.close)
        self._commands = CommandSet()
        joining = Joining(self._players)
        voice = Voice(self._players, joining)
        places = CachedVoicePlaces(self._client)
        undo = Undo(self._players, places)
        undo.register(self._clicks)
        play = Play(
            player=self._players,
            resolver=self._resolver,
            pick=SearchPicker(Choosing(self._clicks)).pick,
            order=self._order,
            joining=joining,
            clock=self._clock,
            started=self._metrics.first_audio,
        )
        history = History(self._players, self._clicks, places=places, add=play.add)
        stack.push_async_callback(history.close)
        self._community = self._build_community(paging)
        for section, cogs in {
            "Music": (
                play,
                Playing(self._players),
                Transport(self._players),
                Position(self._players),
                Modes(self._players),
            ),
            "Queue": (
                Queue(self._players, paging),
                QueueEditing(self._players, paging),
                undo,
                history,
            ),
            "Sound and voice": (Sound(self._players), voice),
            "Gather": (self._gather_commands(paging),),
            "Community": self._community.cogs,
            "Help": (Help(self._commands),),
        }.items():
            for cog in cogs:
                self._commands.add(cog, section=section)
        runner = CommandRunner(self._clock)
        PrefixCommands(self._commands, runner=runner, messages=self._messages).register(
            self._client
        )
        self._slash = SlashCommands(
            self._commands,
            runner=runner,
            messages=self._messages,
            outbox=self._outbox,
            clicks=self._clicks,
        )
        self._client.add_listener(voice.on_voice_state_update)
        self._client.add_listener(voice.on_guild_remove)
        # a new gateway session has lost our places in voice channels
        self._client.add_listener(self._players.restore, "on_ready")
        self._client.add_listener(self._presence.on_ready)

    async def _build_gatherings(self, stack: AsyncExitStack) -> None:
        rooms = self._rooms = Rooms(self._client)
        board = Board(self._outbox, clock=self._clock, zone_of=self._zone_of)
        self._gather_stage = DiscordStage(
            board=board, rooms=rooms, outbox=self._outbox, zone_of=self._zone_of
        )
        self._gatherings = GatherService(
            store=GatherRepository(self._database), stage=self._gather_stage, clock=self._clock
        )
        clicks = GatherClicks(self._gatherings, rooms, clock=self._clock)
        stack.push_async_callback(clicks.close)
        clicks.register(self._clicks)
        for listener in GatherListeners(self._gatherings, rooms=rooms, board=board).all():
            self._client.add_listener(listener)
        self._after_clicks.push_async_callback(self._gatherings.close)
        await self._gatherings.restore()

    def _gather_commands(self, paging: Paging) -> Gather:
        return Gather(
            service=self._gatherings,
            rooms=self._rooms,
            paging=paging,
            clock=self._clock,
            zone_of=self._zone_of,
        )

    def _build_community(self, paging: Paging) -> Community:
        return Community(
            database=self._database,
            clock=self._clock,
            outbox=self._outbox,
            clicks=self._clicks,
            paging=paging,
            zone_of=self._zone_of,
            shared_database=not self._settings.resolved_database_url.startswith("sqlite"),
        )

    async def _open_status(self, stack: AsyncExitStack) -> None:
        status = StatusServer(
            self._settings.status_bind,
            checks={
                "gateway": self._gateway_problem,
                "node": self._node_problem,
                "database": self._database_problem,
            },
            metrics=self._metrics.render,
        )
        await status.start()
        stack.push_async_callback(status.close)
        self._tasks.start(self._metrics.watch_loop(), name="watch the event loop")

    async def _serve(self, stack: AsyncExitStack, stop: asyncio.Event) -> None:
        token = self._settings.discord_token.get_secret_value()
        stack.push_async_callback(self._client.close)
        stack.push_async_callback(self._messages.close)  # deletes while there is a connection
        stack.push_async_callback(self._community.close)
        stack.push_async_callback(self._gather_stage.close)
        stack.push_async_callback(self._gatherings.close)  # deletes its pings
        stack.push_async_callback(self._players.close)  # first: our own leaving is no expulsion
        serving = asyncio.ensure_future(self._client.start(token))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
        finally:
            stopping.cancel()

    async def _on_command(self, interaction: CommandInteraction) -> None:
        await self._slash.handle(interaction)

    # ── what happens ────────────────────────────────────────────────────────
    async def _on_first_ready(self) -> None:
        application_id = self._client.application_id
        assert application_id is not None
        invite = nextcord.utils.oauth_url(application_id, permissions=_PERMISSIONS)
        _log.info("ready in %d servers; invite me with %s", len(self._client.guilds), invite)
        self._tasks.start(self._publish(application_id), name="register slash commands")
        self._community.start()
        await self._connect_nodes()
        await self._players.restore()

    async def _connect_nodes(self) -> None:
        if self._node_process is None:
            await self._node.use([_lavalink(url) for url in self._settings.lavalink_urls])
            return
        with contextlib.suppress(UserError):  # it is logged, and the process keeps trying
            await self._node_start
        self._use_embedded_node()

    def _use_embedded_node(self) -> None:
        assert self._node_process is not None
        if (found := self._node_process.address) is not None and self._client.is_ready():
            address = NodeAddress(uri=found.uri, password=found.password)
            self._tasks.start(self._node.use([address]), name="use the audio node")

    async def _publish(self, application_id: int) -> None:
        try:
            await publish(self._client.http, application_id=application_id, commands=self._commands)
        except nextcord.HTTPException as error:
            _log.error("Discord did not take the slash commands: %s", error)

    def _on_player_event(self, event: PlayerEvent) -> None:
        self._announcements.receive(event)
        self._presence.receive(event)

    async def _show_status(self, line: str) -> None:
        await self._client.change_presence(
            activity=nextcord.Activity(type=nextcord.ActivityType.listening, name=line)
        )

    async def _prefix_of(self, guild_id: int) -> str:
        return self._guilds.prefix(guild_id)

    def _zone_of(self, guild_id: int) -> ZoneInfo:
        return self._guilds.get(guild_id).timezone

    # ── health ──────────────────────────────────────────────────────────────
    async def _gateway_problem(self) -> str | None:
        return None if self._client.is_ready() else "not connected to Discord"

    async def _node_problem(self) -> str | None:
        if self._node_process is not None and (problem := await self._node_process.problem()):
            return problem
        return None if self._node.available else "no audio node is connected"

    async def _database_problem(self) -> str | None:
        try:
            await self._database.check()
        except StorageUnavailable as error:
            return error.sentence
        return self._players.storage_problem


def _lavalink(url: str) -> NodeAddress:
    """Read `http://:password@host:2333`."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 2333)
    return NodeAddress(
        uri=f"{parts.scheme}://{parts.hostname}:{port}", password=unquote(parts.password or "")
    )
