"""One audio node through wavelink, and the bot's places in voice channels that it speaks in.

The embedded node and a real Lavalink server look the same from here.

What wavelink is used for, and what is repaired here (wavelink 3.5.2 under nextcord 3.2.0):
- its node: requests, connecting again and again, resuming a session. It keeps the session id in
  memory only; here it is remembered over restarts. Its pauses between tries grow to 30 s; here
  they stay below 2 s. Its reading loop dies, and never connects again, of an unknown close code
  or of one failing request; here it does not. Its events lose the guild where no player object
  exists yet (after a restart) and reach handlers in tasks; here they go, in order, to one listener.
- its player, which is Discord's end of a voice connection: it sends the voice address only on the
  server update, and drops it when the state update comes second. Here `VoiceHandshake` decides.
- tracks are played by their link (`identifier`), not by an encoded copy of what was looked up.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast, override

import aiohttp
import nextcord
import wavelink
from wavelink.backoff import Backoff
from wavelink.enums import NodeStatus
from wavelink.websocket import Websocket

from bot.adapters.voice_handshake import VoiceAddress, VoiceHandshake
from services.audio.errors import NodeUnavailable
from services.background import BackgroundTasks

_log = logging.getLogger(__name__)

_RESUME_SECONDS = 60
_REQUEST_SECONDS = 25
"""The embedded node gives a link 20 s to open; then it answers."""
_VOICE_SECONDS = 10
"""A voice server that refuses connections makes Lavalink's answer hang for good."""
_MOVE_SECONDS = 8
_REFUSED_PAUSE_SECONDS = 10
_GATEWAY_ERRORS = (ConnectionError, KeyError, AttributeError, nextcord.DiscordException)
"""What nextcord raises where a shard has no connection just now."""
_NO_GATEWAY = "Discord cannot be reached right now. Try again in a moment."
NO_NODE = "No audio node answers right now. Try again in a moment."

Method = Literal["GET", "POST", "PATCH", "DELETE", "PUT"]


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """Where a node is: `http://host:port`, and its password."""

    uri: str
    password: str


class NodeRefused(Exception):
    """A node answered that it will not do it; `status` is the answer's HTTP status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status


class NodeOwner(Protocol):
    """Whom a node tells what it does."""

    async def node_ready(
        self, node: "Node", *, resumed: bool, players: Sequence[dict[str, Any]]
    ) -> None:
        """The node can be used; `players` is what one that resumed plays."""

    def node_lost(self, node: "Node") -> None:
        """The connection has ended."""

    def event(self, message: dict[str, Any]) -> None:
        """A Lavalink v4 event has come."""

    def position_reported(self, guild_id: int, state: dict[str, Any]) -> None:
        """A player's state has come."""


class _ShortBackoff(Backoff):
    """Pauses that grow from 0.1 to 2 s: a node that is back must not be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._pause = 0.05

    @override
    def calculate(self) -> float:
        self._pause = min(self._pause * 2, 2.0)
        return self._pause


class _Identity:
    """What wavelink wants of a Discord client: who it is. Its events are not used."""

    def __init__(self, client: nextcord.Client) -> None:
        self._client = client

    @property
    def user(self) -> Any:
        return self._client.user

    def dispatch(self, _event: str, /, *_args: object, **_kwargs: object) -> None:
        """Take wavelink's own events, which lose the order and the guild."""


class _Socket(Websocket):
    """A node's websocket whose reading loop survives whatever is sent."""

    node: "Node"

    def __init__(self, *, node: "Node") -> None:
        super().__init__(node=node)
        self.backoff = _ShortBackoff()

    @override
    async def keep_alive(self) -> None:
        assert self.socket is not None
        async for message in self.socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            try:
                self.node.received(message.json())
            except (KeyError, TypeError, ValueError):
                _log.warning("a message of an audio node was not understood", exc_info=True)
        self.node.lost()


