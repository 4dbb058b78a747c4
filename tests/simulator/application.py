"""The bot's application at Discord: its token, what the portal allows it, its commands."""

import base64
import secrets
from dataclasses import dataclass, field

from tests.simulator.clock import Clock
from tests.simulator.errors import Json
from tests.simulator.news import News
from tests.simulator.people import User

GUILD_MEMBERS, GUILD_PRESENCES, MESSAGE_CONTENT = 1 << 1, 1 << 8, 1 << 15
PRIVILEGED = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT
_LIMITED_FLAGS = {GUILD_PRESENCES: 1 << 13, GUILD_MEMBERS: 1 << 15, MESSAGE_CONTENT: 1 << 19}


@dataclass
class SessionStartLimit:
    """How often a bot may identify (Discord, "Session Start Limit Object")."""

    total: int = 1000
    remaining: int = 1000
    max_concurrency: int = 1


class Application:
    """One application, whose bot user has the same id."""

    def __init__(self, user: User, clock: Clock) -> None:
        self.user = user
        self.id = user.id
        self._clock = clock
        head = base64.urlsafe_b64encode(str(user.id).encode()).decode().rstrip("=")
        self.token = f"{head}.{secrets.token_urlsafe(4)[:6]}.{secrets.token_urlsafe(28)[:38]}"
        self.privileged_intents = PRIVILEGED
        """What is switched on in the portal."""
        self.shards = 1
        """The number of shards that GET /gateway/bot recommends."""
        self.session_starts = SessionStartLimit()
        self.interactions_endpoint_url: str | None = None
        self.commands: dict[int | None, dict[int, Command]] = {}
        """By guild id (None: global) and by command id."""
        self.news = News()
        """Rings when commands were registered."""
        self.command_creates: dict[int | None, list[float]] = {}

    @property
    def reads_content(self) -> bool:
        """Whether the portal lets the bot read what members write."""
        return bool(self.privileged_intents & MESSAGE_CONTENT)

    @property
    def lists_members(self) -> bool:
        """Whether the portal lets the bot read member lists."""
        return bool(self.privileged_intents & GUILD_MEMBERS)

    @property
    def flags(self) -> int:
        """The flags that show which privileged intents are on."""
        return sum(
            flag for intent, flag in _LIMITED_FLAGS.items() if self.privileged_intents & intent
        )

    def json(self) -> Json:
        """Return the application object."""
        return {
            "id": str(self.id),
            "name": self.user.display_name,
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "bot": self.user.json(),
            "verify_key": "0" * 64,
            "flags": self.flags,
            "owner": {**self.user.json(), "bot": False},
            "team": None,
            "rpc_origins": [],
            "summary": "",
            "interactions_endpoint_url": self.interactions_endpoint_url,
            "redirect_uris": [],
            "approximate_guild_count": 0,
        }

    def in_scope(self, guild_id: int | None) -> "dict[int, Command]":
        """Return the commands that are registered globally (None) or for a guild."""
        return self.commands.setdefault(guild_id, {})

    def usable_in(self, guild_id: int | None) -> "list[Command]":
        """Return the commands that a member can use; a guild's own come first."""
        own = list(self.in_scope(guild_id).values()) if guild_id is not None else []
        return [*own, *self.in_scope(None).values()]


@dataclass
class Command:
    """A registered application command."""

    id: int
    version: int
    guild_id: int | None
    body: Json = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.body["name"])

    @property
    def type(self) -> int:
        """1 slash, 2 user menu, 3 message menu."""
        return int(self.body["type"])

    def json(self, application_id: int) -> Json:
        """Return the application command object."""
        guild = {} if self.guild_id is None else {"guild_id": str(self.guild_id)}
        return {
            "id": str(self.id),
            "application_id": str(application_id),
            **guild,
            "version": str(self.version),
            **self.body,
        }
