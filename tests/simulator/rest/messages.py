"""Messages in channels: send, edit, delete, read, pin (Discord, "Message Resource")."""

from tests.simulator.board import Sender
from tests.simulator.channel import WITH_TEXT, Channel, DirectChannel
from tests.simulator.errors import (
    Json,
    MessagesTooOld,
    MissingPermissions,
    NoHistoryToReply,
    NotATextChannel,
    NotTheAuthor,
    SystemMessage,
    TooManyPins,
    WrongBulkDeleteCount,
    WrongChannelForDM,
)
from tests.simulator.form import Form
from tests.simulator.message import SUPPRESS_EMBEDS, SimMessage
from tests.simulator.message_json import message_json
from tests.simulator.permissions import P
from tests.simulator.rest.call import NO_CONTENT, Answer, Call
from tests.simulator.rest.rate_limits import Limit
from tests.simulator.rest.router import RouteTable
from tests.simulator.snowflake import wall_time_of
from tests.simulator.validation.messages import Changes, Draft, read_changes, read_draft

routes = RouteTable()

_SYSTEM_TYPES = frozenset({1, 2, 3, 4, 5, 21})
_FORTNIGHT = 14 * 86_400
_HOUR = 3600.0
_NONCE_SECONDS = 300.0
_MOST_PINS = 250


def _delete_limits(call: Call) -> tuple[Limit, ...]:
    age = call.world.clock.wall() - wall_time_of(call.id("message_id"))
    if age < 10:
        return (Limit("delete fresh", 5, 1.0),)
    if age < _FORTNIGHT:
        return (Limit("delete", 3, 0.333),)
    return (Limit("delete old", 30, 4.0),)


def _edit_limits(call: Call) -> tuple[Limit, ...]:
    age = call.world.clock.wall() - wall_time_of(call.id("message_id"))
    limit = Limit("edit", 5, 5.0)
    return (limit, Limit("edit old", 3, 30.0, hidden=True, code=30046)) if age > _HOUR else (limit,)


@routes.add("POST", "/channels/{channel_id}/messages", Limit("send", 5, 5.0))
def send(call: Call) -> Answer:
    channel = _text_channel(call, P.SEND_MESSAGES)
    draft = read_draft(call.form, call.uploads, call.world.knows_emoji)
    allowed = call.world.allowed(channel)
    _must_embed_and_attach(draft, allowed)
    replied_to = _target(call, channel, draft)
    again = _same_nonce(call, channel, draft)
    if again is None:
        sender = Sender(user=call.world.bot, rights=allowed)
        again = call.world.board.post(channel, draft, sender, replied_to=replied_to)
    return Answer(200, show(call, again))


@routes.add(
    "PATCH",
    "/channels/{channel_id}/messages/{message_id}",
    limits_by=_edit_limits,
)
def edit(call: Call) -> Answer:
    channel = _text_channel(call)
    message = call.world.message(channel, call.id("message_id"))
    allowed = call.world.allowed(channel)
    form = call.form
    if message.author is not call.world.bot:
        _edit_of_others(call, form, message, allowed)
    else:
        changes = read_changes(form, call.uploads, call.world.knows_emoji, message)
        call.world.board.edit(message, changes, rights=allowed)
    return Answer(200, show(call, message))


@routes.add("GET", "/channels/{channel_id}/messages/{message_id}")
def get(call: Call) -> Answer:
    channel = _text_channel(call, P.READ_MESSAGE_HISTORY)
    return Answer(200, show(call, call.world.message(channel, call.id("message_id"))))


@routes.add("GET", "/channels/{channel_id}/messages", Limit("history", 5, 1.0))
def history(call: Call) -> Answer:
    channel = _text_channel(call)
    query = Form(dict(call.query))
    limit = query.integer("limit", least=1, most=100) or 50
    around, before, after = (query.snowflake(name) for name in ("around", "before", "after"))
    query.finish()
    if not call.world.allowed(channel) & P.READ_MESSAGE_HISTORY:
        return Answer(200, [])
    messages = channel.feed.messages
    if before is not None:
        messages = [m for m in messages if m.id < before][-limit:]
    elif after is not None:
        messages = [m for m in messages if m.id > after][:limit]
    elif around is not None:
        near = sorted(messages, key=lambda message: abs(message.id - around))[:limit]
        messages = sorted(near, key=lambda message: message.id)
    return Answer(200, [show(call, message) for message in messages[-limit:][::-1]])


@routes.add(
    "DELETE",
    "/channels/{channel_id}/messages/{message_id}",
    limits_by=_delete_limits,
)
def delete(call: Call) -> Answer:
    channel = _text_channel(call)
    message = call.world.message(channel, call.id("message_id"))
    if message.type in _SYSTEM_TYPES:
        raise SystemMessage
    if message.author is not call.world.bot:
        _must(call, channel, P.MANAGE_MESSAGES)
    call.world.board.delete([message])
    return NO_CONTENT


@routes.add("POST", "/channels/{channel_id}/messages/bulk-delete", Limit("bulk delete", 1, 1.0))
def bulk_delete(call: Call) -> Answer:
    channel = _text_channel(call)
    if isinstance(channel, DirectChannel):
        raise WrongChannelForDM
    _must(call, channel, P.MANAGE_MESSAGES)
    form = call.form
    if not isinstance(form.get("messages"), list) or not 2 <= len(form.get("messages")) <= 100:
        raise WrongBulkDeleteCount
    ids = form.snowflakes("messages") or []
    form.finish()
    oldest = call.world.clock.wall() - _FORTNIGHT
    if any(wall_time_of(message_id) < oldest for message_id in ids):
        raise MessagesTooOld
    known = (call.world.messages.get(message_id) for message_id in ids)
    there = [m for m in known if m and m.channel is channel and not m.deleted and not m.ephemeral]
    call.world.board.delete(there, bulk=True)
    return NO_CONTENT


