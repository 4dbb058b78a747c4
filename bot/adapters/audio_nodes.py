"""All audio nodes as one: what the player and the resolver ask, sent to the node it concerns."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

import nextcord

from bot.adapters.node_players import NodePlayers, read_event
from bot.adapters.node_sessions import NodeSessions
from bot.adapters.wavelink_node import NO_NODE, GuildVoice, Node, NodeAddress, NodeRefused
from services.audio.errors import NodeUnavailable, TrackUnplayable
from services.audio.ports import NodeEvent, NodeLost, NodeReady, NodeTrack, Probe

_log = logging.getLogger(__name__)

_START_SECONDS = 5
_PATIENCE_SECONDS = 8
_UNKNOWN_LENGTH_MS = 2**62
_UNPLAYABLE = "The audio of this track cannot be played."


class AudioNodes:
    """All audio nodes as one: the ports `AudioNode` and `MediaProbe`, and voice for nextcord."""

    def __init__(
        self,
        client: nextcord.Client,
        *,
        sessions: NodeSessions,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        # wavelink warns of every try, and of every error that is raised as well
        for name in ("wavelink", "TrackException"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._client = client
        self._sessions = sessions
        self._players = NodePlayers(monotonic)
        self._nodes: dict[NodeAddress, Node] = {}
        self._voices: dict[int, GuildVoice] = {}
        self._homes: dict[int, Node] = {}  # where a guild's sound is, also before we have joined
        self._usable = asyncio.Event()
        self._listener: Callable[[NodeEvent], None] = lambda _event: None

    # ── nodes ───────────────────────────────────────────────────────────────
    async def use(self, addresses: Sequence[NodeAddress]) -> None:
        """Connect to these nodes and to no others; after the bot has logged in."""
        for address in set(self._nodes) - set(addresses):
            node = self._nodes.pop(address)
            was_connected = node.connected
            await node.close()
            if was_connected:
                self.node_lost(node)
        for address in addresses:
            if address not in self._nodes:
                node = Node(address, owner=self, client=self._client)
                self._nodes[address] = node
                node.start(self._sessions.get(address.uri))

    @property
    def addresses(self) -> tuple[NodeAddress, ...]:
        """The nodes in use."""
        return tuple(self._nodes)

    @property
    def available(self) -> bool:
        """Whether any node can be used."""
        return any(node.connected for node in self._nodes.values())

    async def wait_until_available(self) -> None:
        """Wait a moment for a node that is just being started, or started again.

        Raises:
            NodeUnavailable: none came.
        """
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._usable.wait()
        except TimeoutError:
            raise NodeUnavailable(NO_NODE) from None

    async def close(self) -> None:
        """Let go of all nodes; what they play ends when nobody resumes it."""
        nodes, self._nodes = list(self._nodes.values()), {}
        await asyncio.gather(*(node.close() for node in nodes))

    def choose(self) -> Node:
        """Return the connected node with the least to do.

        Raises:
            NodeUnavailable: there is none.
        """
        usable = [node for node in self._nodes.values() if node.connected]
        if not usable:
            raise NodeUnavailable(NO_NODE)
        # what a node tells of itself may be a minute old: count what we gave it since
        ours = Counter(node.address for node in self._homes.values())
        return min(usable, key=lambda node: max(node.load, ours[node.address]))

    def make_voice(self, client: nextcord.Client, channel: Any) -> GuildVoice:
        """Make a place in a voice channel, for `channel.connect(cls=…)`.

        Raises:
            NodeUnavailable: no node could speak there.
        """
        guild_id: int = channel.guild.id
        voice = GuildVoice(
            client, channel, choose=lambda: self._home(guild_id), left=self._voice_left
        )
        self._voices[guild_id] = voice
        return voice

    def _home(self, guild_id: int) -> Node:
        """Return the node that plays for the guild, or one that can."""
        home = self._homes.get(guild_id)
        if home is None or not home.connected:
            home = self._homes[guild_id] = self.choose()
        return home

    # ── what nodes tell ─────────────────────────────────────────────────────
    def event(self, message: dict[str, Any]) -> None:
        """Take a Lavalink v4 event."""
        if (event := read_event(message)) is not None:
            self._players.note(event)
            self._listener(event)

    def position_reported(self, guild_id: int, state: dict[str, Any]) -> None:
        """Take a player's state."""
        self._listener(self._players.report(guild_id, state))

    async def node_ready(
        self, node: Node, *, resumed: bool, players: Sequence[dict[str, Any]]
    ) -> None:
        """Put a node to use; one that resumed first says what it plays."""
        _log.info("audio node %s is ready%s", node.uri, ", resumed" if resumed else "")
        if node.session_id is not None:
            await self._sessions.save(node.uri, node.session_id)
        for player in players:
            guild_id = int(player["guildId"])
            home = self._homes.setdefault(guild_id, node)
            if home is not node and home.connected:
                await node.destroy(guild_id)  # it plays on another node by now
            else:
                self._homes[guild_id] = node
                self._listener(self._players.found(player))
        self._usable.set()
        self._listener(NodeReady(resumed))

    def node_lost(self, node: Node) -> None:
        """Tell whose sound is gone; another node can go on at once."""
        _log.warning("audio node %s is gone", node.uri)
        if not self.available:
            self._usable.clear()
        guild_ids = tuple(guild for guild, home in self._homes.items() if home is node)
        self._players.fail_all(iter(guild_ids), NodeUnavailable(NO_NODE))
        for guild_id in guild_ids:
            self._players.stop(guild_id)
        self._listener(NodeLost(guild_ids))
        if self.available:
            self._listener(NodeReady(resumed=False))

    def _voice_left(self, voice: GuildVoice) -> None:
        """Take note that the bot has left a voice channel."""
        if self._voices.get(voice.guild_id) is voice:
            del self._voices[voice.guild_id]
            self._homes.pop(voice.guild_id, None)
            self._players.stop(voice.guild_id)

    # ── AudioNode ───────────────────────────────────────────────────────────
    def listen(self, listener: Callable[[NodeEvent], None]) -> None:
        """Call `listener` with each event, in order."""
        self._listener = listener

    async def play(
        self, guild_id: int, track: NodeTrack, *, start_ms: int, volume: int, paused: bool
    ) -> None:
        """Replace what plays by `track`; return once the node has opened it."""
        node = self._node_of(guild_id)
        body = {
            "track": _track(track),
            "position": start_ms,
            "volume": volume,
            "paused": paused,
        }
        self._players.expect(guild_id, track.entry_id, start_ms=start_ms, paused=paused)
        try:
            await self._ask(node.update(guild_id, body))
            await self._players.started(track.entry_id, within=_START_SECONDS)
        finally:
            self._players.expect_no_more(track.entry_id)

    async def set_next(self, guild_id: int, track: NodeTrack | None) -> bool:
        """Hand over what follows; False where the node cannot do that."""
        node = self._node_of(guild_id)
        if not node.gapless:
            return False
        await self._ask(node.set_next(guild_id, None if track is None else _track(track)))
        return True

    async def set_paused(self, guild_id: int, *, paused: bool) -> None:
        """Stop or go on at the very position."""
        await self._ask(self._node_of(guild_id).update(guild_id, {"paused": paused}))
        self._players.paused(guild_id, paused=paused)

    async def seek(self, guild_id: int, position_ms: int) -> None:
        """Go to `position_ms` of the current track."""
        await self._ask(self._node_of(guild_id).update(guild_id, {"position": position_ms}))
        self._players.sought(guild_id, position_ms)

    async def set_volume(self, guild_id: int, volume: int) -> None:
        """Set the loudness in per cent, 0 to 1000."""
        await self._ask(self._node_of(guild_id).update(guild_id, {"volume": volume}))

    async def stop(self, guild_id: int) -> None:
        """Take the current track and the next off; the voice connection stays."""
        self._players.stop(guild_id)
        if guild_id in self._voices:
            await self._ask(self._node_of(guild_id).update(guild_id, {"track": {"encoded": None}}))

    def position_ms(self, guild_id: int) -> int:
        """Return where the current track is, interpolated from the last report."""
        return self._players.position_ms(guild_id)

    def _node_of(self, guild_id: int) -> Node:
        voice = self._voices.get(guild_id)
        if voice is None or not voice.node_now.connected:
            raise NodeUnavailable(NO_NODE)
        return voice.node_now

    async def _ask(self, request: Awaitable[None]) -> None:
        try:
            await request
        except NodeRefused as error:
            _log.info("an audio node refuses: %s", error)
            if error.status == HTTPStatus.NOT_FOUND:
                raise NodeUnavailable(NO_NODE) from error  # it has forgotten our session
            raise TrackUnplayable(_UNPLAYABLE) from error

    # ── MediaProbe ──────────────────────────────────────────────────────────
    async def probe(self, link: str) -> Probe:
        """Read tags and length of the audio behind a relay link."""
        await self.wait_until_available()
        try:
            answer = await self.choose().request("GET", "v4/loadtracks", identifier=link)
        except NodeRefused as error:
            raise NodeUnavailable(NO_NODE) from error
        if answer["loadType"] != "track":
            raise TrackUnplayable("There is no audio at that address that can be played.")
        info = answer["data"]["info"]
        length = info.get("length")
        known = isinstance(length, int) and 0 < length < _UNKNOWN_LENGTH_MS
        return Probe(
            title=_unless(info.get("title"), "Unknown title"),
            artist=_unless(info.get("author"), "Unknown artist"),
            duration_ms=length if known and not info.get("isStream") else None,
        )


def _track(track: NodeTrack) -> dict[str, Any]:
    return {"identifier": track.link, "userData": {"entry": track.entry_id}}


def _unless(text: str | None, placeholder: str) -> str | None:
    return text if text and text != placeholder else None
