"""Members of guilds: read, move, mute, rename, rank, send away (Discord, "Guild Resource")."""

from datetime import datetime, timedelta

from tests.simulator.channel import STAGE, VoiceChannel
from tests.simulator.errors import (
    MissingAccess,
    MissingPermissions,
    TargetNotInVoice,
    UnknownBan,
    UnknownMember,
    UnknownRole,
    UnknownUser,
    UnknownVoiceState,
    WrongChannelType,
)
from tests.simulator.form import Form
from tests.simulator.guild import Guild, VoiceState
from tests.simulator.member import Member
from tests.simulator.people import Role
from tests.simulator.permissions import P
from tests.simulator.rest.call import NO_CONTENT, Answer, Call
from tests.simulator.rest.rate_limits import Limit
from tests.simulator.rest.router import RouteTable

routes = RouteTable()

_MEMBER = "/guilds/{guild_id}/members/{user_id}"
_EDIT_LIMIT = Limit("member", 10, 10.0)
_ROLE_LIMIT = Limit("member role", 10, 10.0)
_LONGEST_TIMEOUT = timedelta(days=28)
_MOST_DELETED_SECONDS = 604_800


# ── reading ─────────────────────────────────────────────────────────────────


@routes.add("GET", _MEMBER)
def get(call: Call) -> Answer:
    return Answer(200, _member(call).json())


@routes.add("GET", "/guilds/{guild_id}/members")
def listed(call: Call) -> Answer:
    guild = call.world.guild(call.id("guild_id"))
    if not call.world.application.lists_members:
        raise MissingAccess
    query = Form(dict(call.query))
    limit = query.integer("limit", least=1, most=1000) or 1
    after = query.snowflake("after") or 0
    query.finish()
    ordered = sorted(guild.members.values(), key=lambda member: member.id)
    return Answer(200, [m.json() for m in ordered if m.id > after][:limit])


@routes.add("GET", "/guilds/{guild_id}/members/search")
def search(call: Call) -> Answer:
    guild = call.world.guild(call.id("guild_id"))
    query = Form(dict(call.query))
    words = (query.text("query", least=1, most=100, required=True) or "").lower()
    limit = query.integer("limit", least=1, most=1000) or 1
    query.finish()
    found = [
        member.json()
        for member in guild.members.values()
        if member.user.username.startswith(words) or (member.nick or "").lower().startswith(words)
    ]
    return Answer(200, found[:limit])


# ── changing ────────────────────────────────────────────────────────────────


@routes.add("PATCH", _MEMBER, _EDIT_LIMIT)
def edit(call: Call) -> Answer:
    member = _member(call)
    form = call.form
    _check_permissions(call, form, member)
    nick = form.text("nick", most=32)
    roles = _roles(form, member)
    until = _timeout(call, form, member)
    form.finish()
    _edit_voice(call, form, member)
    if "nick" in form:
        member.nick = nick or None
    if roles is not None:
        member.roles = roles
    if "communication_disabled_until" in form:
        member.timed_out_until = until
    if {"nick", "roles", "communication_disabled_until", "mute", "deaf"} & form.fields.keys():
        member.announce_update()
    return Answer(200, member.json())


@routes.add("PATCH", "/guilds/{guild_id}/members/@me", _EDIT_LIMIT)
def edit_self(call: Call) -> Answer:
    return Answer(200, _rename_self(call).json())


@routes.add("PATCH", "/guilds/{guild_id}/members/@me/nick", _EDIT_LIMIT)
def edit_own_nick(call: Call) -> Answer:
    return Answer(200, {"nick": _rename_self(call).nick})


@routes.add("PUT", _MEMBER + "/roles/{role_id}", _ROLE_LIMIT)
def add_role(call: Call) -> Answer:
    member, role = _member(call), _grantable_role(call)
    if role not in member.roles:
        member.roles.append(role)
        member.announce_update()
    return NO_CONTENT


@routes.add("DELETE", _MEMBER + "/roles/{role_id}", _ROLE_LIMIT)
def remove_role(call: Call) -> Answer:
    member, role = _member(call), _grantable_role(call)
    if role in member.roles:
        member.roles.remove(role)
        member.announce_update()
    return NO_CONTENT


# ── sending away ────────────────────────────────────────────────────────────


@routes.add("DELETE", _MEMBER)
def kick(call: Call) -> Answer:
    member = _member(call)
    _must(member.guild, P.KICK_MEMBERS)
    _must_outrank(member)
    member.guild.remove_member(member)
    return NO_CONTENT


@routes.add("PUT", "/guilds/{guild_id}/bans/{user_id}")
def ban(call: Call) -> Answer:
    guild = call.world.guild(call.id("guild_id"))
    _must(guild, P.BAN_MEMBERS)
    user = call.world.users.get(call.id("user_id"))
    if user is None:
        raise UnknownUser
    form = call.form
    form.integer("delete_message_seconds", least=0, most=_MOST_DELETED_SECONDS)
    form.finish()
    member = guild.members.get(user.id)
    if member is not None:
        _must_outrank(member)
        member.guild.remove_member(member)
    guild.bans[user.id] = call.reason
    guild.announce("GUILD_BAN_ADD", {"user": user.json()})
    return NO_CONTENT


@routes.add("DELETE", "/guilds/{guild_id}/bans/{user_id}")
def unban(call: Call) -> Answer:
    guild = call.world.guild(call.id("guild_id"))
    _must(guild, P.BAN_MEMBERS)
    user_id = call.id("user_id")
    if user_id not in guild.bans:
        raise UnknownBan
    del guild.bans[user_id]
    guild.announce("GUILD_BAN_REMOVE", {"user": call.world.users[user_id].json()})
    return NO_CONTENT


