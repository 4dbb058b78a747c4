"""Who is in which voice channel, and what the bot is told when that changes (Discord, "Voice")."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tests.simulator.channel import STAGE, VoiceChannel
from tests.simulator.guild import Guild, VoiceState
from tests.simulator.member import Member
from tests.simulator.news import News
from tests.simulator.permissions import Permission

if TYPE_CHECKING:
    from tests.simulator.world import World

KICKED, CALL_ENDED = 4014, 4022
"""Voice close codes: one client sent away; everybody is."""


class VoicePort(Protocol):
    """What is needed of a voice server (`tests.simulator.voice.VoiceServer`)."""

    @property
    def endpoint(self) -> str:
        """Return "host:port"."""
        ...

    @property
    def ca_file(self) -> Path:
        """Return the file with the authority that clients must trust."""
        ...

    def admit(
        self, *, guild_id: int, channel_id: int, user_id: int, session_id: str, token: str
    ) -> None:
        """Let the bot identify for a guild, instead of who could before."""
        ...

    def withdraw(self, guild_id: int) -> None:
        """Let nobody identify for a guild any more."""
        ...

    def expel(self, guild_id: int, code: int = KICKED) -> Any:
        """Close a guild's connection for good."""
        ...

    def ear(self, guild_id: int) -> Any:
        """Return who listens in a guild's call."""
        ...


