"""Channels: read, change, delete, who may do what in them (Discord, "Channel Resource")."""

from tests.simulator.channel import Channel, GuildChannel, VoiceChannel
from tests.simulator.errors import (
    MissingPermissions,
    UnknownOverwrite,
    WrongChannelForDM,
    WrongChannelType,
)
from tests.simulator.permissions import Overwrite, P
from tests.simulator.rest.call import NO_CONTENT, Answer, Call
from tests.simulator.rest.rate_limits import Limit
from tests.simulator.rest.router import RouteTable

routes = RouteTable()

_CHANNEL = "/channels/{channel_id}"
_OVERWRITE = _CHANNEL + "/permissions/{target_id}"


def _edit_limits(call: Call) -> tuple[Limit, ...]:
    edit_limit = Limit("channel", 10, 15.0)
    if isinstance(call.body, dict) and {"name", "topic"} & call.body.keys():
        return (edit_limit, Limit("channel name", 2, 600.0, hidden=True))
    return (edit_limit,)


@routes.add("GET", _CHANNEL)
def get(call: Call) -> Answer:
    return Answer(200, _channel(call).json())


@routes.add("PATCH", _CHANNEL, limits_by=_edit_limits)
def edit(call: Call) -> Answer:
    channel = _guild_channel(call, P.MANAGE_CHANNELS)
    form = call.form
    name = form.text("name", least=1, most=100)
    topic = form.text("topic", most=1024)
    slowmode = form.integer("rate_limit_per_user", least=0, most=21_600)
    nsfw = form.boolean("nsfw")
    limit = form.integer("user_limit", least=0, most=99)
    form.finish()
    channel.name = name or channel.name
    if "topic" in form:
        channel.topic = topic
    channel.slowmode = channel.slowmode if slowmode is None else slowmode
    channel.nsfw = channel.nsfw if nsfw is None else nsfw
    if isinstance(channel, VoiceChannel) and limit is not None:
        channel.user_limit = limit
    channel.announce("CHANNEL_UPDATE")
    return Answer(200, channel.json())


@routes.add("DELETE", _CHANNEL)
def delete(call: Call) -> Answer:
    channel = _channel(call)
    if not isinstance(channel, GuildChannel):
        return Answer(200, channel.json())
    _guild_channel(call, P.MANAGE_CHANNELS)
    call.world.delete_channel(channel)
    return Answer(200, channel.json())


@routes.add("PUT", _CHANNEL + "/voice-status")
def set_voice_status(call: Call) -> Answer:
    channel = _guild_channel(call, P.SET_VOICE_CHANNEL_STATUS)
    if not isinstance(channel, VoiceChannel):
        raise WrongChannelType
    inside = channel.guild.me in channel.members
    if not inside and not call.world.allowed(channel) & P.MANAGE_CHANNELS:
        raise MissingPermissions
    form = call.form
    status = form.text("status", most=500)
    form.finish()
    channel.status = status or None
    data = {"id": str(channel.id), "status": channel.status}
    channel.guild.announce("VOICE_CHANNEL_STATUS_UPDATE", data)
    return NO_CONTENT


@routes.add("PUT", _OVERWRITE)
def set_overwrite(call: Call) -> Answer:
    channel = _guild_channel(call, P.MANAGE_ROLES)
    form = call.form
    kind = form.choice("type", (0, 1), required=True)
    allow = form.integer("allow", least=0, most=2**60) or 0
    deny = form.integer("deny", least=0, most=2**60) or 0
    form.finish()
    target_id = call.id("target_id")
    known = P(0)
    for permission in P:
        known |= permission
    changed = P((allow | deny) & int(known))
    if changed & ~channel.guild.me.permissions_in(channel):
        raise MissingPermissions
    channel.overwrites = [entry for entry in channel.overwrites if entry.target_id != target_id]
    entry = Overwrite(target_id, int(kind), P(allow & int(known)), P(deny & int(known)))
    channel.overwrites.append(entry)
    channel.announce("CHANNEL_UPDATE")
    return NO_CONTENT


@routes.add("DELETE", _OVERWRITE)
def delete_overwrite(call: Call) -> Answer:
    channel = _guild_channel(call, P.MANAGE_ROLES)
    target_id = call.id("target_id")
    kept = [entry for entry in channel.overwrites if entry.target_id != target_id]
    if len(kept) == len(channel.overwrites):
        raise UnknownOverwrite
    channel.overwrites = kept
    channel.announce("CHANNEL_UPDATE")
    return NO_CONTENT


def _channel(call: Call) -> Channel:
    return call.world.channel(call.id("channel_id"))


def _guild_channel(call: Call, permission: P) -> GuildChannel:
    channel = call.world.channel(call.id("channel_id"))
    if not isinstance(channel, GuildChannel):
        raise WrongChannelForDM
    if not call.world.allowed(channel) & permission:
        raise MissingPermissions
    return channel