# ── voice ───────────────────────────────────────────────────────────────────


@routes.add("GET", "/guilds/{guild_id}/voice-states/{user_id}")
def voice_state(call: Call) -> Answer:
    return Answer(200, _voice_state(call, _voice_user(call)).json())


@routes.add("PATCH", "/guilds/{guild_id}/voice-states/{user_id}")
def edit_voice_state(call: Call) -> Answer:
    user_id = _voice_user(call)
    state = _voice_state(call, user_id)
    form = call.form
    channel_id = form.snowflake("channel_id")
    suppress = form.boolean("suppress")
    requested = form.text("request_to_speak_timestamp")
    form.finish()
    if state.channel.kind != STAGE or channel_id not in (None, state.channel.id):
        raise WrongChannelType
    allowed = call.world.allowed(state.channel)
    own = user_id == call.world.bot.id
    if (not own or suppress is False) and not allowed & P.MUTE_MEMBERS:
        raise MissingPermissions
    if requested and not allowed & P.REQUEST_TO_SPEAK:
        raise MissingPermissions
    call.world.calls.set_stage(state, suppress=suppress, requested=requested)
    return NO_CONTENT


# ── what they share ─────────────────────────────────────────────────────────


def _member(call: Call) -> Member:
    guild = call.world.guild(call.id("guild_id"))
    return call.world.member(guild, call.id("user_id"))


def _must(guild: Guild, permission: P) -> None:
    if not guild.me.permissions & permission:
        raise MissingPermissions


def _must_outrank(member: Member) -> None:
    guild = member.guild
    if member is guild.owner or member.top_role.rank >= guild.me.top_role.rank:
        raise MissingPermissions


def _check_permissions(call: Call, form: Form, member: Member) -> None:
    guild = member.guild
    needed = {
        "nick": P.MANAGE_NICKNAMES,
        "roles": P.MANAGE_ROLES,
        "mute": P.MUTE_MEMBERS,
        "deaf": P.DEAFEN_MEMBERS,
        "channel_id": P.MOVE_MEMBERS,
        "communication_disabled_until": P.MODERATE_MEMBERS,
    }
    for name, permission in needed.items():
        if name in form:
            _must(guild, permission)
    if {"nick", "communication_disabled_until"} & form.fields.keys() and member is not guild.me:
        _must_outrank(member)
    timed_out = form.get("communication_disabled_until") is not None
    if timed_out and member.permissions & P.ADMINISTRATOR:
        raise MissingPermissions


def _edit_voice(call: Call, form: Form, member: Member) -> None:
    if not {"channel_id", "mute", "deaf"} & form.fields.keys():
        return
    if member.voice is None:
        raise TargetNotInVoice
    if "mute" in form or "deaf" in form:
        call.world.calls.set_by_others(member, mute=form.boolean("mute"), deaf=form.boolean("deaf"))
    if "channel_id" in form:
        _move(call, form, member)


def _move(call: Call, form: Form, member: Member) -> None:
    channel_id = form.snowflake("channel_id")
    form.finish()
    if channel_id is None:
        call.world.calls.move(member, None)
        return
    channel = call.world.channel(channel_id, P.CONNECT)
    if not isinstance(channel, VoiceChannel) or channel.guild is not member.guild:
        raise WrongChannelType
    call.world.calls.move(member, channel)


def _roles(form: Form, member: Member) -> list[Role] | None:
    """Read the roles that a member shall have; what changes must be below the bot's top role."""
    guild = member.guild
    ids = form.snowflakes("roles", most=250)
    if ids is None:
        return None
    if any(role_id not in guild.roles for role_id in ids):
        raise UnknownRole
    wanted = [guild.roles[role_id] for role_id in ids if role_id != guild.id]
    for role in set(wanted) ^ set(member.roles):
        if role.managed or role.rank >= guild.me.top_role.rank:
            raise MissingPermissions
    return wanted


def _timeout(call: Call, form: Form, member: Member) -> float | None:
    value = form.text("communication_disabled_until")
    if value is None:
        return None
    try:
        until = datetime.fromisoformat(value).timestamp()
    except ValueError:
        message = f"Could not parse {value}. Should be ISO8601."
        form.complain("communication_disabled_until", "DATE_TIME_TYPE_PARSE", message)
        return None
    if until - call.world.clock.wall() > _LONGEST_TIMEOUT.total_seconds():
        form.complain(
            "communication_disabled_until",
            "INVALID_COMMUNICATION_DISABLED_TIMESTAMP",
            "Invalid communication disabled timestamp",
        )
    return until


def _rename_self(call: Call) -> Member:
    me = call.world.guild(call.id("guild_id")).me
    form = call.form
    if "nick" in form:
        _must(me.guild, P.CHANGE_NICKNAME)
        nick = form.text("nick", most=32)
        form.finish()
        me.nick = nick or None
        me.announce_update()
    return me


def _grantable_role(call: Call) -> Role:
    guild = call.world.guild(call.id("guild_id"))
    role = guild.roles.get(call.id("role_id"))
    if role is None:
        raise UnknownRole
    _must(guild, P.MANAGE_ROLES)
    if role.managed or role is guild.everyone or role.rank >= guild.me.top_role.rank:
        raise MissingPermissions
    return role


def _voice_user(call: Call) -> int:
    return call.world.bot.id if call.parameters["user_id"] == "@me" else call.id("user_id")


def _voice_state(call: Call, user_id: int) -> VoiceState:
    guild = call.world.guild(call.id("guild_id"))
    if user_id not in guild.members:
        raise UnknownMember
    state = guild.voice_states.get(user_id)
    if state is None:
        raise UnknownVoiceState
    return state
