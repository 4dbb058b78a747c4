"""The message object as the API and the gateway show it."""

from tests.simulator.board import reaction_emoji_json
from tests.simulator.channel import DirectChannel, GuildChannel
from tests.simulator.clock import iso
from tests.simulator.errors import Json
from tests.simulator.message import SimMessage
from tests.simulator.people import User
from tests.simulator.snowflake import wall_time_of

_HIDDEN: Json = {"content": "", "embeds": [], "attachments": [], "components": []}
_WITH_TARGET = frozenset({19, 23})


def message_json(message: SimMessage, viewer: User, *, reads_content: bool = True) -> Json:
    """Return a message as `viewer` (the bot) gets it.

    Without `reads_content` (the privileged intent) only own messages, direct ones and those that
    mention the viewer show what was written.
    """
    data: Json = {
        "id": str(message.id),
        "type": message.type,
        "channel_id": str(message.channel.id),
        "author": message.author_json,
        "content": message.content,
        "embeds": message.embeds,
        "attachments": message.attachments,
        "components": message.components,
        "timestamp": iso(wall_time_of(message.id)),
        "edited_timestamp": message.edited,
        "tts": message.tts,
        "mention_everyone": message.mentions_everyone,
        "mentions": [user.json() for user in message.mentioned_users],
        "mention_roles": [str(role_id) for role_id in message.mentioned_roles],
        "pinned": message.pinned,
        "flags": message.flags,
    }
    if message.nonce is not None:
        data["nonce"] = message.nonce
    if message.webhook_id is not None:
        data["webhook_id"] = str(message.webhook_id)
    if message.application_id is not None:
        data["application_id"] = str(message.application_id)
    if message.interaction_metadata is not None:
        data["interaction_metadata"] = message.interaction_metadata
    if message.reactions:
        data["reactions"] = [_reaction(message, emoji, viewer) for emoji in message.reactions]
    if message.reference is not None:
        data["message_reference"] = message.reference
        _add_target(data, message, viewer, reads_content=reads_content)
    if not reads_content and not readable(message, viewer):
        data.update(_HIDDEN)
    return data


def event_json(message: SimMessage, viewer: User, *, reads_content: bool) -> Json:
    """Return what MESSAGE_CREATE and MESSAGE_UPDATE have; ephemeral messages name no guild."""
    data = message_json(message, viewer, reads_content=reads_content)
    channel = message.channel
    if message.ephemeral:
        return data
    if isinstance(channel, GuildChannel):
        data["guild_id"] = str(channel.guild.id)
        author = channel.guild.members.get(message.author.id)
        if author is not None and "webhook_id" not in data:
            data["member"] = author.json(with_user=False)
        for mention in data["mentions"]:
            mentioned = channel.guild.members.get(int(mention["id"]))
            if mentioned is not None:
                mention["member"] = mentioned.json(with_user=False)
    return data


def readable(message: SimMessage, viewer: User) -> bool:
    """Tell whether a message is readable without the privileged intent."""
    return (
        message.author is viewer
        or viewer in message.mentioned_users
        or isinstance(message.channel, DirectChannel)
    )


def _add_target(data: Json, message: SimMessage, viewer: User, *, reads_content: bool) -> None:
    target = message.replied_to
    if target is None or message.type not in _WITH_TARGET:
        return
    if target.deleted:
        data["referenced_message"] = None
    else:
        shown = message_json(target, viewer, reads_content=reads_content)
        shown.pop("referenced_message", None)
        data["referenced_message"] = shown


def _reaction(message: SimMessage, emoji: str, viewer: User) -> Json:
    users = message.reactions[emoji]
    return {
        "emoji": reaction_emoji_json(emoji),
        "count": len(users),
        "count_details": {"normal": len(users), "burst": 0},
        "me": viewer in users,
        "me_burst": False,
        "burst_colors": [],
    }
