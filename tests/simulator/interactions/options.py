"""Turns what a member fills into a slash command into the options that the bot gets."""

from collections.abc import Mapping
from typing import Any

from tests.simulator.application import Command
from tests.simulator.attachments import Cdn, Upload
from tests.simulator.channel import GuildChannel
from tests.simulator.errors import Json
from tests.simulator.member import Member, NotPossible
from tests.simulator.people import Role, User

SUBCOMMAND, GROUP = 1, 2
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(3, 12)
_ENTITIES = {Member: "a member", User: "a user", GuildChannel: "a channel", Role: "a role"}


class OptionFiller:
    """Fills the options of one use of a command, and collects what `resolved` must hold."""

    def __init__(self, member: Member, channel_id: int, cdn: Cdn) -> None:
        self._member = member
        self._channel_id = channel_id
        self._cdn = cdn
        self.resolved: Json = {}

    def fill(
        self, command: Command, path: list[str], given: Mapping[str, Any], *, focus: str | None
    ) -> list[Json]:
        """Return the tree of options for `path` (the subcommand's names).

        Raises:
            NotPossible: Discord's client would not send that.
        """
        declared = command.body.get("options", [])
        branches: list[Json] = []
        for step in path:
            entry = next((o for o in declared if o["name"] == step and o["type"] <= GROUP), None)
            if entry is None:
                known = [o["name"] for o in declared]
                raise NotPossible(f"/{command.name} has no subcommand {step!r}, but {known}")
            branches.append(entry)
            declared = entry.get("options", [])
        if any(option["type"] <= GROUP for option in declared):
            known = [o["name"] for o in declared]
            raise NotPossible(f"/{command.name} needs a subcommand: {known}")
        options = self._leaves(command, declared, given, focus=focus)
        for entry in reversed(branches):
            options = [{"name": entry["name"], "type": entry["type"], "options": options}]
        return options

    def _leaves(
        self, command: Command, declared: list[Json], given: Mapping[str, Any], *, focus: str | None
    ) -> list[Json]:
        names = {option["name"] for option in declared}
        if unknown := set(given) - names:
            raise NotPossible(f"/{command.name} has no option {sorted(unknown)}, but {names}")
        filled: list[Json] = []
        for option in declared:
            name = option["name"]
            if name not in given:
                if option.get("required") and focus is None:
                    raise NotPossible(f"/{command.name} needs the option {name!r}")
                continue
            entry = {"name": name, "type": option["type"]}
            if name == focus:
                filled.append({**entry, "value": str(given[name]), "focused": True})
            else:
                filled.append({**entry, "value": self._value(option, given[name])})
        return filled

    def _value(self, option: Json, value: Any) -> Any:
        kind = option["type"]
        if kind in (USER, CHANNEL, ROLE, MENTIONABLE):
            return self.entity(value)
        if kind == ATTACHMENT:
            return self._attachment(value)
        choices = option.get("choices")
        if choices:
            by_name = {choice["name"]: choice["value"] for choice in choices}
            value = by_name.get(value, value)
            if value not in by_name.values():
                raise NotPossible(f"{option['name']!r} must be one of {list(by_name)}")
        if kind == STRING:
            return self._string(option, value)
        if kind == BOOLEAN:
            return bool(value)
        number = int(value) if kind == INTEGER else float(value)
        if not option.get("min_value", number) <= number <= option.get("max_value", number):
            raise NotPossible(f"{option['name']!r} does not take {number}")
        return number

    def _string(self, option: Json, value: Any) -> str:
        text = str(value)
        least, most = option.get("min_length", 0), option.get("max_length", 6000)
        if not max(1, least) <= len(text) <= most:
            raise NotPossible(f"{option['name']!r} takes {least} to {most} characters")
        return text

    def entity(self, value: Any) -> str:
        """Put a member, user, role or channel into `resolved` and return its id."""
        if isinstance(value, User):
            value = self._member.guild.members.get(value.id, value)
        if isinstance(value, Member):
            self.resolve_member(value)
        elif isinstance(value, User):
            self._resolve("users", value.id, value.json())
        elif isinstance(value, Role):
            self._resolve("roles", value.id, value.json())
        elif isinstance(value, GuildChannel):
            permissions = self._member.permissions_in(value)
            self._resolve("channels", value.id, value.partial_json(permissions))
        else:
            raise NotPossible(f"{value!r} is none of {sorted(_ENTITIES.values())}")
        return str(value.id)

    def resolve_member(self, member: Member) -> None:
        """Put a member and its user into `resolved`."""
        data = member.json(with_user=False)
        for name in ("deaf", "mute"):
            del data[name]
        self._resolve("users", member.id, member.user.json())
        self._resolve("members", member.id, {**data, "permissions": str(int(member.permissions))})

    def _attachment(self, value: Any) -> str:
        if not isinstance(value, Upload):
            raise NotPossible(f"{value!r} is no file: give an Upload")
        attachment = self._cdn.store(self._channel_id, value)
        self._resolve("attachments", int(attachment["id"]), attachment)
        return str(attachment["id"])

    def _resolve(self, kind: str, entity_id: int, data: Json) -> None:
        self.resolved.setdefault(kind, {})[str(entity_id)] = data
