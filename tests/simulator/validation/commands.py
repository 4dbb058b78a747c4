"""The limits of application commands (Discord, "Application Command Object")."""

import re
import unicodedata
from typing import Any

from tests.simulator.errors import Json
from tests.simulator.form import Form

CHAT, USER_MENU, MESSAGE_MENU = 1, 2, 3
_SUBCOMMAND, _GROUP, _STRING, _INTEGER, _CHANNEL, _NUMBER = 1, 2, 3, 4, 7, 10
_WITH_CHOICES = frozenset({_STRING, _INTEGER, _NUMBER})
_MOST_OPTIONS = 25
_LOCALIZED = ("name_localizations", "description_localizations")
_MOST_CHARACTERS = 8000
_MOST_INTEGER = 2**53


def read_command(form: Form) -> Json:
    """Read a command as Discord stores it; complaints are left in the form."""
    kind = form.choice("type", (CHAT, USER_MENU, MESSAGE_MENU)) or CHAT
    body: Json = {"type": kind, "name": _name(form, kind)}
    body["name_localizations"] = form.get("name_localizations")
    body["description_localizations"] = form.get("description_localizations")
    if kind == CHAT:
        body["description"] = form.text("description", least=1, most=100, required=True) or ""
        options = _options(form, depth=0)
        if options:
            body["options"] = options
        if _characters(body) > _MOST_CHARACTERS:
            form.complain(
                "",
                "APPLICATION_COMMAND_TOO_LARGE",
                f"Command exceeds maximum size ({_MOST_CHARACTERS})",
            )
    else:
        body["description"] = ""
        if form.get("description"):
            form.complain(
                "description",
                "APPLICATION_COMMAND_DESCRIPTION_FORBIDDEN",
                "Context menu commands cannot have description",
            )
    permissions = form.get("default_member_permissions")
    body["default_member_permissions"] = None if permissions is None else str(permissions)
    body["dm_permission"] = form.boolean("dm_permission") is not False
    body["nsfw"] = bool(form.boolean("nsfw"))
    body["integration_types"] = form.get("integration_types") or [0]
    body["contexts"] = form.get("contexts")
    return body


def _name(form: Form, kind: int) -> str:
    name = form.text("name", least=1, most=32, required=True) or ""
    if kind == CHAT and name and not _is_chat_name(name):
        form.complain("name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    return name


def _is_chat_name(name: str) -> bool:
    """Letters, numbers, - _ ' of any script, lower case where there is one."""
    allowed = all(
        char in "-_'" or unicodedata.category(char)[0] in "LN" or _is_indic(char) for char in name
    )
    return allowed and name == name.lower()


def _is_indic(char: str) -> bool:
    return re.fullmatch("[\u0900-\u097f\u0e00-\u0e7f]", char) is not None


def _options(form: Form, *, depth: int) -> list[Json]:
    read: list[Json] = []
    names: set[str] = set()
    optional_seen = False
    for option in form.forms("options", most=_MOST_OPTIONS):
        entry = _option(option, depth=depth)
        if entry["name"] in names:
            option.complain(
                "name",
                "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
                "Option name already exists",
            )
        names.add(entry["name"])
        if entry.get("required") and optional_seen:
            option.complain(
                "required",
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        optional_seen = optional_seen or not entry.get("required")
        read.append(entry)
    branches = {entry["type"] in (_SUBCOMMAND, _GROUP) for entry in read}
    if len(branches) > 1:
        form.complain(
            "options",
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            "Sub-command and sub-command group option types are mutually exclusive "
            "to all other types",
        )
    return read


def _option(option: Form, *, depth: int) -> Json:
    """Read an option; it is stored with the keys that were sent, as clients compare them."""
    kind = option.choice("type", range(1, 12), required=True) or 0
    read: Json = {
        "type": kind,
        "name": _name(option, CHAT),
        "description": option.text("description", least=1, most=100, required=True) or "",
    }
    if kind in (_SUBCOMMAND, _GROUP):
        if depth > 1 or (kind == _GROUP and depth > 0):
            message = "Sub-commands and groups cannot be nested deeper"
            option.complain("type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message)
        else:
            read["options"] = _options(option, depth=depth + 1)
    else:
        read["required"] = bool(option.boolean("required"))
        read["choices"] = _choices(option, kind)
        _read_limits(option, read, kind)
        _read_autocomplete(option, read, kind)
    read |= {key: option.get(key) for key in _LOCALIZED}
    kept = {*option.fields, "type", "name", "description"}
    return {key: value for key, value in read.items() if key in kept}


def _read_autocomplete(option: Form, read: Json, kind: int) -> None:
    read["autocomplete"] = bool(option.boolean("autocomplete"))
    if read["autocomplete"] and (read["choices"] or kind not in _WITH_CHOICES):
        option.complain(
            "autocomplete",
            "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID",
            "Autocomplete cannot be used with choices or on this type",
        )


def _read_limits(option: Form, read: Json, kind: int) -> None:
    if kind == _STRING:
        for name, least in (("min_length", 0), ("max_length", 1)):
            value = option.integer(name, least=least, most=6000)
            if value is not None:
                read[name] = value
    elif kind in (_INTEGER, _NUMBER):
        for name in ("min_value", "max_value"):
            value = option.get(name)
            if value is not None:
                read[name] = option.number(name)
    elif kind == _CHANNEL and option.get("channel_types") is not None:
        read["channel_types"] = option.get("channel_types")


def _choices(option: Form, kind: int) -> list[Json]:
    read: list[Json] = []
    for choice in option.forms("choices", most=25):
        value: Any = choice.get("value")
        if kind == _STRING:
            value = choice.text("value", least=1, most=100, required=True)
        elif kind == _INTEGER:
            value = choice.integer("value", least=-_MOST_INTEGER, most=_MOST_INTEGER, required=True)
        else:
            value = choice.number("value", required=True)
        name = choice.text("name", least=1, most=100, required=True)
        localized = {key: choice.get(key) for key in _LOCALIZED if key in choice}
        read.append({"name": name, "value": value, **localized})
    return read


def _characters(body: Json) -> int:
    """Count what Discord limits to 8000: names, descriptions and values."""
    own = len(body.get("name", "")) + len(body.get("description", ""))
    inside = sum(_characters(option) for option in body.get("options", ()))
    chosen = sum(len(c["name"] or "") + len(str(c["value"])) for c in body.get("choices", ()))
    return own + inside + chosen
