"""Registering application commands (Discord, "Application Commands")."""

from tests.simulator.application import Application, Command
from tests.simulator.errors import (
    Json,
    TooManyCommandCreates,
    TooManyCommands,
    UnknownChannel,
    UnknownCommand,
)
from tests.simulator.form import Form
from tests.simulator.rest.call import NO_CONTENT, Answer, Call
from tests.simulator.rest.router import RouteTable
from tests.simulator.validation.commands import read_command

routes = RouteTable()

_GLOBAL = "/applications/{application_id}/commands"
_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"
_MOST = {1: 100, 2: 15, 3: 15, 4: 1}
_MOST_IN_BULK = 130
_CREATES_A_DAY = 200
_DAY = 86_400.0


def _listed(call: Call) -> Answer:
    application, guild_id = _scope(call)
    return Answer(200, _all(application, guild_id))


def _create(call: Call) -> Answer:
    application, guild_id = _scope(call)
    form = call.form
    body = read_command(form)
    form.finish()
    old = _find(application, guild_id, body)
    command = _store(call, application, guild_id, body)
    return Answer(200 if old else 201, command.json(application.id))


def _replace_all(call: Call) -> Answer:
    application, guild_id = _scope(call)
    form = Form({"commands": call.body}, path=())
    entries = form.forms("commands", most=_MOST_IN_BULK, required=True)
    bodies = [read_command(entry) for entry in entries]
    _refuse_doubles(form, bodies)
    _finish_bulk(form)
    wanted = {(body["type"], body["name"]) for body in bodies}
    scope = application.in_scope(guild_id)
    for command in list(scope.values()):
        if (command.type, command.name) not in wanted:
            del scope[command.id]
    for body in bodies:
        _store(call, application, guild_id, body)
    return Answer(200, _all(application, guild_id))


def _get(call: Call) -> Answer:
    application, guild_id = _scope(call)
    return Answer(200, _command(call, application, guild_id).json(application.id))


def _edit(call: Call) -> Answer:
    application, guild_id = _scope(call)
    command = _command(call, application, guild_id)
    changed = Form({**command.body, **call.form.fields, "type": command.type})
    body = read_command(changed)
    changed.finish()
    command.body, command.version = body, call.world.ids.new()
    return Answer(200, command.json(application.id))


def _delete(call: Call) -> Answer:
    application, guild_id = _scope(call)
    command = _command(call, application, guild_id)
    del application.in_scope(guild_id)[command.id]
    return NO_CONTENT


for _base in (_GLOBAL, _GUILD):
    routes.add("GET", _base)(_listed)
    routes.add("POST", _base)(_create)
    routes.add("PUT", _base)(_replace_all)
    routes.add("GET", _base + "/{command_id}")(_get)
    routes.add("PATCH", _base + "/{command_id}")(_edit)
    routes.add("DELETE", _base + "/{command_id}")(_delete)


# ── what they share ─────────────────────────────────────────────────────────


def _scope(call: Call) -> tuple[Application, int | None]:
    application = call.world.application
    if call.id("application_id") != application.id:
        raise UnknownChannel
    if "guild_id" not in call.parameters:
        return application, None
    return application, call.world.guild(call.id("guild_id")).id


def _all(application: Application, guild_id: int | None) -> list[Json]:
    return [command.json(application.id) for command in application.in_scope(guild_id).values()]


def _command(call: Call, application: Application, guild_id: int | None) -> Command:
    command = application.in_scope(guild_id).get(call.id("command_id"))
    if command is None:
        raise UnknownCommand
    return command


def _find(application: Application, guild_id: int | None, body: Json) -> Command | None:
    for command in application.in_scope(guild_id).values():
        if (command.type, command.name) == (body["type"], body["name"]):
            return command
    return None


def _store(call: Call, application: Application, guild_id: int | None, body: Json) -> Command:
    known = _find(application, guild_id, body)
    scope = application.in_scope(guild_id)
    application.news.ring()
    if known is not None:
        if known.body != body:
            known.body, known.version = body, call.world.ids.new()
        return known
    if sum(command.type == body["type"] for command in scope.values()) >= _MOST[body["type"]]:
        raise TooManyCommands
    _count_create(call, application, guild_id)
    command = Command(call.world.ids.new(), call.world.ids.new(), guild_id, body)
    scope[command.id] = command
    return command


def _count_create(call: Call, application: Application, guild_id: int | None) -> None:
    now = call.world.clock.monotonic()
    creates = application.command_creates.setdefault(guild_id, [])
    creates[:] = [moment for moment in creates if moment > now - _DAY]
    if len(creates) >= _CREATES_A_DAY:
        raise TooManyCommandCreates
    creates.append(now)


def _refuse_doubles(form: Form, bodies: list[Json]) -> None:
    seen: set[tuple[int, str]] = set()
    for index, body in enumerate(bodies):
        key = (body["type"], body["name"])
        if key in seen:
            form.complain(
                ("commands", str(index), "name"),
                "APPLICATION_COMMANDS_DUPLICATE_NAME",
                "Application command names must be unique",
            )
        seen.add(key)


def _finish_bulk(form: Form) -> None:
    """Raise the complaints as Discord does: by index at the top."""
    if form.complaints:
        bare = Form({}, complaints=form.complaints.get("commands", form.complaints))
        bare.finish()
