"""Lets members click, choose, use commands and fill in forms, as Discord's own client would."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tests.simulator.application import Command
from tests.simulator.channel import Channel, GuildChannel
from tests.simulator.errors import Json
from tests.simulator.interactions.interaction import Interaction, Kind
from tests.simulator.interactions.options import OptionFiller
from tests.simulator.interactions.outcome import Modal, Outcome
from tests.simulator.member import Member, NotPossible
from tests.simulator.message import SimMessage, label_of
from tests.simulator.message_json import message_json
from tests.simulator.permissions import Permission
from tests.simulator.validation.components import (
    ENTITY_SELECTS,
    LABEL,
    ROW,
    STRING_SELECT,
)

if TYPE_CHECKING:
    from tests.simulator.world import World

_ATTACHMENT_LIMIT = 10 * 1024 * 1024
_SLASH, _USER_MENU, _MESSAGE_MENU = 1, 2, 3


class Invoking:
    """Everything that makes an INTERACTION_CREATE."""

    def __init__(self, world: "World") -> None:
        self._world = world

    # ── components ──────────────────────────────────────────────────────────

    def click(self, member: Member, message: SimMessage, button: str) -> Outcome:
        """Click a button."""
        self._must_see(member, message)
        component = _find_button(message, button)
        data = {
            "custom_id": component["custom_id"],
            "component_type": component["type"],
            "id": component["id"],
        }
        return self._component(member, message, data, what=f"clicks {button!r}")

    def select(
        self, member: Member, message: SimMessage, values: Sequence[Any], *, menu: str | None
    ) -> Outcome:
        """Choose from a drop-down list."""
        self._must_see(member, message)
        component = _find_select(message, menu)
        if not component["min_values"] <= len(values) <= component["max_values"]:
            raise NotPossible(f"one chooses {component['min_values']} to {component['max_values']}")
        data: Json = {
            "custom_id": component["custom_id"],
            "component_type": component["type"],
            "id": component["id"],
        }
        if component["type"] == STRING_SELECT:
            data["values"] = [_option_value(component, value) for value in values]
        else:
            filler = self._filler(member, message.channel)
            data["values"] = [filler.entity(value) for value in values]
            data["resolved"] = filler.resolved
        return self._component(member, message, data, what=f"chooses {list(values)!r}")

    def _component(self, member: Member, message: SimMessage, data: Json, *, what: str) -> Outcome:
        interaction = self._world.interactions.open(
            Kind.COMPONENT, member, message.channel, what=what, source=message
        )
        return self._send(interaction, data)

    # ── commands ────────────────────────────────────────────────────────────

    def slash(
        self, member: Member, channel: Channel, path: str, given: Mapping[str, Any]
    ) -> Outcome:
        """Use a slash command."""
        name, *branches = path.removeprefix("/").split()
        command = self._command(member, channel, name, _SLASH)
        filler = self._filler(member, channel)
        options = filler.fill(command, branches, given, focus=None)
        data = self._command_data(command, options, filler.resolved)
        interaction = self._world.interactions.open(
            Kind.COMMAND, member, channel, what=f"uses /{path}", command_name=path
        )
        return self._send(interaction, data)

    async def autocomplete(
        self,
        member: Member,
        channel: Channel,
        path: str,
        *,
        typing: str,
        text: str,
        options: Mapping[str, Any],
    ) -> list[Json]:
        """Type into an option and return what is suggested.

        Raises:
            AssertionError: Nothing came within 3 s.
        """
        name, *branches = path.removeprefix("/").split()
        command = self._command(member, channel, name, _SLASH)
        filler = self._filler(member, channel)
        filled = filler.fill(command, branches, {**options, typing: text}, focus=typing)
        data = self._command_data(command, filled, filler.resolved)
        interaction = self._world.interactions.open(
            Kind.AUTOCOMPLETE, member, channel, what=f"types {text!r} into /{path}"
        )
        outcome = await self._send(interaction, data).settled()
        if not outcome.acknowledged:
            raise AssertionError(repr(outcome))
        return outcome.choices

    def user_menu(self, member: Member, channel: Channel, name: str, target: Member) -> Outcome:
        """Use an entry of a member's context menu."""
        if not member.permissions_in(channel) & Permission.SEND_MESSAGES:
            raise NotPossible(f"{member} has no SEND_MESSAGES in {channel}")
        command = self._command(member, channel, name, _USER_MENU)
        filler = self._filler(member, channel)
        filler.resolve_member(target)
        data = self._command_data(command, [], filler.resolved)
        return self._menu(member, channel, command, {**data, "target_id": str(target.id)})

    def message_menu(self, member: Member, name: str, target: SimMessage) -> Outcome:
        """Use an entry of a message's context menu."""
        self._must_see(member, target)
        command = self._command(member, target.channel, name, _MESSAGE_MENU)
        shown = message_json(target, self._world.bot)
        data = self._command_data(command, [], {"messages": {str(target.id): shown}})
        return self._menu(member, target.channel, command, {**data, "target_id": str(target.id)})

    def _menu(self, member: Member, channel: Channel, command: Command, data: Json) -> Outcome:
        interaction = self._world.interactions.open(
            Kind.COMMAND,
            member,
            channel,
            what=f"uses {command.name!r}",
            command_name=command.name,
            command_type=command.type,
        )
        return self._send(interaction, data)

    def _command(self, member: Member, channel: Channel, name: str, kind: int) -> Command:
        guild = channel.guild_or_none
        usable = self._world.application.usable_in(guild.id if guild else None)
        command = next((c for c in usable if c.name == name and c.type == kind), None)
        if command is None:
            known = sorted(c.name for c in usable if c.type == kind)
            raise NotPossible(f"there is no command {name!r}; registered are {known}")
        needed = command.body.get("default_member_permissions")
        if needed is not None and guild is not None:
            missing = Permission(int(needed)) & ~member.permissions
            admin = member.permissions & Permission.ADMINISTRATOR
            if (missing or needed == "0") and not admin:
                raise NotPossible(f"{member} does not see the command {name!r}")
        if not member.permissions_in(channel) & Permission.USE_APPLICATION_COMMANDS:
            raise NotPossible(f"{member} may not use commands in {channel}")
        return command

    def _command_data(self, command: Command, options: list[Json], resolved: Json) -> Json:
        data: Json = {"id": str(command.id), "name": command.name, "type": command.type}
        if options:
            data["options"] = options
        if resolved:
            data["resolved"] = resolved
        if command.guild_id is not None:
            data["guild_id"] = str(command.guild_id)
        return data

    # ── forms ───────────────────────────────────────────────────────────────

    def submit(self, member: Member, modal: Modal, values: Mapping[str, Any]) -> Outcome:
        """Fill in a form and send it off; what is not named keeps its preset value."""
        left = dict(values)
        components = [_filled(part, left) for part in modal.components]
        if left:
            raise NotPossible(f"the form {modal.title!r} has no field {sorted(left)}")
        opened_by = modal.opened_by
        interaction = self._world.interactions.open(
            Kind.MODAL,
            member,
            opened_by.channel,
            what=f"submits {modal.title!r}",
            source=opened_by.source,
        )
        return self._send(interaction, {"custom_id": modal.custom_id, "components": components})

    # ── sending ─────────────────────────────────────────────────────────────

    def _send(self, interaction: Interaction, data: Json) -> Outcome:
        payload = self._payload(interaction, data)
        guild = interaction.channel.guild_or_none
        self._world.events.dispatch(
            "INTERACTION_CREATE", payload, guild_id=guild.id if guild else None, always=True
        )
        return interaction.outcome

    def _payload(self, interaction: Interaction, data: Json) -> Json:
        channel, member, world = interaction.channel, interaction.member, self._world
        payload: Json = {
            "id": str(interaction.id),
            "application_id": str(world.application.id),
            "type": int(interaction.kind),
            "token": interaction.token,
            "version": 1,
            "data": data,
            "channel_id": str(channel.id),
            "channel": {"id": str(channel.id), "type": channel.kind},
            "locale": "en-US",
            "entitlements": [],
            "attachment_size_limit": _ATTACHMENT_LIMIT,
            "app_permissions": str(int(world.allowed(channel))),
        }
        if isinstance(channel, GuildChannel):
            guild_id = str(channel.guild.id)
            permissions = member.permissions_in(channel)
            payload |= {
                "guild_id": guild_id,
                "guild": {"id": guild_id, "locale": "en-US", "features": []},
                "guild_locale": "en-US",
                "context": 0,
                "authorizing_integration_owners": {"0": guild_id},
                "channel": channel.partial_json(permissions),
                "member": {**member.json(), "permissions": str(int(permissions))},
            }
        else:
            payload |= {
                "user": member.user.json(),
                "context": 1,
                "authorizing_integration_owners": {"0": "0"},
            }
        if interaction.source is not None:
            payload["message"] = message_json(interaction.source, world.bot)
        return payload

    def _must_see(self, member: Member, message: SimMessage) -> None:
        if message.deleted:
            raise NotPossible(f"the message is gone: {message.describe()}")
        if message.only_for not in (None, member.user):
            raise NotPossible(f"{member} does not see {message.describe()}")
        if not member.permissions_in(message.channel) & Permission.VIEW_CHANNEL:
            raise NotPossible(f"{member} does not see {message.channel}")

    def _filler(self, member: Member, channel: Channel) -> OptionFiller:
        return OptionFiller(member, channel.id, self._world.cdn)


