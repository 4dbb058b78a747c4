"""Everything that exists on the simulator, by id; the one place where the other parts meet."""

from typing import TYPE_CHECKING, Protocol

from tests.simulator.application import Application
from tests.simulator.attachments import Cdn
from tests.simulator.board import Board
from tests.simulator.calls import Calls
from tests.simulator.channel import Channel, DirectChannel, GuildChannel, VoiceChannel
from tests.simulator.clock import Clock
from tests.simulator.errors import (
    CannotMessageUser,
    Json,
    MissingAccess,
    MissingPermissions,
    UnknownChannel,
    UnknownGuild,
    UnknownMember,
    UnknownMessage,
)
from tests.simulator.faults import Faults
from tests.simulator.feed import Feed
from tests.simulator.interactions.invoking import Invoking
from tests.simulator.interactions.registry import Interactions
from tests.simulator.member import Member
from tests.simulator.message import SimMessage
from tests.simulator.people import User, Webhook
from tests.simulator.permissions import Permission
from tests.simulator.snowflake import Snowflakes

if TYPE_CHECKING:
    from tests.simulator.guild import Guild


class Events(Protocol):
    """Carries what happens to the bot's gateway connections."""

    def dispatch(
        self, event: str, data: Json, *, guild_id: int | None = None, always: bool = False
    ) -> None:
        """Send an event to the shard of the guild, if its intents ask for it (or `always`)."""

    def dispatch_message(self, event: str, message: SimMessage) -> None:
        """Send a message event, without its content where the bot may not read it."""

    def announce_guild(self, guild: "Guild") -> None:
        """Send GUILD_CREATE."""


class World:
    """The state of the simulated Discord, with look-ups that raise the API's errors."""

    def __init__(self, application_name: str) -> None:
        self.clock = Clock()
        self.ids = Snowflakes(self.clock)
        self.faults = Faults()
        self.users: dict[int, User] = {}
        self.application = Application(self.new_user(application_name, bot=True), self.clock)
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, SimMessage] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.cdn = Cdn(self.clock, self.ids)
        self.board = Board(self)
        self.calls = Calls(self)
        self.interactions = Interactions(self)
        self.invoking = Invoking(self)
        self.events: Events
        self.gateway_url = ""
        self.defects: list[Exception] = []
        """Failures of the simulator itself."""
        self._direct: dict[int, DirectChannel] = {}
        self._inboxes: dict[int, Feed] = {}
        self._left: set[int] = set()
        """Ids of guilds that the bot was taken out of, and of their channels."""

    # ── people ──────────────────────────────────────────────────────────────

    def new_user(self, name: str, *, bot: bool = False) -> User:
        """Register an account."""
        user = User(self.ids.settled(), name.lower().replace(" ", "_"), name, bot=bot)
        self.users[user.id] = user
        return user

    def inbox(self, user: User) -> Feed:
        """Return what only this user sees."""
        if user.id not in self._inboxes:
            self._inboxes[user.id] = Feed(f"what only {user} sees", self.clock)
        return self._inboxes[user.id]

    def direct_channel(self, user: User) -> DirectChannel:
        """Return the user's conversation with the bot; it is opened when it is first asked for."""
        channel = self._direct.get(user.id)
        if channel is None:
            channel = DirectChannel(self, self.ids.settled(), user)
            self._direct[user.id] = channel
            self.channels[channel.id] = channel
        return channel

    @property
    def bot(self) -> User:
        """The bot's account."""
        return self.application.user

    # ── look-ups as the bot ─────────────────────────────────────────────────

    def guild(self, guild_id: int) -> "Guild":
        """Return a guild that the bot is in."""
        guild = self.guilds.get(guild_id)
        if guild is None:
            raise MissingAccess if guild_id in self._left else UnknownGuild
        return guild

    def member(self, guild: "Guild", user_id: int) -> Member:
        """Return a member of a guild."""
        member = guild.members.get(user_id)
        if member is None:
            raise UnknownMember
        return member

    def channel(self, channel_id: int, *permissions: Permission) -> Channel:
        """Return a channel in which the bot has permissions.

        Raises:
            ApiError: 10003, 50001 where the bot does not see it, 50013 where it may not do that.
        """
        channel = self.channels.get(channel_id)
        if channel is None:
            raise MissingAccess if channel_id in self._left else UnknownChannel
        allowed = self.allowed(channel)
        if not allowed & Permission.VIEW_CHANNEL:
            raise MissingAccess
        if isinstance(channel, VoiceChannel) and not allowed & Permission.CONNECT:
            raise MissingAccess
        if any(not allowed & permission for permission in permissions):
            raise MissingPermissions
        return channel

    def allowed(self, channel: Channel) -> Permission:
        """Return what the bot may do in a channel."""
        if isinstance(channel, GuildChannel):
            return channel.guild.me.permissions_in(channel)
        if isinstance(channel, DirectChannel) and not channel.recipient.accepts_direct_messages:
            raise CannotMessageUser
        return ~(Permission.MANAGE_MESSAGES | Permission.MENTION_EVERYONE)

    def message(self, channel: Channel, message_id: int) -> SimMessage:
        """Return a message of a channel that everybody there sees."""
        message = self.messages.get(message_id)
        if (
            message is None
            or message.deleted
            or message.channel is not channel
            or message.ephemeral
        ):
            raise UnknownMessage
        return message

    def knows_emoji(self, emoji_id: int) -> bool:
        """Tell whether a custom emoji exists."""
        return any(emoji_id in guild.emojis for guild in self.guilds.values())

    # ── endings ─────────────────────────────────────────────────────────────

    def delete_channel(self, channel: GuildChannel) -> None:
        """Delete a channel; calls in it end."""
        if isinstance(channel, VoiceChannel):
            self.calls.channel_deleted(channel)
        del self.channels[channel.id]
        channel.guild.channels.pop(channel.id, None)
        for message in channel.feed.messages:
            message.deleted = True
            message.news.ring()
        channel.announce("CHANNEL_DELETE")

    def remove_guild(self, guild: "Guild") -> None:
        """Take the bot out of a guild."""
        self.calls.leave(guild.me)
        self.events.dispatch("GUILD_DELETE", {"id": str(guild.id)}, guild_id=guild.id)
        self.guilds.pop(guild.id, None)
        self._left.add(guild.id)
        for channel in guild.channels.values():
            self._left.add(channel.id)
            self.channels.pop(channel.id, None)
