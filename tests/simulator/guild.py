"""A guild: its roles, channels and members, who is in which call, and who does what to the bot."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulator.channel import (
    CATEGORY,
    STAGE,
    TEXT,
    VOICE,
    Category,
    GuildChannel,
    TextChannel,
    VoiceChannel,
)
from tests.simulator.clock import iso
from tests.simulator.errors import Json
from tests.simulator.member import Member
from tests.simulator.people import Role, User
from tests.simulator.permissions import BOT, EVERYONE, Permission
from tests.simulator.snowflake import wall_time_of

if TYPE_CHECKING:
    from tests.simulator.calls import VoicePort
    from tests.simulator.world import World


@dataclass(eq=False)
class VoiceState:
    """That somebody is in a call, and how."""

    member: Member
    channel: VoiceChannel
    session_id: str
    self_mute: bool = False
    self_deaf: bool = False
    suppress: bool = False
    request_to_speak: str | None = None

    def json(self, *, left: bool = False, within_guild: bool = False) -> Json:
        """Return the voice state object.

        Args:
            left: Whether the member has just left.
            within_guild: Whether it stands inside a guild object, which has no guild id and member.
        """
        member = self.member
        state: Json = {
            "channel_id": None if left else str(self.channel.id),
            "user_id": str(member.user.id),
            "session_id": self.session_id,
            "deaf": member.server_deafened,
            "mute": member.server_muted,
            "self_deaf": self.self_deaf,
            "self_mute": self.self_mute,
            "self_video": False,
            "suppress": self.suppress,
            "request_to_speak_timestamp": self.request_to_speak,
        }
        if not within_guild:
            state["guild_id"] = str(member.guild.id)
            state["member"] = member.json()
        return state


class Guild:
    """A guild on the simulator; made by `Simulator.add_guild`."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.id = world.ids.settled()
        self.name = name
        self.everyone = Role(self.id, "@everyone", 0, EVERYONE)
        self.roles: dict[int, Role] = {self.id: self.everyone}
        self.channels: dict[int, GuildChannel] = {}
        self.members: dict[int, Member] = {}
        self.voice_states: dict[int, VoiceState] = {}
        self.emojis: dict[int, str] = {}
        self.bans: dict[int, str | None] = {}
        self.afk_channel: VoiceChannel | None = None
        self.system_channel: TextChannel | None = None
        self.unavailable = False
        self.owner = self._new_member(world.new_user("owner"), ())
        own = Role(
            world.ids.settled(),
            world.application.user.username,
            1,
            BOT,
            managed=True,
            tags={"bot_id": str(world.application.user.id)},
        )
        self.roles[own.id] = own
        self.bot_role = own
        self.me = self._new_member(world.application.user, (own,))

    def __repr__(self) -> str:
        return self.name

    # ── furnishing ──────────────────────────────────────────────────────────

    def add_role(
        self,
        name: str,
        *permissions: Permission,
        mentionable: bool = False,
        below_bot: bool = False,
    ) -> Role:
        """Add a role above all others, or right below the bot's."""
        role = Role(self.world.ids.settled(), name, 0, Permission(0), mentionable=mentionable)
        for permission in permissions:
            role.permissions |= permission
        ranked = sorted((r for r in self.roles.values() if r is not self.everyone), key=_rank)
        ranked.insert(ranked.index(self.bot_role) if below_bot else len(ranked), role)
        moved: list[Role] = []
        for position, entry in enumerate(ranked, start=1):
            if entry is not role and entry.position != position:
                moved.append(entry)
            entry.position = position
        self.roles[role.id] = role
        self.announce("GUILD_ROLE_CREATE", {"role": role.json()})
        for entry in moved:
            self.announce("GUILD_ROLE_UPDATE", {"role": entry.json()})
        return role

    def add_text_channel(self, name: str, *, parent: Category | None = None) -> TextChannel:
        """Add a channel for writing."""
        return self._added(TextChannel(*self._place(name), kind=TEXT, guild=self), parent)

    def add_voice_channel(
        self, name: str, *, user_limit: int = 0, parent: Category | None = None
    ) -> VoiceChannel:
        """Add a channel for talking; a `user_limit` of 0 means none."""
        channel = VoiceChannel(*self._place(name), kind=VOICE, guild=self)
        channel.user_limit = user_limit
        return self._added(channel, parent)

    def add_stage_channel(self, name: str) -> VoiceChannel:
        """Add a stage, where only speakers are heard."""
        return self._added(VoiceChannel(*self._place(name), kind=STAGE, guild=self), None)

    def add_afk_channel(self, name: str = "AFK") -> VoiceChannel:
        """Add a voice channel and make it the one for those who are away."""
        self.afk_channel = self.add_voice_channel(name)
        self.announce_update()
        return self.afk_channel

    def add_category(self, name: str) -> Category:
        """Add a heading over channels."""
        return self._added(Category(*self._place(name), kind=CATEGORY, guild=self), None)

    def add_emoji(self, name: str) -> str:
        """Add a custom emoji and return how it is written in a text."""
        emoji_id = self.world.ids.settled()
        self.emojis[emoji_id] = name
        emojis = [emoji_json(key, value) for key, value in self.emojis.items()]
        self.announce("GUILD_EMOJIS_UPDATE", {"emojis": emojis})
        return f"<:{name}:{emoji_id}>"

    def add_member(
        self,
        name: str | User,
        *,
        roles: Iterable[Role] = (),
        administrator: bool = False,
        bot: bool = False,
    ) -> Member:
        """Let somebody join; give a user to have the same person in several guilds."""
        user = name if isinstance(name, User) else self.world.new_user(name, bot=bot)
        member = self._new_member(user, tuple(roles))
        if administrator:
            role = next((r for r in self.roles.values() if r.name == "Administrator"), None)
            role = role or self.add_role("Administrator", Permission.ADMINISTRATOR)
            member.roles.append(role)
        self.announce("GUILD_MEMBER_ADD", member.json())
        return member

    def set_roles(self, member: Member, *roles: Role) -> None:
        """Give a member exactly these roles."""
        member.roles = list(roles)
        member.announce_update()

    def remove_member(self, member: Member) -> None:
        """Let somebody leave the guild, or be kicked."""
        self.world.calls.leave(member)
        del self.members[member.id]
        self.announce("GUILD_MEMBER_REMOVE", {"user": member.user.json()})

    # ── the bot ─────────────────────────────────────────────────────────────

    @property
    def bot_channel(self) -> VoiceChannel | None:
        """The voice channel that the bot is in."""
        state = self.voice_states.get(self.me.user.id)
        return state.channel if state else None

    async def move_bot(self, channel: VoiceChannel | None) -> None:
        """Move the bot to another voice channel by hand; None throws it out of the call."""
        self.world.calls.move(self.me, channel)

    async def change_voice_server(self, server: "VoicePort | None" = None) -> None:
        """Give the call to another voice server, as Discord does; None: its server is lost."""
        self.world.calls.change_server(self, server)

    async def bot_joins(
        self, channel: VoiceChannel | None = None, *, within: float = 5.0
    ) -> VoiceChannel:
        """Wait until the bot is in a voice channel.

        Raises:
            AssertionError: It is not, or in another one.
        """

        def look() -> VoiceChannel | None:
            now = self.bot_channel
            return now if channel is None or now is channel else None

        found = await self.world.calls.news.until(look, within)
        if found is None:
            raise AssertionError(f"The bot is in {self.bot_channel}, not in {channel or 'any'}.")
        return found

    async def bot_leaves(self, *, within: float = 5.0) -> None:
        """Wait until the bot is in no voice channel.

        Raises:
            AssertionError: It still is.
        """
        gone = await self.world.calls.news.until(lambda: self.bot_channel is None or None, within)
        if gone is None:
            raise AssertionError(f"The bot is still in {self.bot_channel}.")

    def remove_bot(self) -> None:
        """Kick the bot out of the guild."""
        self.world.remove_guild(self)

    def goes_down(self, *, unavailable: bool = True) -> None:
        """Begin an outage of the guild, or end it."""
        self.unavailable = unavailable
        if unavailable:
            gone = {"id": str(self.id), "unavailable": True}
            self.world.events.dispatch("GUILD_DELETE", gone, guild_id=self.id)
        else:
            self.world.events.announce_guild(self)

    # ── the call ────────────────────────────────────────────────────────────

    @property
    def ear(self) -> Any:
        """Who listens in the guild's call (`tests.simulator.voice.Ear`)."""
        return self.world.calls.ear(self)

    async def hears(self, hz: float, *, within: float = 5.0, **more: Any) -> Any:
        """Wait until a tone of `hz` is heard in the guild's call."""
        return await self.ear.hears(hz, within=within, **more)

    async def silence(self, *, within: float = 5.0, **more: Any) -> Any:
        """Wait until nothing is heard in the guild's call."""
        return await self.ear.silence(within=within, **more)

    # ── what the server needs ───────────────────────────────────────────────

    def announce(self, event: str, data: Json) -> None:
        """Tell the bot what happened in the guild."""
        self.world.events.dispatch(event, {**data, "guild_id": str(self.id)}, guild_id=self.id)

    def announce_update(self) -> None:
        """Tell the bot that the guild itself changed."""
        self.world.events.dispatch("GUILD_UPDATE", self.json(), guild_id=self.id)

    def json(self) -> Json:
        """Return the guild object, without what only GUILD_CREATE has."""
        afk, system = self.afk_channel, self.system_channel
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "banner": None,
            "description": None,
            "owner_id": str(self.owner.user.id),
            "region": "deprecated",
            "afk_channel_id": str(afk.id) if afk else None,
            "afk_timeout": 300,
            "system_channel_id": str(system.id) if system else None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": "en-US",
            "features": [],
            "vanity_url_code": None,
            "roles": [role.json() for role in self.roles.values()],
            "emojis": [emoji_json(key, name) for key, name in self.emojis.items()],
            "stickers": [],
        }

    def create_json(self, *, all_members: bool) -> Json:
        """Return what GUILD_CREATE has; without presences that is only the bot and who talks."""
        seen = self.members.values() if all_members else self._bot_and_talkers()
        return {
            **self.json(),
            "joined_at": self.me.joined_at,
            "large": len(self.members) > 250,
            "unavailable": False,
            "member_count": len(self.members),
            "channels": [channel.json() for channel in self.channels.values()],
            "members": [member.json() for member in seen],
            "voice_states": [s.json(within_guild=True) for s in self.voice_states.values()],
            "threads": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def _bot_and_talkers(self) -> list[Member]:
        talking = [state.member for state in self.voice_states.values()]
        return list({member.user.id: member for member in (self.me, *talking)}.values())

    def _new_member(self, user: User, roles: tuple[Role, ...]) -> Member:
        member = Member(self, user, list(roles), joined_at=iso(wall_time_of(user.id)))
        self.members[user.id] = member
        return member

    def _place(self, name: str) -> "tuple[World, int, str]":
        return self.world, self.world.ids.settled(), name

    def _added[C: GuildChannel](self, channel: C, parent: Category | None) -> C:
        channel.position = len(self.channels)
        channel.parent_id = parent.id if parent else None
        self.channels[channel.id] = channel
        self.world.channels[channel.id] = channel
        channel.announce("CHANNEL_CREATE")
        return channel


def emoji_json(emoji_id: int, name: str) -> Json:
    """Return a custom emoji."""
    return {
        "id": str(emoji_id),
        "name": name,
        "roles": [],
        "require_colons": True,
        "managed": False,
        "animated": False,
        "available": True,
    }


def _rank(role: Role) -> tuple[int, int]:
    return role.rank
