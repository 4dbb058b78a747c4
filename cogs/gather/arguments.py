"""The arguments that only `gather` has: when and with how many, and whom, roles included."""

import re
from dataclasses import dataclass
from typing import override

from bot.kit.converters import Argument, Options, Words, WrongArgument
from bot.kit.people import GuildMember
from bot.kit.replies import Json

_STRING, _INTEGER, _MENTIONABLE = 3, 4, 9
_MOST_WANTED = 1000
_QUORUM = re.compile(r"(?:^|\s)min:\s*(\S+)", re.IGNORECASE)
_MEMBER = re.compile(r"<@!?(\d{1,20})>|(\d{15,20})")
_ROLE = re.compile(r"<@&(\d{1,20})>")


@dataclass(frozen=True, slots=True)
class Plan:
    """When a gathering is to start, as it was typed, and how many are wanted at least."""

    when: str | None
    quorum: int | None


@dataclass(frozen=True, kw_only=True)
class PlanArgument(Argument):
    """`10m min:4`, both parts optional, in any order; on slash two options."""

    @override
    @property
    def shown(self) -> str:
        return f"[{self.name}] [min:4]"

    @override
    def from_words(self, words: Words) -> Plan:
        line = words.take_rest() or ""
        wanted = _QUORUM.search(line)
        when = _QUORUM.sub(" ", line).strip()
        return Plan(when or None, None if wanted is None else _quorum(wanted[1]))

    @override
    def from_options(self, options: Options) -> Plan:
        when, wanted = options.values.get(self.name), options.values.get("min")
        return Plan((when or "").strip() or None, None if wanted is None else _quorum(wanted))

    @override
    def options(self) -> list[Json]:
        return [
            self._option(_STRING, max_length=64),
            {
                "type": _INTEGER,
                "name": "min",
                "description": "Announce when so many are here",
                "required": False,
                "min_value": 1,
                "max_value": _MOST_WANTED,
            },
        ]


def _quorum(value: str | int) -> int:
    try:
        number = int(value)
    except ValueError:
        raise WrongArgument("`min` must be a whole number, such as `min:4`.") from None
    if not 1 <= number <= _MOST_WANTED:
        raise WrongArgument(f"`min` must be between 1 and {_MOST_WANTED}.")
    return number


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Members and roles that a command named; at least one of them."""

    members: tuple[GuildMember, ...]
    role_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Mentionables(Argument):
    """One to `most` members and roles; on slash one option each (`user`, `user2`, …)."""

    most: int = 5

    @override
    @property
    def shown(self) -> str:
        return f"<@{self.name} or role> … (up to {self.most})"

    @override
    def from_words(self, words: Words) -> Mentioned | None:
        members: dict[int, GuildMember] = {}
        role_ids: dict[int, None] = {}
        while (word := words.peek()) is not None:
            if role := _ROLE.fullmatch(word):
                role_ids[int(role[1])] = None
            else:
                member = self._member(word, words)
                members[member.id] = member
            words.take()
        return self._mentioned(members, role_ids)

    @override
    def from_options(self, options: Options) -> Mentioned | None:
        members: dict[int, GuildMember] = {}
        role_ids: dict[int, None] = {}
        for name in self._names():
            identifier = options.values.get(name)
            if identifier is None:
                continue
            if str(identifier) in (options.resolved.get("roles") or {}):
                role_ids[int(identifier)] = None
            elif (member := options.members.by_id(int(identifier))) is not None:
                members[member.id] = member
            else:
                raise self._nobody()
        return self._mentioned(members, role_ids)

    @override
    def options(self) -> list[Json]:
        first, *others = self._names()
        more = [
            {"type": _MENTIONABLE, "name": n, "description": self.description, "required": False}
            for n in others
        ]
        return [{**self._option(_MENTIONABLE), "name": first}, *more]

    def _member(self, word: str, words: Words) -> GuildMember:
        mention = _MEMBER.fullmatch(word)
        member = words.members.by_id(int(mention[1] or mention[2])) if mention else None
        if member is None:
            raise self._nobody()
        return member

    def _mentioned(
        self, members: dict[int, GuildMember], role_ids: dict[int, None]
    ) -> Mentioned | None:
        if len(members) + len(role_ids) > self.most:
            raise WrongArgument(f"`{self.name}` can be {self.most} at most; a role counts as one.")
        return Mentioned(tuple(members.values()), tuple(role_ids)) if members or role_ids else None

    def _nobody(self) -> WrongArgument:
        return WrongArgument(f"`{self.name}` must be members or roles of this server.")

    def _names(self) -> list[str]:
        return [self.name, *(f"{self.name}{number}" for number in range(2, self.most + 1))]
