"""The gateway: sessions of the bot, and who of them hears of what."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from tests.simulator.errors import Json
from tests.simulator.gateway import frames, intents, members
from tests.simulator.gateway.connection import (
    INTENTS_NOT_ALLOWED,
    TOO_MANY_GUILDS,
    WRONG_INTENTS,
    WRONG_SEQUENCE,
    WRONG_SHARD,
    WRONG_TOKEN,
    Closed,
    Connection,
)
from tests.simulator.gateway.session import Session
from tests.simulator.message import SimMessage
from tests.simulator.message_json import event_json
from tests.simulator.news import News
from tests.simulator.snowflake import as_snowflake

if TYPE_CHECKING:
    from tests.simulator.guild import Guild
    from tests.simulator.world import World

_MOST_GUILDS = 2500
_FINAL_CLOSES = frozenset({1000, 1001})
"""A client that closes with these does not come back: its session ends."""


class Gateway:
    """Accepts connections and carries events to them.

    Args:
        world: What there is.
        heartbeat_interval: Seconds, told in HELLO.
        resume_window: Seconds for which a session without a connection is kept.
        identify_every: Seconds between two IDENTIFYs of the same rate limit key; 0: no limit.
        compress: Whether the zlib stream that a client asks for is granted.
    """

    def __init__(
        self,
        world: "World",
        *,
        heartbeat_interval: float = 41.25,
        resume_window: float = 120.0,
        identify_every: float = 5.0,
        compress: bool = True,
    ) -> None:
        self.world = world
        self.url = ""
        self.heartbeat_interval = heartbeat_interval
        self.resume_window = resume_window
        self.identify_every = identify_every
        self.compress = compress
        self.connections: set[Connection] = set()
        self.sessions: dict[str, Session] = {}
        self.news = News()
        self.counts: Counter[str] = Counter()
        """How often a session was identified, resumed, refused, closed."""
        self._identified_at: dict[int, float] = {}
        self._chunk_requests: dict[int, float] = {}
        self._timers: set[asyncio.TimerHandle] = set()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one websocket."""
        if self.world.faults.refuse_connections:
            return web.Response(status=503)
        return await Connection(self, request, self.world.clock).serve()

    def stop(self) -> None:
        """Close all connections and forget what still runs."""
        for timer in self._timers:
            timer.cancel()
        for connection in list(self.connections):
            connection.close(1001, "The simulator ends.")

    # ── sessions ────────────────────────────────────────────────────────────

    @property
    def live_sessions(self) -> list[Session]:
        """Those that have a connection."""
        return [session for session in self.sessions.values() if session.connection is not None]

    def identify(self, connection: Connection, data: Any) -> None:
        """Begin a session, or refuse it (A3)."""
        if not isinstance(data, dict) or not isinstance(data.get("properties"), dict):
            raise Closed(4002, "Error while decoding payload.")
        application = self.world.application
        if str(data.get("token")).removeprefix("Bot ") != application.token:
            raise Closed(WRONG_TOKEN, "Authentication failed.")
        wanted = self._checked_intents(data.get("intents"))
        shard = self._checked_shard(data.get("shard"))
        if not self._may_identify(shard[0]):
            self.counts["identified too often"] += 1
            connection.write(frames.envelope(frames.INVALID_SESSION, data=False))
            return
        session = Session(intents=wanted, shard=shard, presence=data.get("presence"))
        self.sessions[session.id] = session
        self._attach(session, connection)
        self.counts["identified"] += 1
        self._send_ready(session)
        self.news.ring()

    def _send_ready(self, session: Session) -> None:
        application = self.world.application
        guilds = [guild for guild in self.world.guilds.values() if session.serves(guild.id)]
        ready = {
            "v": 10,
            "user": {**application.user.json(), "verified": True, "mfa_enabled": True},
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {"id": str(application.id), "flags": application.flags},
            "private_channels": [],
            "relationships": [],
            "_trace": ["simulator"],
        }
        session.push("READY", orjson.dumps(ready))
        for guild in guilds:
            if not guild.unavailable and session.intents & intents.GUILDS:
                self._push_guild(session, guild)

    def resume(self, connection: Connection, data: Any) -> None:
        """Go on with a session after its last connection broke (A6)."""
        if not isinstance(data, dict) or not isinstance(data.get("seq"), int):
            raise Closed(4002, "Error while decoding payload.")
        if str(data.get("token")).removeprefix("Bot ") != self.world.application.token:
            raise Closed(WRONG_TOKEN, "Authentication failed.")
        session = self.sessions.get(str(data.get("session_id")))
        if session is None:
            self.counts["resume refused"] += 1
            connection.write(frames.envelope(frames.INVALID_SESSION, data=False))
            return
        if data["seq"] > session.sequence or data["seq"] < 0:
            raise Closed(WRONG_SEQUENCE, "Invalid seq.")
        missed = session.missed_after(data["seq"])
        if missed is None:
            self._end(session)
            connection.write(frames.envelope(frames.INVALID_SESSION, data=False))
            return
        former = session.connection
        if former is not None:
            former.session = None
            former.close(4000, "Resumed elsewhere.")
        self._attach(session, connection)
        for frame in missed:
            connection.write(frame)
        session.push("RESUMED", b'{"_trace":["simulator"]}')
        session.resumes += 1
        self.counts["resumed"] += 1
        self.news.ring()

    def detach(self, connection: Connection) -> None:
        """Note that a connection is gone; its session is kept unless the bot ended it."""
        session = connection.session
        self.counts["closed"] += 1
        self.news.ring()
        if session is None or session.connection is not connection:
            return
        session.connection = None
        if connection.closed_by_client in _FINAL_CLOSES:
            self._end(session)
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self.resume_window, self._end_if_alone, session)
        self._timers.add(timer)

    def _attach(self, session: Session, connection: Connection) -> None:
        session.connection = connection
        connection.session = session

    def _end_if_alone(self, session: Session) -> None:
        if session.connection is None:
            self._end(session)

    def _end(self, session: Session) -> None:
        if self.sessions.pop(session.id, None) is not None:
            self.world.calls.session_ended(session.voice_session_id)

    # ── checks of IDENTIFY ──────────────────────────────────────────────────

    def _checked_intents(self, wanted: Any) -> int:
        if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted & ~intents.KNOWN:
            raise Closed(WRONG_INTENTS, "Invalid intent(s).")
        allowed = self.world.application.privileged_intents
        privileged = intents.MEMBERS | intents.PRESENCES | intents.MESSAGE_CONTENT
        if wanted & privileged & ~allowed:
            raise Closed(INTENTS_NOT_ALLOWED, "Disallowed intent(s).")
        return wanted

    def _checked_shard(self, shard: Any) -> tuple[int, int]:
        if shard is None:
            shard = [0, 1]
        numbers = isinstance(shard, list) and [n for n in shard if isinstance(n, int)]
        if not numbers or len(numbers) != 2 or not 0 <= numbers[0] < numbers[1]:
            raise Closed(WRONG_SHARD, "Invalid shard.")
        guilds = sum((guild_id >> 22) % numbers[1] == numbers[0] for guild_id in self.world.guilds)
        if guilds > _MOST_GUILDS:
            raise Closed(TOO_MANY_GUILDS, "Sharding required.")
        return numbers[0], numbers[1]

    def _may_identify(self, shard: int) -> bool:
        starts = self.world.application.session_starts
        key, now = shard % starts.max_concurrency, self.world.clock.monotonic()
        last = self._identified_at.get(key)
        if last is not None and now - last < self.identify_every:
            return False
        self._identified_at[key] = now
        starts.remaining -= 1
        return True

    # ── what the bot asks ───────────────────────────────────────────────────

    def set_presence(self, session: Session, data: Json) -> None:
        """Take what the bot shows as its activity (op 3)."""
        if data.get("status") not in {"online", "dnd", "idle", "invisible", "offline"}:
            raise Closed(4002, "Error while decoding payload.")
        session.presence = data
        self.news.ring()

    def voice_state(self, session: Session, data: Json) -> None:
        """Join, change or leave a call (op 4)."""
        guild = self.world.guilds.get(as_snowflake(data.get("guild_id")) or 0)
        if guild is None or not session.serves(guild.id):
            return
        self.counts["op 4"] += 1
        self.world.calls.bot_asks(
            guild,
            as_snowflake(data.get("channel_id")),
            session_id=session.voice_session_id,
            self_mute=bool(data.get("self_mute")),
            self_deaf=bool(data.get("self_deaf")),
        )

    def request_members(self, session: Session, data: Json) -> None:
        """Send members in chunks (op 8)."""
        request = members.read_request(data)
        guild = self.world.guilds.get(request.guild_id)
        if guild is None or not session.serves(guild.id):
            return
        if request.whole_list:
            if not session.intents & intents.MEMBERS:
                return
            now = self.world.clock.monotonic()
            wait = self._chunk_requests.get(guild.id, -1e9) + members.WHOLE_LIST_SECONDS - now
            if wait > 0:
                session.push("RATE_LIMITED", orjson.dumps(members.refusal_json(request, wait)))
                return
            self._chunk_requests[guild.id] = now
        for chunk in members.chunks(guild, request):
            session.push("GUILD_MEMBERS_CHUNK", orjson.dumps(chunk))

    # ── events ──────────────────────────────────────────────────────────────

    def dispatch(
        self, event: str, data: Json, *, guild_id: int | None = None, always: bool = False
    ) -> None:
        """Send an event to the sessions that serve the guild and have the intent."""
        needed = 0 if always else intents.needed_for(event, private=guild_id is None)
        raw: bytes | None = None
        for session in self.sessions.values():
            if needed & ~session.intents or not session.serves(guild_id):
                continue
            raw = orjson.dumps(data) if raw is None else raw
            session.push(event, raw)

    def dispatch_message(self, event: str, message: SimMessage) -> None:
        """Send a message event; what it says only to sessions that may read it."""
        guild = message.channel.guild_or_none
        guild_id = guild.id if guild else None
        private = guild is None or message.ephemeral
        needed = intents.needed_for(event, private=private)
        raw: dict[bool, bytes] = {}
        for session in self.sessions.values():
            if needed & ~session.intents or not session.serves(guild_id):
                continue
            reads = bool(session.intents & intents.MESSAGE_CONTENT)
            if reads not in raw:
                data = event_json(message, self.world.bot, reads_content=reads)
                raw[reads] = orjson.dumps(data)
            session.push(event, raw[reads])

    def announce_guild(self, guild: "Guild") -> None:
        """Send GUILD_CREATE to the guild's shard."""
        for session in self.sessions.values():
            if session.serves(guild.id) and session.intents & intents.GUILDS:
                self._push_guild(session, guild)

    def _push_guild(self, session: Session, guild: "Guild") -> None:
        all_members = bool(session.intents & intents.PRESENCES)
        session.push("GUILD_CREATE", orjson.dumps(guild.create_json(all_members=all_members)))

    # ── faults ──────────────────────────────────────────────────────────────

    def cut(self) -> None:
        """Reset all connections."""
        for connection in list(self.connections):
            connection.cut()

    def close(self, code: int) -> None:
        """Close all connections with a code."""
        for connection in list(self.connections):
            connection.close(code, "Closed by the simulator.")

    def ask_to_reconnect(self) -> None:
        """Send op 7 on all connections."""
        for connection in list(self.connections):
            connection.write(frames.envelope(frames.RECONNECT))

    def ask_for_heartbeat(self) -> None:
        """Send op 1 on all connections."""
        for connection in list(self.connections):
            connection.write(frames.envelope(frames.HEARTBEAT))

    def invalidate(self, *, resumable: bool) -> None:
        """Send op 9 on all connections; without `resumable` the sessions are gone."""
        for connection in list(self.connections):
            session = connection.session
            connection.write(frames.envelope(frames.INVALID_SESSION, data=resumable))
            if session is not None and not resumable:
                connection.session = session.connection = None
                self._end(session)