class Node(wavelink.Node):
    """One node, connected for good."""

    def __init__(self, address: NodeAddress, *, owner: NodeOwner, client: nextcord.Client) -> None:
        super().__init__(
            uri=address.uri,
            password=address.password,
            session=aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_REQUEST_SECONDS)),
            client=cast("Any", _Identity(client)),
            resume_timeout=_RESUME_SECONDS,
            inactive_player_timeout=None,
            inactive_channel_tokens=None,
        )
        self.address = address
        self.gapless = False
        self.load = 0
        self._owner = owner
        self._tasks = BackgroundTasks(f"audio node {address.uri}")

    @property
    def connected(self) -> bool:
        """Whether it can be used."""
        return self.status is NodeStatus.CONNECTED

    def start(self, session_id: str | None) -> None:
        """Connect, and resume the session if the node still knows it."""
        self._session_id = session_id
        self._tasks.start(self._keep_connecting(), name="connect")

    async def _keep_connecting(self) -> None:
        while True:
            session_id = self._session_id
            self._websocket = _Socket(node=self)
            try:
                await self._websocket.connect()
            except wavelink.AuthorizationFailedException:
                _log.error("the audio node %s refuses the password", self.uri)
            except wavelink.NodeException:
                _log.error("there is no Lavalink v4 at %s", self.uri)
            else:
                return
            self._session_id = session_id
            await asyncio.sleep(_REFUSED_PAUSE_SECONDS)

    def received(self, message: dict[str, Any]) -> None:
        """Take a message of the websocket."""
        match message["op"]:
            case "ready":
                self._session_id = message["sessionId"]
                self._tasks.start(self._greet(resumed=message["resumed"]), name="greet")
            case "playerUpdate":
                self._owner.position_reported(int(message["guildId"]), message["state"])
            case "stats":
                self.load = int(message["players"])
            case "event":
                self._owner.event(message)

    async def _greet(self, *, resumed: bool) -> None:
        """Ask the node what it can do and what it plays, then put it to use."""
        session = f"v4/sessions/{self._session_id}"
        try:
            settings = {"resuming": True, "timeout": _RESUME_SECONDS}
            info, players, _ = await asyncio.gather(
                self.request("GET", "v4/info"),
                self.request("GET", f"{session}/players") if resumed else _nothing(),
                self.request("PATCH", session, data=settings),
            )
        except (NodeUnavailable, NodeRefused) as error:
            _log.warning("the audio node %s does not answer: %s", self.uri, error)
            if self._websocket is not None and self._websocket.socket is not None:
                await self._websocket.socket.close()
            return
        self.gapless = any(plugin["name"] == "gapless" for plugin in info.get("plugins", ()))
        self._status = NodeStatus.CONNECTED
        await self._owner.node_ready(self, resumed=resumed, players=players or ())

    def lost(self) -> None:
        """Take note that the websocket has ended; connect again."""
        was_connected, self._status = self.connected, NodeStatus.DISCONNECTED
        if was_connected:
            self._owner.node_lost(self)
        self._tasks.start(self._keep_connecting(), name="connect again")

    async def request(self, method: Method, path: str, *, data: Any = None, **params: str) -> Any:
        """Ask the node.

        Raises:
            NodeUnavailable: it does not answer, or not in Lavalink's way.
            NodeRefused: it will not do it.
        """
        try:
            return await self.send(method, path=path, data=data, params=params)
        except wavelink.LavalinkException as error:
            raise NodeRefused(error.status, error.error) from error
        except (wavelink.NodeException, aiohttp.ClientError, TimeoutError, OSError) as error:
            if isinstance(error, ConnectionError | aiohttp.ClientConnectionError):
                self._hang_up()
            raise NodeUnavailable(NO_NODE) from error

    def _hang_up(self) -> None:
        """Count a node that takes no connection as gone before its websocket notices."""
        if self.connected:
            self._status = NodeStatus.DISCONNECTED
            self._owner.node_lost(self)
            if self._websocket is not None and self._websocket.socket is not None:
                self._tasks.start(_close(self._websocket.socket), name="hang up")

    async def update(self, guild_id: int, data: dict[str, Any]) -> None:
        """Change the guild's player; raises as `request`."""
        await self.request("PATCH", self._player(guild_id), data=data)

    async def set_next(self, guild_id: int, track: dict[str, Any] | None) -> None:
        """Hand over what follows (the plugin "gapless"); raises as `request`."""
        await self.request("PUT", f"{self._player(guild_id)}/next", data={"track": track})

    async def destroy(self, guild_id: int) -> None:
        """Take the guild's player away; a node that does not answer has none."""
        with contextlib.suppress(NodeUnavailable, NodeRefused):
            await self.request("DELETE", self._player(guild_id))

    def _player(self, guild_id: int) -> str:
        return f"v4/sessions/{self._session_id}/players/{guild_id}"

    @override
    async def close(self, eject: bool = False) -> None:
        await self._tasks.close()
        self._status = NodeStatus.DISCONNECTED
        if (websocket := self._websocket) is not None:
            if websocket.keep_alive_task is not None:
                websocket.keep_alive_task.cancel()
            if websocket.socket is not None:
                await websocket.socket.close()
        await self._session.close()


async def _nothing() -> None:
    return None


