"""Who may do what, and where (Discord, "Permissions")."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag
from functools import lru_cache


class Permission(IntFlag):
    """The permission bits that the simulator looks at."""

    CREATE_INVITE = 1 << 0
    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_AUDIT_LOG = 1 << 7
    PRIORITY_SPEAKER = 1 << 8
    STREAM = 1 << 9
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    SEND_TTS = 1 << 12
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    CONNECT = 1 << 20
    SPEAK = 1 << 21
    MUTE_MEMBERS = 1 << 22
    DEAFEN_MEMBERS = 1 << 23
    MOVE_MEMBERS = 1 << 24
    USE_VAD = 1 << 25
    CHANGE_NICKNAME = 1 << 26
    MANAGE_NICKNAMES = 1 << 27
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    REQUEST_TO_SPEAK = 1 << 32
    MANAGE_THREADS = 1 << 34
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40
    SET_VOICE_CHANNEL_STATUS = 1 << 48
    PIN_MESSAGES = 1 << 51
    BYPASS_SLOWMODE = 1 << 52


P = Permission
"""Short, because rules name several in a line."""

EVERYTHING = Permission(0)
for _permission in Permission:
    EVERYTHING |= _permission

EVERYONE = (
    P.VIEW_CHANNEL
    | P.SEND_MESSAGES
    | P.EMBED_LINKS
    | P.ATTACH_FILES
    | P.READ_MESSAGE_HISTORY
    | P.ADD_REACTIONS
    | P.USE_EXTERNAL_EMOJIS
    | P.CONNECT
    | P.SPEAK
    | P.STREAM
    | P.USE_VAD
    | P.CHANGE_NICKNAME
    | P.CREATE_INVITE
    | P.USE_APPLICATION_COMMANDS
    | P.REQUEST_TO_SPEAK
    | P.SEND_MESSAGES_IN_THREADS
)
"""What @everyone may do in a new guild."""

BOT = (
    EVERYONE
    | P.MANAGE_MESSAGES
    | P.MOVE_MEMBERS
    | P.MANAGE_NICKNAMES
    | P.PIN_MESSAGES
    | P.SET_VOICE_CHANNEL_STATUS
)
"""What the bot's own role gives it when a host follows its invite link."""

_WITHOUT_SENDING = P.MENTION_EVERYONE | P.SEND_TTS | P.ATTACH_FILES | P.EMBED_LINKS
_VOICE = (
    P.SPEAK
    | P.STREAM
    | P.MUTE_MEMBERS
    | P.DEAFEN_MEMBERS
    | P.MOVE_MEMBERS
    | P.USE_VAD
    | P.PRIORITY_SPEAKER
)
TIMED_OUT = P.VIEW_CHANNEL | P.READ_MESSAGE_HISTORY
"""All that is left to a member who is timed out."""


@dataclass
class Overwrite:
    """What a channel changes for a role (kind 0) or a member (kind 1)."""

    target_id: int
    kind: int
    allow: Permission
    deny: Permission


def in_channel(
    base: Permission,
    overwrites: Iterable[Overwrite],
    *,
    everyone_id: int,
    role_ids: Iterable[int],
    user_id: int,
) -> Permission:
    """Apply a channel's overwrites to what a member may do in the guild."""
    if base & P.ADMINISTRATOR:
        return EVERYTHING
    by_target = {overwrite.target_id: overwrite for overwrite in overwrites}
    permissions = base
    if (everyone := by_target.get(everyone_id)) is not None:
        permissions = (permissions & ~everyone.deny) | everyone.allow
    allowed, denied = Permission(0), Permission(0)
    for role_id in role_ids:
        if role_id != everyone_id and (found := by_target.get(role_id)) is not None:
            allowed |= found.allow
            denied |= found.deny
    permissions = (permissions & ~denied) | allowed
    if (own := by_target.get(user_id)) is not None:
        permissions = (permissions & ~own.deny) | own.allow
    return _with_consequences(permissions)


@lru_cache(maxsize=1024)
def _with_consequences(permissions: Permission) -> Permission:
    """Take away what cannot be used without a permission that is missing."""
    if not permissions & P.VIEW_CHANNEL:
        return Permission(0)
    if not permissions & P.SEND_MESSAGES:
        permissions &= ~_WITHOUT_SENDING
    if not permissions & P.CONNECT:
        permissions &= ~_VOICE
    return permissions
