"""Users, roles and webhooks: who writes, and what ranks there are."""

from dataclasses import dataclass, field

from tests.simulator.errors import Json
from tests.simulator.permissions import Permission


@dataclass(eq=False)
class User:
    """An account."""

    id: int
    username: str
    display_name: str | None = None
    bot: bool = False
    accepts_direct_messages: bool = True

    @property
    def mention(self) -> str:
        """The text that mentions this user."""
        return f"<@{self.id}>"

    def __repr__(self) -> str:
        return self.username

    def json(self) -> Json:
        """Return the user object."""
        return {
            "id": str(self.id),
            "username": self.username,
            "discriminator": "0",
            "global_name": self.display_name,
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
            "flags": 0,
        }


@dataclass(eq=False)
class Webhook:
    """Somebody who writes into one channel by a token alone."""

    id: int
    guild_id: int
    channel_id: int
    name: str
    token: str
    creator: User

    def author_json(self, *, username: str | None = None) -> Json:
        """Return the author of its messages."""
        return {
            "id": str(self.id),
            "username": username or self.name,
            "discriminator": "0000",
            "avatar": None,
            "bot": True,
            "global_name": None,
        }

    def json(self) -> Json:
        """Return the webhook object."""
        return {
            "id": str(self.id),
            "type": 1,
            "guild_id": str(self.guild_id),
            "channel_id": str(self.channel_id),
            "name": self.name,
            "avatar": None,
            "token": self.token,
            "application_id": None,
            "user": self.creator.json(),
        }


@dataclass(eq=False)
class Role:
    """A rank in a guild; @everyone has the guild's id and position 0."""

    id: int
    name: str
    position: int
    permissions: Permission
    mentionable: bool = False
    managed: bool = False
    color: int = 0
    hoist: bool = False
    tags: Json = field(default_factory=dict)

    @property
    def mention(self) -> str:
        """The text that mentions this role."""
        return f"<@&{self.id}>"

    @property
    def rank(self) -> tuple[int, int]:
        """What hierarchy is decided by: position, and between equals the older role is higher."""
        return (self.position, -self.id)

    def json(self) -> Json:
        """Return the role object."""
        return {
            "id": str(self.id),
            "name": self.name,
            "position": self.position,
            "permissions": str(int(self.permissions)),
            "mentionable": self.mentionable,
            "managed": self.managed,
            "color": self.color,
            "colors": {
                "primary_color": self.color,
                "secondary_color": None,
                "tertiary_color": None,
            },
            "hoist": self.hoist,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
            **({"tags": self.tags} if self.tags else {}),
        }