async def _close(socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.close()


class GuildVoice(wavelink.Player, nextcord.VoiceProtocol):
    """The bot's place in one guild's voice channel, and the node that speaks there."""

    # both libraries call them the same
    client: Any
    channel: Any

    def __init__(
        self,
        client: Any,
        channel: Any,
        *,
        choose: Callable[[], Node],
        left: Callable[["GuildVoice"], None],
    ) -> None:
        super().__init__(client, channel, nodes=[choose()])
        self._choose = choose
        self._left = left
        self._handshake = VoiceHandshake()
        self._arrived: asyncio.Future[None] | None = None
        self._given: tuple[str, str | None] | None = None  # node and session that have the address

    @property
    def guild_id(self) -> int:
        """The guild it belongs to."""
        return int(self.channel.guild.id)

    @property
    def node_now(self) -> Node:
        """The node that speaks here."""
        node = self._node
        assert isinstance(node, Node)
        return node

    @override
    async def connect(
        self,
        *,
        timeout: float = 10.0,
        reconnect: bool = True,
        self_deaf: bool = True,
        self_mute: bool = False,
    ) -> None:
        await self._go_to(self.channel, timeout)

    @override
    async def move_to(self, channel: Any, **_kwargs: object) -> None:
        await self._go_to(channel, _MOVE_SECONDS)

    async def _go_to(self, channel: Any, seconds: float) -> None:
        """Ask Discord for the channel, and wait until a node has the address.

        Raises:
            TimeoutError: Discord does not answer, which is its way to refuse.
            NodeUnavailable: no node takes the address, or Discord cannot be reached.
        """
        arrived = self._arrived = asyncio.get_running_loop().create_future()
        self._handshake.ask_for(channel.id)
        try:
            try:
                await channel.guild.change_voice_state(channel=channel, self_deaf=True)
            except _GATEWAY_ERRORS as error:
                raise NodeUnavailable(_NO_GATEWAY) from error
            async with asyncio.timeout(seconds):
                await arrived
        finally:
            self._handshake.ask_for(None)
            self._arrived = None
            arrived.cancel()

    async def ensure_node(self) -> None:
        """Give the address to a node that works, unless it has it already.

        Raises:
            NodeUnavailable: no node takes it.
        """
        if not self.node_now.connected:
            self._node = self._choose()
        if self._given != (self._node.identifier, self._node.session_id):
            address = self._handshake.address
            if address is None:
                raise NodeUnavailable(NO_NODE)
            await self._give(address)

    @override
    async def on_voice_state_update(self, data: Any, /) -> None:
        if data["channel_id"] is None:
            # while one joins, this is the late answer to the leave before
            if self._arrived is None:
                await self._take_away()
            return
        channel_id = int(data["channel_id"])
        self.channel = self.channel.guild.get_channel(channel_id) or self.channel
        now = asyncio.get_running_loop().time()
        await self._use(self._handshake.state(data["session_id"], channel_id, now=now))

    @override
    async def on_voice_server_update(self, data: Any, /) -> None:
        now = asyncio.get_running_loop().time()
        await self._use(self._handshake.server(data["token"], data["endpoint"], now=now))

    async def _use(self, address: VoiceAddress | None) -> None:
        if address is None:
            return
        arrived = self._arrived
        try:
            await self._give(address)
        except NodeUnavailable as error:
            _log.warning("voice of guild %s reaches no node", self.guild_id)
            if arrived is not None and not arrived.done():
                arrived.set_exception(error)
        else:
            if arrived is not None and not arrived.done():
                arrived.set_result(None)

    async def _give(self, address: VoiceAddress) -> None:
        node = self.node_now
        voice = {
            "token": address.token,
            "endpoint": address.endpoint,
            "sessionId": address.session_id,
            "channelId": str(address.channel_id),
        }
        try:
            async with asyncio.timeout(_VOICE_SECONDS):
                await node.update(self.guild_id, {"voice": voice})
        except (TimeoutError, NodeRefused) as error:
            _log.warning("the voice server cannot be reached: %s", error)
            await node.destroy(self.guild_id)
            raise NodeUnavailable(
                "Discord's voice server could not be reached. Try again in a moment."
            ) from error
        self._given = (node.identifier, node.session_id)

    @override
    async def disconnect(self, **_kwargs: object) -> None:
        # without a gateway we cannot say it, and need not: the end of a session takes us out
        with contextlib.suppress(*_GATEWAY_ERRORS):
            await self.channel.guild.change_voice_state(channel=None)
        await self._take_away()

    async def _take_away(self) -> None:
        self.cleanup()
        self._left(self)
        await self.node_now.destroy(self.guild_id)