@routes.add("POST", "/channels/{channel_id}/typing")
def typing(call: Call) -> Answer:
    channel = _text_channel(call, P.SEND_MESSAGES)
    guild = channel.guild_or_none
    data = {
        "channel_id": str(channel.id),
        "user_id": str(call.world.bot.id),
        "timestamp": int(call.world.clock.wall()),
    }
    if guild is not None:
        data |= {"guild_id": str(guild.id), "member": guild.me.json()}
    call.world.events.dispatch("TYPING_START", data, guild_id=guild.id if guild else None)
    return NO_CONTENT


# ── pins ────────────────────────────────────────────────────────────────────


def _pinned_messages(call: Call) -> list[Json]:
    channel = _text_channel(call, P.READ_MESSAGE_HISTORY)
    return [show(call, message) for message in channel.feed.messages[::-1] if message.pinned]


def _pins(call: Call) -> Answer:
    return Answer(200, _pinned_messages(call))


def _pins_in_pages(call: Call) -> Answer:
    items = [
        {"pinned_at": call.world.clock.iso(), "message": shown} for shown in _pinned_messages(call)
    ]
    return Answer(200, {"items": items, "has_more": False})


def _set_pinned(call: Call) -> Answer:
    channel = _text_channel(call)
    _must(call, channel, P.PIN_MESSAGES)
    message = call.world.message(channel, call.id("message_id"))
    wanted = call.method == "PUT"
    if wanted and sum(m.pinned for m in channel.feed.messages) >= _MOST_PINS:
        raise TooManyPins
    message.pinned = wanted
    guild = channel.guild_or_none
    data = {"channel_id": str(channel.id), "last_pin_timestamp": call.world.clock.iso()}
    data |= {"guild_id": str(guild.id)} if guild else {}
    call.world.events.dispatch("CHANNEL_PINS_UPDATE", data, guild_id=guild.id if guild else None)
    call.world.events.dispatch_message("MESSAGE_UPDATE", message)
    return NO_CONTENT


routes.add("GET", "/channels/{channel_id}/pins")(_pins)
routes.add("GET", "/channels/{channel_id}/messages/pins")(_pins_in_pages)
for _method in ("PUT", "DELETE"):
    routes.add(_method, "/channels/{channel_id}/pins/{message_id}")(_set_pinned)
    routes.add(_method, "/channels/{channel_id}/messages/pins/{message_id}")(_set_pinned)


# ── what they share ─────────────────────────────────────────────────────────


def show(call: Call, message: SimMessage) -> Json:
    """Return a message as the application may read it."""
    reads = call.world.application.reads_content
    return message_json(message, call.world.bot, reads_content=reads)


def _text_channel(call: Call, *permissions: P) -> Channel:
    channel = call.world.channel(call.id("channel_id"), *permissions)
    if channel.kind not in WITH_TEXT:
        raise NotATextChannel
    return channel


def _must(call: Call, channel: Channel, permission: P) -> None:
    if not call.world.allowed(channel) & permission:
        raise MissingPermissions


def _must_embed_and_attach(draft: Draft, allowed: P) -> None:
    if draft.embeds and not allowed & P.EMBED_LINKS:
        raise MissingPermissions
    if draft.uploads and not allowed & P.ATTACH_FILES:
        raise MissingPermissions


def _target(call: Call, channel: Channel, draft: Draft) -> SimMessage | None:
    reference = draft.reference
    if reference is None:
        return None
    form = Form({})
    if reference["channel_id"] not in (None, channel.id):
        form.complain(
            "message_reference",
            "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL",
            "Cannot reply to a message in a different channel",
        )
        form.finish()
    if not call.world.allowed(channel) & P.READ_MESSAGE_HISTORY:
        raise NoHistoryToReply
    target = call.world.messages.get(reference["message_id"])
    if target is None or target.deleted or target.channel is not channel or target.ephemeral:
        if reference["fail_if_not_exists"]:
            form.complain("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        form.finish()
        return None
    if target.type in {*_SYSTEM_TYPES, 6, 7}:
        form.complain(
            "message_reference",
            "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE",
            "Cannot reply to a system message",
        )
        form.finish()
    return target


def _same_nonce(call: Call, channel: Channel, draft: Draft) -> SimMessage | None:
    if not draft.enforce_nonce or draft.nonce is None:
        return None
    since = call.world.clock.monotonic() - _NONCE_SECONDS
    for message in reversed(channel.feed.all):
        if message.sent_at < since:
            return None
        if message.author is call.world.bot and message.nonce == draft.nonce:
            return message
    return None


def _edit_of_others(call: Call, form: Form, message: SimMessage, allowed: P) -> None:
    if set(form.fields) - {"flags"} or not allowed & P.MANAGE_MESSAGES:
        raise NotTheAuthor
    flags = form.integer("flags", least=0, most=2**31, required=True) or 0
    form.finish()
    kept = message.flags & ~SUPPRESS_EMBEDS
    call.world.board.edit(message, Changes(flags=kept | (flags & SUPPRESS_EMBEDS)))
