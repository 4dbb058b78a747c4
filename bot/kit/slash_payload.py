"""Dual commands as Discord's application command objects, and whether Discord has them already.

Limits and forms: Discord, "Application Commands". Discord sends fields back that we never set
(ids, versions, null translations), so two command lists are compared by what we care about.
"""

from collections.abc import Iterable
from typing import Any

from bot.kit.dual_command import BoundCommand, BoundMenu, CommandSet
from bot.kit.replies import Json

_CHAT_INPUT, _USER_MENU, _MESSAGE_MENU = 1, 2, 3
_SUBCOMMAND = 1
_GUILD_CONTEXT = 0
_GUILD_INSTALL = 0

_COMPARED = (
    "type",
    "name",
    "description",
    "required",
    "autocomplete",
    "min_value",
    "max_value",
    "min_length",
    "max_length",
)


def payloads(commands: CommandSet) -> list[Json]:
    """Return every slash command and context menu entry, as Discord registers them."""
    top: dict[str, Json] = {}
    for bound in commands:
        name, *rest = bound.spec.slash_path
        if rest:
            parent = top.setdefault(name, _top(name, commands.group(name).summary))
            parent["options"].append(_subcommand(bound, rest[0]))
        else:
            top[name] = {**_top(name, bound.spec.summary), "options": _options(bound)}
    return [*top.values(), *map(_menu, commands.menus)]


def _top(name: str, description: str) -> Json:
    return {
        "type": _CHAT_INPUT,
        "name": name,
        "description": description,
        "options": [],
        "contexts": [_GUILD_CONTEXT],
        "integration_types": [_GUILD_INSTALL],
    }


def _subcommand(bound: BoundCommand, name: str) -> Json:
    return {
        "type": _SUBCOMMAND,
        "name": name,
        "description": bound.spec.summary,
        "options": _options(bound),
    }


def _options(bound: BoundCommand) -> list[Json]:
    options = [option for argument in bound.spec.arguments for option in argument.options()]
    return sorted(options, key=lambda option: not option["required"])  # Discord's order


def _menu(bound: BoundMenu) -> Json:
    return {
        "type": _USER_MENU if bound.spec.target == "user" else _MESSAGE_MENU,
        "name": bound.spec.name,
        "contexts": [_GUILD_CONTEXT],
        "integration_types": [_GUILD_INSTALL],
    }


def same(ours: Iterable[Json], theirs: Iterable[Json]) -> bool:
    """Tell whether Discord's list of commands says what ours says."""
    return _by_name(ours) == _by_name(theirs)


def _by_name(commands: Iterable[Json]) -> dict[tuple[int, str], Any]:
    return {
        (command.get("type", _CHAT_INPUT), command["name"]): (
            _essence(command),
            sorted(command.get("contexts") or ()),
        )
        for command in commands
    }


def _essence(item: Json) -> Json:
    """Return what decides about a command or option, without what stands for "not set"."""
    kept = {key: item[key] for key in _COMPARED if item.get(key) not in (None, False, "")}
    choices = [(choice["name"], choice["value"]) for choice in item.get("choices") or ()]
    return {**kept, "choices": choices, "options": [_essence(o) for o in item.get("options") or ()]}
