"""Posts, edits and deletes messages, and tells everybody who should know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulator.attachments import Upload
from tests.simulator.channel import Channel, GuildChannel
from tests.simulator.errors import Json
from tests.simulator.mentions import EVERY_KIND, AllowedMentions, Mentions, find_mentions
from tests.simulator.message import LOADING, SimMessage
from tests.simulator.people import User
from tests.simulator.permissions import EVERYTHING, Permission
from tests.simulator.validation.messages import Changes, Draft

if TYPE_CHECKING:
    from tests.simulator.member import Member
    from tests.simulator.world import World

_REPLY = 19


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who posts a message, and on what behalf."""

    user: User
    author_json: Json | None = None
    type: int = 0
    webhook_id: int | None = None
    application_id: int | None = None
    interaction_id: int | None = None
    interaction_metadata: Json | None = None
    only_for: User | None = None
    flags: int = 0
    default_mentions: AllowedMentions = EVERY_KIND
    rights: Permission = EVERYTHING


class Board:
    """Where messages are written."""

    def __init__(self, world: "World") -> None:
        self._world = world

    # ── posting ─────────────────────────────────────────────────────────────

    def say(
        self,
        member: "Member",
        channel: Channel,
        text: str,
        *,
        uploads: Sequence[Upload],
        reply_to: SimMessage | None,
    ) -> SimMessage:
        """Post what a member typed."""
        sender = Sender(user=member.user, rights=member.permissions_in(channel))
        return self.post(
            channel, Draft(content=text, uploads=list(uploads)), sender, replied_to=reply_to
        )

    def post(
        self,
        channel: Channel,
        draft: Draft,
        sender: Sender,
        *,
        replied_to: SimMessage | None = None,
    ) -> SimMessage:
        """Put a message into a channel, or into the one inbox that it is meant for."""
        world = self._world
        message = SimMessage(
            id=world.ids.new(),
            channel=channel,
            author=sender.user,
            author_json=sender.author_json or sender.user.json(),
            type=_REPLY if replied_to is not None and not sender.type else sender.type,
            sent_at=world.clock.monotonic(),
            content=draft.content,
            embeds=draft.embeds,
            components=draft.components,
            flags=draft.flags | sender.flags,
            tts=draft.tts,
            nonce=draft.nonce,
            webhook_id=sender.webhook_id,
            application_id=sender.application_id,
            interaction_id=sender.interaction_id,
            interaction_metadata=sender.interaction_metadata,
            only_for=sender.only_for,
        )
        message.attachments = [world.cdn.store(channel.id, file) for file in draft.uploads]
        if replied_to is not None:
            self._refer(message, replied_to)
        mentions = self._mention(message, draft.allowed or sender.default_mentions, sender.rights)
        pinged = mentions.pinged - {sender.user}
        message.pinged_users = set(
            pinged if message.only_for is None else {message.only_for} & pinged
        )
        message.note_version(message.sent_at)
        world.messages[message.id] = message
        self._deliver(message)
        return message

    def _deliver(self, message: SimMessage) -> None:
        if message.only_for is not None:
            self._world.inbox(message.only_for).add(message)
        else:
            message.channel.last_message_id = message.id
            message.channel.feed.add(message)
            recipient = getattr(message.channel, "recipient", None)
            if recipient is not None:
                self._world.inbox(recipient).add(message)
        self._world.events.dispatch_message("MESSAGE_CREATE", message)

    def _refer(self, message: SimMessage, target: SimMessage) -> None:
        message.replied_to = target
        reference = {"type": 0, "message_id": str(target.id), "channel_id": str(target.channel.id)}
        guild = target.channel.guild_or_none
        message.reference = reference | ({"guild_id": str(guild.id)} if guild else {})

    def _mention(
        self, message: SimMessage, allowed: AllowedMentions, rights: Permission
    ) -> Mentions:
        replied = message.replied_to if message.type == _REPLY else None
        mentions = find_mentions(
            self._world,
            message.channel,
            message.content,
            allowed,
            author=rights,
            replied_to=replied.author if replied is not None and not message.webhook_id else None,
        )
        message.mentioned_users = list(mentions.users)
        message.mentioned_roles = list(mentions.roles)
        message.mentions_everyone = mentions.everyone
        return mentions

    # ── changing ────────────────────────────────────────────────────────────

    def edit(
        self,
        message: SimMessage,
        changes: Changes,
        *,
        default_mentions: AllowedMentions = EVERY_KIND,
        rights: Permission = EVERYTHING,
    ) -> None:
        """Change a message; nobody is pinged by that."""
        loading = message.loading
        if changes.content is not None:
            message.content = changes.content
            self._mention(message, changes.allowed or default_mentions, rights)
        if changes.embeds is not None:
            message.embeds = changes.embeds
        if changes.components is not None:
            message.components = changes.components
        if changes.flags is not None:
            message.flags = changes.flags
        if changes.keep_attachments is not None:
            kept = {str(number) for number in changes.keep_attachments}
            message.attachments = [file for file in message.attachments if file["id"] in kept]
        stored = [self._world.cdn.store(message.channel.id, file) for file in changes.uploads]
        message.attachments = [*message.attachments, *stored]
        message.flags &= ~LOADING
        if not loading:
            message.edited = self._world.clock.iso()
        self._note(message)

    def fill(self, message: SimMessage, draft: Draft) -> None:
        """Turn a loading message into what was drafted."""
        self.edit(
            message,
            Changes(
                content=draft.content,
                embeds=draft.embeds,
                components=draft.components,
                uploads=draft.uploads,
                flags=message.flags | draft.flags,
                allowed=draft.allowed,
            ),
        )

    def rewrite(self, message: SimMessage, *, content: str) -> None:
        """Change the words of a member's message."""
        message.content = content
        message.edited = self._world.clock.iso()
        self._mention(message, EVERY_KIND, EVERYTHING)
        self._note(message)

    def _note(self, message: SimMessage) -> None:
        message.note_version(self._world.clock.monotonic())
        self._ring(message)
        self._world.events.dispatch_message("MESSAGE_UPDATE", message)

    def _ring(self, message: SimMessage) -> None:
        message.news.ring()
        if message.only_for is not None:
            self._world.inbox(message.only_for).news.ring()
        else:
            message.channel.feed.news.ring()

    # ── deleting ────────────────────────────────────────────────────────────

    def delete(self, messages: list[SimMessage], *, bulk: bool = False) -> None:
        """Delete messages of one channel; `bulk` tells of all in one event."""
        for message in messages:
            message.deleted = True
            message.deleted_at = self._world.clock.monotonic()
            self._ring(message)
        if not messages:
            return
        where = self._where(messages[0].channel)
        if bulk:
            data = {"ids": [str(message.id) for message in messages], **where}
            self._dispatch(messages[0].channel, "MESSAGE_DELETE_BULK", data)
            return
        for message in messages:
            if message.ephemeral:
                where = {"channel_id": str(message.channel.id)}
            self._dispatch(message.channel, "MESSAGE_DELETE", {"id": str(message.id), **where})

    # ── reactions ───────────────────────────────────────────────────────────

    def react(self, message: SimMessage, emoji: str, user: User) -> None:
        """Add a reaction; the second time is no event."""
        users = message.reactions.setdefault(emoji, [])
        if user in users:
            return
        users.append(user)
        self._reaction_event("MESSAGE_REACTION_ADD", message, emoji, user)

    def unreact(self, message: SimMessage, emoji: str, user: User) -> None:
        """Take a reaction back."""
        users = message.reactions.get(emoji, [])
        if user not in users:
            return
        users.remove(user)
        if not users:
            del message.reactions[emoji]
        self._reaction_event("MESSAGE_REACTION_REMOVE", message, emoji, user)

    def clear_reactions(self, message: SimMessage, emoji: str | None = None) -> None:
        """Take away all reactions, or all with one emoji."""
        where = {"message_id": str(message.id), **self._where(message.channel)}
        if emoji is None:
            message.reactions.clear()
            self._dispatch(message.channel, "MESSAGE_REACTION_REMOVE_ALL", where)
        elif message.reactions.pop(emoji, None) is not None:
            data = {**where, "emoji": reaction_emoji_json(emoji)}
            self._dispatch(message.channel, "MESSAGE_REACTION_REMOVE_EMOJI", data)
        self._ring(message)

    def _reaction_event(self, event: str, message: SimMessage, emoji: str, user: User) -> None:
        data: Json = {
            "user_id": str(user.id),
            "message_id": str(message.id),
            "emoji": reaction_emoji_json(emoji),
            "burst": False,
            "type": 0,
            **self._where(message.channel),
        }
        channel = message.channel
        if event.endswith("ADD"):
            data["message_author_id"] = str(message.author.id)
            if isinstance(channel, GuildChannel) and user.id in channel.guild.members:
                data["member"] = channel.guild.members[user.id].json()
        self._dispatch(channel, event, data)
        self._ring(message)

    # ── own ─────────────────────────────────────────────────────────────────

    def pings_of(self, user: User) -> list[SimMessage]:
        """Return the messages that pinged a user."""
        return [m for m in self._world.messages.values() if user in m.pinged_users]

    def _where(self, channel: Channel) -> Json:
        guild = channel.guild_or_none
        where: Json = {"channel_id": str(channel.id)}
        return where | ({"guild_id": str(guild.id)} if guild else {})

    def _dispatch(self, channel: Channel, event: str, data: Json) -> None:
        guild = channel.guild_or_none
        self._world.events.dispatch(event, data, guild_id=guild.id if guild else None)


def reaction_emoji_json(emoji: str) -> Json:
    """Return the emoji of a reaction; a custom one is written name:id."""
    name, _, emoji_id = emoji.partition(":")
    return {"id": emoji_id or None, "name": name}
