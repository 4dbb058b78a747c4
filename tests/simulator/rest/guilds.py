"""Guilds and their roles (Discord, "Guild Resource")."""

from tests.simulator.channel import CATEGORY, TEXT, VOICE
from tests.simulator.errors import MissingPermissions, TooManyChannels, TooManyRoles, UnknownRole
from tests.simulator.form import Form
from tests.simulator.guild import Guild
from tests.simulator.people import Role
from tests.simulator.permissions import P
from tests.simulator.rest.call import NO_CONTENT, Answer, Call
from tests.simulator.rest.router import RouteTable

routes = RouteTable()

_GUILD = "/guilds/{guild_id}"
_ROLE = _GUILD + "/roles/{role_id}"
_MOST_ROLES = 250
_MOST_CHANNELS = 500


@routes.add("GET", _GUILD)
def get(call: Call) -> Answer:
    return Answer(200, _guild(call).json())


@routes.add("DELETE", "/users/@me/guilds/{guild_id}")
def leave(call: Call) -> Answer:
    call.world.remove_guild(_guild(call))
    return NO_CONTENT


@routes.add("GET", _GUILD + "/channels")
def channels(call: Call) -> Answer:
    return Answer(200, [channel.json() for channel in _guild(call).channels.values()])


@routes.add("POST", _GUILD + "/channels")
def create_channel(call: Call) -> Answer:
    guild = _guild(call)
    _must(guild, P.MANAGE_CHANNELS)
    if len(guild.channels) >= _MOST_CHANNELS:
        raise TooManyChannels
    form = call.form
    name = form.text("name", least=1, most=100, required=True) or ""
    kind = form.choice("type", (TEXT, VOICE, CATEGORY))
    form.finish()
    if kind == VOICE:
        return Answer(201, guild.add_voice_channel(name).json())
    if kind == CATEGORY:
        return Answer(201, guild.add_category(name).json())
    return Answer(201, guild.add_text_channel(name).json())


@routes.add("GET", _GUILD + "/emojis")
def emojis(call: Call) -> Answer:
    return Answer(200, _guild(call).json()["emojis"])


@routes.add("GET", _GUILD + "/roles")
def roles(call: Call) -> Answer:
    return Answer(200, [role.json() for role in _guild(call).roles.values()])


@routes.add("GET", _ROLE)
def role(call: Call) -> Answer:
    return Answer(200, _role(call).json())


@routes.add("POST", _GUILD + "/roles")
def create_role(call: Call) -> Answer:
    guild = _guild(call)
    _must(guild, P.MANAGE_ROLES)
    if len(guild.roles) >= _MOST_ROLES:
        raise TooManyRoles
    form = call.form
    name = form.text("name", most=100) or "new role"
    permissions = _permissions(form, guild)
    form.finish()
    made = guild.add_role(name, below_bot=True)
    made.permissions = guild.everyone.permissions if permissions is None else permissions
    made.mentionable = bool(form.boolean("mentionable"))
    return Answer(200, made.json())


@routes.add("PATCH", _ROLE)
def edit_role(call: Call) -> Answer:
    guild, edited = _guild(call), _role(call)
    _must_rule(guild, edited)
    form = call.form
    name = form.text("name", most=100)
    permissions = _permissions(form, guild)
    color = form.integer("color", least=0, most=0xFFFFFF)
    form.finish()
    edited.name = name or edited.name
    edited.color = edited.color if color is None else color
    edited.permissions = edited.permissions if permissions is None else permissions
    if (mentionable := form.boolean("mentionable")) is not None:
        edited.mentionable = mentionable
    guild.announce("GUILD_ROLE_UPDATE", {"role": edited.json()})
    return Answer(200, edited.json())


@routes.add("DELETE", _ROLE)
def delete_role(call: Call) -> Answer:
    guild, gone = _guild(call), _role(call)
    _must_rule(guild, gone)
    if gone.managed or gone is guild.everyone:
        raise MissingPermissions
    del guild.roles[gone.id]
    for member in guild.members.values():
        if gone in member.roles:
            member.roles.remove(gone)
    guild.announce("GUILD_ROLE_DELETE", {"role_id": str(gone.id)})
    return NO_CONTENT


def _guild(call: Call) -> Guild:
    return call.world.guild(call.id("guild_id"))


def _role(call: Call) -> Role:
    found = _guild(call).roles.get(call.id("role_id"))
    if found is None:
        raise UnknownRole
    return found


def _must(guild: Guild, permission: P) -> None:
    if not guild.me.permissions & permission:
        raise MissingPermissions


def _must_rule(guild: Guild, role: Role) -> None:
    _must(guild, P.MANAGE_ROLES)
    if role.rank >= guild.me.top_role.rank:
        raise MissingPermissions


def _permissions(form: Form, guild: Guild) -> P | None:
    number = form.integer("permissions", least=0, most=2**60)
    if number is None:
        return None
    wanted = P(number & int(~P(0)))
    if wanted & ~guild.me.permissions:
        raise MissingPermissions
    return wanted