class Calls:
    """The calls of all guilds."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.servers: list[VoicePort] = []
        """Voice servers; a new call is given to the first one."""
        self.news = News()
        self._server_of: dict[int, VoicePort] = {}

    # ── members ─────────────────────────────────────────────────────────────

    def why_not(self, member: Member, channel: VoiceChannel) -> str | None:
        """Tell why somebody cannot join; None when they can."""
        allowed = member.permissions_in(channel)
        if not allowed & Permission.VIEW_CHANNEL:
            return "VIEW_CHANNEL is missing"
        if not allowed & Permission.CONNECT:
            return "CONNECT is missing"
        inside = channel.members
        full = bool(channel.user_limit) and len(inside) >= channel.user_limit
        if full and member not in inside and not allowed & Permission.MOVE_MEMBERS:
            return "it is full"
        return None

    def place(
        self,
        member: Member,
        channel: VoiceChannel,
        *,
        session_id: str | None = None,
        self_mute: bool | None = None,
        self_deaf: bool | None = None,
    ) -> VoiceState:
        """Put somebody into a channel and tell the bot."""
        guild = member.guild
        state = guild.voice_states.get(member.user.id)
        arrives = state is None or state.channel is not channel
        if state is None:
            state = VoiceState(member, channel, session_id or secrets.token_hex(16))
            guild.voice_states[member.user.id] = state
        state.channel = channel
        state.session_id = session_id or state.session_id
        state.self_mute = state.self_mute if self_mute is None else self_mute
        state.self_deaf = state.self_deaf if self_deaf is None else self_deaf
        if arrives:
            state.request_to_speak = None
            state.suppress = channel.kind == STAGE
        if channel.kind != STAGE:
            state.suppress = self._silenced(member, channel)
        self._announce(state)
        return state

    def leave(self, member: Member) -> None:
        """Take somebody out of the call and tell the bot."""
        state = member.guild.voice_states.pop(member.user.id, None)
        if state is None:
            return
        if member is member.guild.me:
            self._hang_up(member.guild, KICKED)
        self._announce(state, left=True)

    def move(self, member: Member, channel: VoiceChannel | None) -> None:
        """Move somebody by others' hand; None disconnects."""
        if channel is None:
            self.leave(member)
        elif member is member.guild.me:
            self._move_bot(member.guild, channel)
        else:
            self.place(member, channel)

    def set_own(
        self, member: Member, *, self_mute: bool | None = None, self_deaf: bool | None = None
    ) -> None:
        """Change how somebody takes part."""
        state = member.guild.voice_states.get(member.user.id)
        if state is not None:
            self.place(member, state.channel, self_mute=self_mute, self_deaf=self_deaf)

    def set_by_others(
        self, member: Member, *, mute: bool | None = None, deaf: bool | None = None
    ) -> None:
        """Mute or deafen somebody in the whole guild."""
        member.server_muted = member.server_muted if mute is None else mute
        member.server_deafened = member.server_deafened if deaf is None else deaf
        state = member.guild.voice_states.get(member.user.id)
        if state is not None:
            self._announce(state)

    def set_stage(self, state: VoiceState, *, suppress: bool | None, requested: str | None) -> None:
        """Let somebody speak on a stage, or not, or note that they ask to."""
        state.suppress = state.suppress if suppress is None else suppress
        state.request_to_speak = requested if suppress is not False else None
        self._announce(state)

    def channel_deleted(self, channel: VoiceChannel) -> None:
        """End the call in a channel that goes away."""
        guild = channel.guild
        for member in channel.members:
            state = guild.voice_states.pop(member.user.id)
            if member is guild.me:
                self._hang_up(guild, CALL_ENDED)
            self._announce(state, left=True)

    # ── the bot ─────────────────────────────────────────────────────────────

    def bot_asks(
        self,
        guild: Guild,
        channel_id: int | None,
        *,
        session_id: str,
        self_mute: bool,
        self_deaf: bool,
    ) -> None:
        """Do what the bot's op 4 asks; a refusal is silence, as on Discord."""
        if channel_id is None:
            self.leave(guild.me)
            return
        channel = guild.channels.get(channel_id)
        if not isinstance(channel, VoiceChannel) or self.why_not(guild.me, channel):
            return
        state = guild.voice_states.get(guild.me.user.id)
        stays = state is not None and state.channel is channel and state.session_id == session_id
        if state is not None and not stays:
            self._hang_up(guild, KICKED)
        self._tell_bot(
            guild,
            channel,
            session_id=session_id,
            self_mute=self_mute,
            self_deaf=self_deaf,
            new_call=not stays,
        )

    def session_ended(self, session_id: str) -> None:
        """Take the bot out of every call that a gateway session of it was in."""
        for guild in self._world.guilds.values():
            state = guild.voice_states.get(guild.me.user.id)
            if state is not None and state.session_id == session_id:
                self.leave(guild.me)

    def change_server(self, guild: Guild, server: VoicePort | None) -> str:
        """Give a call to another voice server and tell the bot; None: its server is lost.

        Returns the token that was announced.
        """
        old = self._server_of.pop(guild.id, None)
        token = secrets.token_hex(8)
        if old is not None:
            old.withdraw(guild.id)
        if server is not None:
            self._admit(guild, server, token)
        self._announce_server(guild, token)
        return token

    def server_of(self, guild: Guild) -> VoicePort | None:
        """Return the voice server that has the guild's call."""
        return self._server_of.get(guild.id)

    def ear(self, guild: Guild) -> Any:
        """Return who listens in a guild's call."""
        server = self._server_of.get(guild.id) or (self.servers[0] if self.servers else None)
        if server is None:
            raise AssertionError("there is no voice server: use Simulator(voice=True)")
        return server.ear(guild.id)

    # ── own ─────────────────────────────────────────────────────────────────

    def _move_bot(self, guild: Guild, channel: VoiceChannel) -> None:
        state = guild.voice_states.get(guild.me.user.id)
        if state is None or state.channel is channel:
            return
        self._hang_up(guild, KICKED)
        self._tell_bot(guild, channel, session_id=state.session_id, new_call=True)

    def _tell_bot(
        self,
        guild: Guild,
        channel: VoiceChannel,
        *,
        session_id: str,
        new_call: bool,
        self_mute: bool | None = None,
        self_deaf: bool | None = None,
    ) -> None:
        token = secrets.token_hex(8)
        first = new_call and self._world.faults.voice_server_first
        if first:
            self._announce_server_later(guild, channel, session_id, token)
        self.place(
            guild.me, channel, session_id=session_id, self_mute=self_mute, self_deaf=self_deaf
        )
        if new_call and not first:
            self._announce_server_later(guild, channel, session_id, token)

    def _announce_server_later(
        self, guild: Guild, channel: VoiceChannel, session_id: str, token: str
    ) -> None:
        if self.servers:
            server = self._server_of[guild.id] = self.servers[0]
            server.admit(
                guild_id=guild.id,
                channel_id=channel.id,
                user_id=guild.me.user.id,
                session_id=session_id,
                token=token,
            )
        self._announce_server(guild, token)

    def _admit(self, guild: Guild, server: VoicePort, token: str) -> None:
        state = guild.voice_states[guild.me.user.id]
        self._server_of[guild.id] = server
        server.admit(
            guild_id=guild.id,
            channel_id=state.channel.id,
            user_id=guild.me.user.id,
            session_id=state.session_id,
            token=token,
        )

    def _announce_server(self, guild: Guild, token: str) -> None:
        server = self._server_of.get(guild.id)
        data = {
            "token": token,
            "guild_id": str(guild.id),
            "endpoint": server.endpoint if server else None,
        }
        self._world.faults.hold_voice(
            lambda: self._world.events.dispatch(
                "VOICE_SERVER_UPDATE", data, guild_id=guild.id, always=True
            )
        )

    def _hang_up(self, guild: Guild, code: int) -> None:
        server = self._server_of.pop(guild.id, None)
        if server is not None:
            server.expel(guild.id, code)

    def _silenced(self, member: Member, channel: VoiceChannel) -> bool:
        away = channel is member.guild.afk_channel
        return away or not member.permissions_in(channel) & Permission.SPEAK

    def _announce(self, state: VoiceState, *, left: bool = False) -> None:
        data = state.json(left=left)
        guild = state.member.guild
        own = state.member is guild.me

        def tell() -> None:
            self._world.events.dispatch("VOICE_STATE_UPDATE", data, guild_id=guild.id)

        if own:
            self._world.faults.hold_voice(tell)
        else:
            tell()
        self.news.ring()
