"""Who is mentioned by a text, and who of them is pinged (Discord, "Allowed Mentions")."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulator.channel import GuildChannel
from tests.simulator.form import Form
from tests.simulator.people import User
from tests.simulator.permissions import Permission

if TYPE_CHECKING:
    from tests.simulator.channel import Channel
    from tests.simulator.guild import Guild
    from tests.simulator.world import World

_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(everyone|here)\b")
_CODE = re.compile(r"```.*?```|``[^`].*?``|`[^`]+`", re.DOTALL)

_KINDS = ("roles", "users", "everyone")


@dataclass(frozen=True)
class AllowedMentions:
    """What a text may ping: whole kinds, or certain ids."""

    kinds: frozenset[str]
    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()
    replied_user: bool = True


EVERY_KIND = AllowedMentions(frozenset(_KINDS))
USERS_ONLY = AllowedMentions(frozenset({"users"}))
"""The default for answers to interactions."""


@dataclass(frozen=True)
class Mentions:
    """Whom a message mentions, and who is told so."""

    users: tuple[User, ...]
    roles: tuple[int, ...]
    everyone: bool
    pinged: frozenset[User]


def read_allowed_mentions(form: Form) -> AllowedMentions | None:
    """Read the field `allowed_mentions`; None where it is absent."""
    field = form.form("allowed_mentions")
    if field is None:
        return None
    kinds = field.strings("parse", _KINDS) or []
    users, roles = field.snowflakes("users"), field.snowflakes("roles")
    for kind, ids in (("users", users), ("roles", roles)):
        if ids and kind in kinds:
            form.complain(
                ("allowed_mentions",),
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
            )
    return AllowedMentions(
        frozenset(str(kind) for kind in kinds),
        frozenset(users or ()),
        frozenset(roles or ()),
        replied_user=bool(field.boolean("replied_user")),
    )


def find_mentions(
    world: "World",
    channel: "Channel",
    content: str,
    allowed: AllowedMentions,
    *,
    author: Permission,
    replied_to: User | None = None,
) -> Mentions:
    """Work out whom a text mentions and pings.

    `author` is what its author may do in the channel: @everyone and roles that are not mentionable
    need MENTION_EVERYONE. Nothing inside code is a mention.
    """
    text = _CODE.sub(" ", content)
    users = [
        user
        for user_id in dict.fromkeys(map(int, _USER.findall(text)))
        if (user := world.users.get(user_id)) is not None
        and ("users" in allowed.kinds or user_id in allowed.users)
    ]
    if replied_to is not None and allowed.replied_user and replied_to not in users:
        users.append(replied_to)
    guild = channel.guild if isinstance(channel, GuildChannel) else None
    if guild is None:
        return Mentions(tuple(users), (), everyone=False, pinged=frozenset(users))
    may_ping_all = bool(author & Permission.MENTION_EVERYONE)
    roles = _roles(guild, text, allowed, may_ping_all=may_ping_all)
    everyone = may_ping_all and "everyone" in allowed.kinds and _EVERYONE.search(text) is not None
    pinged = (
        {
            member.user
            for member in guild.members.values()
            if everyone or member.user in users or any(role.id in roles for role in member.roles)
            if member.permissions_in(channel) & Permission.VIEW_CHANNEL
        }
        if (users or roles or everyone)
        else set()
    )
    return Mentions(tuple(users), tuple(roles), everyone=everyone, pinged=frozenset(pinged))


def _roles(guild: "Guild", text: str, allowed: AllowedMentions, *, may_ping_all: bool) -> list[int]:
    return [
        role_id
        for role_id in dict.fromkeys(map(int, _ROLE.findall(text)))
        if role_id in guild.roles
        and ("roles" in allowed.kinds or role_id in allowed.roles)
        and (guild.roles[role_id].mentionable or may_ping_all)
    ]
