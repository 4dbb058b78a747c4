"""Webhooks, and follow-ups to interactions, which use the application's own webhook."""

import secrets

from tests.simulator.board import Sender
from tests.simulator.channel import GuildChannel
from tests.simulator.errors import (
    InvalidWebhookToken,
    MissingPermissions,
    TooManyWebhooks,
    UnknownMessage,
    UnknownWebhook,
    WrongChannelForDM,
)
from tests.simulator.form import Form
from tests.simulator.message import SimMessage
from tests.simulator.message_json import message_json
from tests.simulator.people import User, Webhook
from tests.simulator.permissions import P
from tests.simulator.rest.call import NO_CONTENT, Answer, Call
from tests.simulator.rest.rate_limits import Limit
from tests.simulator.rest.router import RouteTable
from tests.simulator.validation.messages import read_changes, read_draft

routes = RouteTable()

_EXECUTE = "/webhooks/{webhook_id}/{token}"
_MESSAGE = _EXECUTE + "/messages/{message_id}"
_MOST_WEBHOOKS = 15
_BURST = Limit("webhook", 5, 2.0)


def _limits(call: Call) -> tuple[Limit, ...]:
    """5 in 2 s for a token, and a hidden 30 in 60 s for everything in the channel."""
    token = call.parameters["token"]
    if _for_interaction(call):
        channel_id = call.world.interactions.channel_of(token)
    else:
        webhook = call.world.webhooks.get(call.id("webhook_id"))
        channel_id = webhook.channel_id if webhook else 0
    return (_BURST, Limit(f"webhooks in {channel_id}", 30, 60.0, hidden=True, shared=True))


@routes.add("POST", _EXECUTE, limits_by=_limits, anonymous=True, exempt=True)
def execute(call: Call) -> Answer:
    if _for_interaction(call):
        token = call.parameters["token"]
        message = call.world.interactions.follow_up(token, call.form, call.uploads)
        return Answer(200, _show(call, message))
    webhook = _webhook(call)
    draft = read_draft(call.form, call.uploads, call.world.knows_emoji)
    username = call.form.text("username", least=1, most=80)
    sender = Sender(
        user=User(webhook.id, username or webhook.name, bot=True),
        author_json=webhook.author_json(username=username),
        webhook_id=webhook.id,
    )
    message = call.world.board.post(call.world.channels[webhook.channel_id], draft, sender)
    if call.query.get("wait", "").lower() not in {"true", "1"}:
        return NO_CONTENT
    return Answer(200, _show(call, message))


@routes.add("GET", _MESSAGE, limits_by=_limits, anonymous=True, exempt=True)
def get_message(call: Call) -> Answer:
    return Answer(200, _show(call, _message(call)))


@routes.add("PATCH", _MESSAGE, limits_by=_limits, anonymous=True, exempt=True)
def edit_message(call: Call) -> Answer:
    token, reference = call.parameters["token"], call.parameters["message_id"]
    if _for_interaction(call):
        message = call.world.interactions.edit(token, reference, call.form, call.uploads)
        return Answer(200, _show(call, message))
    message = _message(call)
    changes = read_changes(call.form, call.uploads, call.world.knows_emoji, message)
    call.world.board.edit(message, changes)
    return Answer(200, _show(call, message))


@routes.add("DELETE", _MESSAGE, limits_by=_limits, anonymous=True, exempt=True)
def delete_message(call: Call) -> Answer:
    if _for_interaction(call):
        call.world.interactions.delete(call.parameters["token"], call.parameters["message_id"])
    else:
        call.world.board.delete([_message(call)])
    return NO_CONTENT


# ── the webhooks themselves ─────────────────────────────────────────────────


@routes.add("POST", "/channels/{channel_id}/webhooks")
def create(call: Call) -> Answer:
    channel = _managed_channel(call)
    name = _name(call.form)
    inside = [w for w in call.world.webhooks.values() if w.channel_id == channel.id]
    if len(inside) >= _MOST_WEBHOOKS:
        raise TooManyWebhooks
    webhook = Webhook(
        call.world.ids.new(),
        channel.guild.id,
        channel.id,
        name,
        secrets.token_urlsafe(51)[:68],
        call.world.bot,
    )
    call.world.webhooks[webhook.id] = webhook
    _announce(call, webhook)
    return Answer(200, webhook.json())


@routes.add("GET", "/channels/{channel_id}/webhooks")
def in_channel(call: Call) -> Answer:
    channel = _managed_channel(call)
    found = [w.json() for w in call.world.webhooks.values() if w.channel_id == channel.id]
    return Answer(200, found)


@routes.add("GET", "/guilds/{guild_id}/webhooks")
def in_guild(call: Call) -> Answer:
    guild = call.world.guild(call.id("guild_id"))
    if not guild.me.permissions & P.MANAGE_WEBHOOKS:
        raise MissingPermissions
    return Answer(200, [w.json() for w in call.world.webhooks.values() if w.guild_id == guild.id])


@routes.add("GET", "/webhooks/{webhook_id}")
def get(call: Call) -> Answer:
    return Answer(200, _managed(call).json())


@routes.add("DELETE", "/webhooks/{webhook_id}")
def delete(call: Call) -> Answer:
    webhook = _managed(call)
    del call.world.webhooks[webhook.id]
    _announce(call, webhook)
    return NO_CONTENT


@routes.add("GET", _EXECUTE, anonymous=True)
def get_by_token(call: Call) -> Answer:
    webhook = _webhook(call).json()
    del webhook["user"]
    return Answer(200, webhook)


# ── what they share ─────────────────────────────────────────────────────────


def _for_interaction(call: Call) -> bool:
    return call.parameters["webhook_id"] == str(call.world.application.id)


def _webhook(call: Call) -> Webhook:
    webhook = call.world.webhooks.get(call.id("webhook_id"))
    if webhook is None:
        raise UnknownWebhook
    if webhook.token != call.parameters["token"]:
        raise InvalidWebhookToken
    return webhook


def _message(call: Call) -> SimMessage:
    reference = call.parameters["message_id"]
    if _for_interaction(call):
        return call.world.interactions.message(call.parameters["token"], reference)
    webhook = _webhook(call)
    message = call.world.messages.get(int(reference)) if reference.isdigit() else None
    if message is None or message.deleted or message.webhook_id != webhook.id:
        raise UnknownMessage
    return message


def _managed(call: Call) -> Webhook:
    webhook = call.world.webhooks.get(call.id("webhook_id"))
    if webhook is None:
        raise UnknownWebhook
    if not call.world.guild(webhook.guild_id).me.permissions & P.MANAGE_WEBHOOKS:
        raise MissingPermissions
    return webhook


def _managed_channel(call: Call) -> GuildChannel:
    channel = call.world.channel(call.id("channel_id"), P.MANAGE_WEBHOOKS)
    if not isinstance(channel, GuildChannel):
        raise WrongChannelForDM
    return channel


def _name(form: Form) -> str:
    name = form.text("name", least=1, most=80, required=True) or ""
    for word in ("clyde", "discord"):
        if word in name.lower():
            message = f'Username cannot contain "{word}"'
            form.complain("name", "USERNAME_INVALID_CONTAINS", message)
    form.finish()
    return name


def _announce(call: Call, webhook: Webhook) -> None:
    data = {"guild_id": str(webhook.guild_id), "channel_id": str(webhook.channel_id)}
    call.world.events.dispatch("WEBHOOKS_UPDATE", data, guild_id=webhook.guild_id)


def _show(call: Call, message: SimMessage) -> dict[str, object]:
    return message_json(message, call.world.bot)