def _find_button(message: SimMessage, button: str) -> Json:
    for component in message.buttons:
        emoji = (component.get("emoji") or {}).get("name")
        names = (component.get("custom_id"), component.get("label"), emoji, label_of(component))
        if button not in names:
            continue
        if component.get("disabled"):
            raise NotPossible(f"the button {button!r} is disabled on {message.describe()}")
        if "custom_id" not in component:
            raise NotPossible(f"the button {button!r} is a link")
        return component
    raise NotPossible(f"there is no button {button!r} on {message.describe()}")


def _find_select(message: SimMessage, menu: str | None) -> Json:
    for component in message.selects:
        if menu in (None, component["custom_id"], component.get("placeholder")):
            if component.get("disabled"):
                raise NotPossible(f"the list is disabled on {message.describe()}")
            return component
    raise NotPossible(f"there is no list {menu or ''} on {message.describe()}")


def _option_value(component: Json, wanted: Any) -> str:
    for option in component["options"]:
        if wanted in (option["value"], option["label"]):
            return str(option["value"])
    known = [option["label"] for option in component["options"]]
    raise NotPossible(f"the list has no {wanted!r}, but {known}")


def _filled(part: Json, values: dict[str, Any]) -> Json:
    if part["type"] == ROW:
        return {
            "type": ROW,
            "id": part["id"],
            "components": [_input(entry, entry["label"], values) for entry in part["components"]],
        }
    if part["type"] == LABEL:
        inside = _input(part["component"], part["label"], values)
        return {"type": LABEL, "id": part["id"], "component": inside}
    return {"type": part["type"], "id": part["id"]}


def _input(component: Json, label: str, values: dict[str, Any]) -> Json:
    base = {key: component[key] for key in ("type", "id", "custom_id")}
    given = values.pop(label, values.pop(component["custom_id"], None))
    if component["type"] == STRING_SELECT or component["type"] in ENTITY_SELECTS:
        return {**base, "values": [str(value) for value in given or ()]}
    text = str(component.get("value", "") if given is None else given)
    if component["required"] and not text:
        raise NotPossible(f"the field {label!r} must be filled in")
    if text and not component["min_length"] <= len(text) <= component["max_length"]:
        raise NotPossible(f"{label!r} takes {component['min_length']} to {component['max_length']}")
    return {**base, "value": text}
