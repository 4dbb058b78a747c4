"""A command's arguments, declared once and read from typed words and slash options alike.

Each kind of argument knows three things: how it is read from the words after a prefix command
(`from_words`), which options a slash command offers for it (`options`, Discord's "Application
Command Option"), and how those are read (`from_options`). Both ways end in the same value, or in
the same `WrongArgument`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, override

from bot.kit.clicks.click import Choices
from bot.kit.people import AttachedFile, GuildMember, Members, file_of
from bot.kit.replies import Json

_STRING, _INTEGER, _USER, _ATTACHMENT = 3, 4, 6, 11
_MAX_STRING = 2000
_MENTION = re.compile(r"<@!?(\d{1,20})>|(\d{15,20})")
_QUOTED = re.compile(r'["“„](?P<inside>[^"“”„]*)["”“](?=\s|$)')
_WORD = re.compile(r"\S+")

type Autocomplete = Callable[..., Awaitable[Choices]]
"""Suggests values for what a member has typed so far: a function of the request.

A cog's own method may stand here, named in the class's body; `CommandSet` binds it to the cog.
"""


class WrongArgument(Exception):
    """An argument is missing or wrong; the text says what is, the usage line follows."""


class Words:
    """The line after a command's name, read from its left end."""

    def __init__(
        self, line: str, *, members: Members, attachments: Sequence[AttachedFile] = ()
    ) -> None:
        self._line = line.strip()
        self.members = members
        self.attachments = tuple(attachments)

    def peek(self) -> str | None:
        """Return the next word without taking it, None at the end."""
        word = _WORD.match(self._line)
        return word[0] if word else None

    def take(self) -> str | None:
        """Take the next word, or the next words in quotation marks; None at the end."""
        quoted = _QUOTED.match(self._line)
        found = quoted or _WORD.match(self._line)
        if found is None:
            return None
        self._line = self._line[found.end() :].lstrip()
        return quoted["inside"].strip() if quoted else found[0]

    def take_longest(self, fits: Callable[[str], bool], *, most: int) -> str | None:
        """Take as many words, `most` at most, as are accepted together; None: not even one is."""
        found = list(islice(_WORD.finditer(self._line), most))
        for last in reversed(found):
            text = " ".join(self._line[: last.end()].split())
            if fits(text):
                self._line = self._line[last.end() :].lstrip()
                return text
        return None

    def take_rest(self) -> str | None:
        """Take everything that is left as it was typed; None at the end."""
        rest, self._line = self._line, ""
        return rest or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The values that a member chose in a slash command, as Discord sends them."""

    values: Mapping[str, Any]
    members: Members
    resolved: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Argument(ABC):
    """One argument of a command; without `required` it may be left out and is then `default`."""

    name: str
    """Lower case; the handler's parameter and the slash option are called so."""
    description: str
    """At most 100 characters."""
    required: bool = True
    default: object = None

    @property
    def shown(self) -> str:
        """The argument as it stands in the usage line."""
        return f"<{self.name}>" if self.required else f"[{self.name}]"

    @abstractmethod
    def from_words(self, words: Words) -> object:
        """Read the value from the line; None where it was left out.

        Raises:
            WrongArgument: what stands there is no such value.
        """

    @abstractmethod
    def from_options(self, options: Options) -> object:
        """Read the value from slash options; None where it was left out.

        Raises:
            WrongArgument: what was chosen is no such value.
        """

    @abstractmethod
    def options(self) -> list[Json]:
        """Return the slash options that ask for it."""

    def _option(self, kind: int, **more: object) -> Json:
        return {
            "type": kind,
            "name": self.name,
            "description": self.description,
            "required": self.required,
            **more,
        }


def read(arguments: Sequence[Argument], source: Words | Options) -> dict[str, object]:
    """Return the values of all arguments by name.

    Raises:
        WrongArgument: one is missing or wrong.
    """
    values: dict[str, object] = {}
    for argument in arguments:
        value = (
            argument.from_words(source)
            if isinstance(source, Words)
            else argument.from_options(source)
        )
        if value is None and argument.required:
            raise WrongArgument(f"`{argument.name}` is missing.")
        values[argument.name] = argument.default if value is None else value
    return values


@dataclass(frozen=True, kw_only=True)
class Text(Argument):
    """A word, or several in quotation marks; with `rest`, everything to the end of the line."""

    rest: bool = False
    max_length: int = _MAX_STRING
    autocomplete: Autocomplete | None = None

    @override
    def from_words(self, words: Words) -> str | None:
        return self._checked(words.take_rest() if self.rest else words.take())

    @override
    def from_options(self, options: Options) -> str | None:
        return self._checked(options.values.get(self.name))

    @override
    def options(self) -> list[Json]:
        more: Json = {"max_length": self.max_length}
        if self.autocomplete is not None:
            more["autocomplete"] = True
        return [self._option(_STRING, **more)]

    def _checked(self, value: str | None) -> str | None:
        text = (value or "").strip()
        if len(text) > self.max_length:
            raise WrongArgument(f"`{self.name}` can have {self.max_length} characters at most.")
        return text or None


@dataclass(frozen=True, kw_only=True)
class Parsed[T](Argument):
    """A value that `parse` makes of a word, or of the rest of the line."""

    parse: Callable[[str], T]
    """Raises `WrongArgument` for a text that it does not understand."""
    rest: bool = False

    @override
    def from_words(self, words: Words) -> T | None:
        return self._parsed(words.take_rest() if self.rest else words.take())

    @override
    def from_options(self, options: Options) -> T | None:
        return self._parsed(options.values.get(self.name))

    @override
    def options(self) -> list[Json]:
        return [self._option(_STRING, max_length=_MAX_STRING)]

    def _parsed(self, text: str | None) -> T | None:
        return self.parse(text.strip()) if text and text.strip() else None


@dataclass(frozen=True, kw_only=True)
class LeadingWords(Argument):
    """As many words as belong together; a text that does not fit is handed on as its first word."""

    fits: Callable[[str], bool]
    most: int = 14

    @override
    def from_words(self, words: Words) -> str | None:
        return words.take_longest(self.fits, most=self.most) or words.take()

    @override
    def from_options(self, options: Options) -> str | None:
        return (options.values.get(self.name) or "").strip() or None

    @override
    def options(self) -> list[Json]:
        return [self._option(_STRING, max_length=_MAX_STRING)]


@dataclass(frozen=True, kw_only=True)
class Integer(Argument):
    """A whole number from `least` to `most`."""

    least: int = 1
    most: int = 1_000_000
    strict: bool = True
    """Whether other numbers are refused here; else the handler does, which knows better limits."""

    @override
    def from_words(self, words: Words) -> int | None:
        word = words.take()
        if word is None:
            return None
        try:
            return self._checked(int(word))
        except ValueError:
            raise WrongArgument(f"`{self.name}` must be a whole number.") from None

    @override
    def from_options(self, options: Options) -> int | None:
        value = options.values.get(self.name)
        return None if value is None else self._checked(int(value))

    @override
    def options(self) -> list[Json]:
        return [self._option(_INTEGER, min_value=self.least, max_value=self.most)]

    def _checked(self, number: int) -> int:
        if self.strict and not self.least <= number <= self.most:
            raise WrongArgument(f"`{self.name}` must be from {self.least} to {self.most}.")
        return number


@dataclass(frozen=True, kw_only=True)
class OneOf(Argument):
    """One word of a few."""

    choices: tuple[str, ...]

    @override
    @property
    def shown(self) -> str:
        words = "/".join(self.choices)
        return f"<{words}>" if self.required else f"[{words}]"

    @override
    def from_words(self, words: Words) -> str | None:
        return self._checked(words.take())

    @override
    def from_options(self, options: Options) -> str | None:
        return self._checked(options.values.get(self.name))

    @override
    def options(self) -> list[Json]:
        choices = [{"name": choice, "value": choice} for choice in self.choices]
        return [self._option(_STRING, choices=choices)]

    def _checked(self, value: str | None) -> str | None:
        if value is None or value.lower() in self.choices:
            return value and value.lower()
        raise WrongArgument(f"`{self.name}` must be one of {', '.join(self.choices)}.")


@dataclass(frozen=True, kw_only=True)
class Member(Argument):
    """A member of the guild: a mention, an id, or a name."""

    @override
    @property
    def shown(self) -> str:
        return f"<@{self.name}>" if self.required else f"[@{self.name}]"

    @override
    def from_words(self, words: Words) -> GuildMember | None:
        word = words.take()
        if word is None:
            return None
        member = _member(word, words.members) or words.members.by_name(word)
        if member is None:
            raise WrongArgument(f"`{self.name}` must be a member of this server.")
        return member

    @override
    def from_options(self, options: Options) -> GuildMember | None:
        return _chosen_member(self.name, options)

    @override
    def options(self) -> list[Json]:
        return [self._option(_USER)]


@dataclass(frozen=True, kw_only=True)
class SeveralMembers(Argument):
    """One to `most` members; on slash one option each (`user`, `user2`, …)."""

    most: int = 5

    @override
    @property
    def shown(self) -> str:
        return f"<@{self.name}> … (up to {self.most})"

    @override
    def from_words(self, words: Words) -> tuple[GuildMember, ...] | None:
        found: dict[int, GuildMember] = {}
        while (word := words.peek()) is not None and _MENTION.fullmatch(word):
            member = _member(word, words.members)
            if member is None:
                raise WrongArgument(f"`{self.name}` must be members of this server.")
            found[member.id] = member
            words.take()
        if len(found) > self.most:
            raise WrongArgument(f"`{self.name}` can be {self.most} members at most.")
        return tuple(found.values()) or None

    @override
    def from_options(self, options: Options) -> tuple[GuildMember, ...] | None:
        chosen = (_chosen_member(name, options) for name in self._names())
        found = {member.id: member for member in chosen if member is not None}
        return tuple(found.values()) or None

    @override
    def options(self) -> list[Json]:
        first, *others = self._names()
        more = [
            {"type": _USER, "name": name, "description": self.description, "required": False}
            for name in others
        ]
        return [{**self._option(_USER), "name": first}, *more]

    def _names(self) -> list[str]:
        return [self.name, *(f"{self.name}{number}" for number in range(2, self.most + 1))]


@dataclass(frozen=True, kw_only=True)
class File(Argument):
    """A file: the first on the message, or an option of the slash command."""

    @override
    @property
    def shown(self) -> str:
        return f"<{self.name} attached>" if self.required else f"[{self.name} attached]"

    @override
    def from_words(self, words: Words) -> AttachedFile | None:
        return words.attachments[0] if words.attachments else None

    @override
    def from_options(self, options: Options) -> AttachedFile | None:
        identifier = options.values.get(self.name)
        if identifier is None:
            return None
        return file_of(options.resolved["attachments"][identifier])

    @override
    def options(self) -> list[Json]:
        return [self._option(_ATTACHMENT)]


def _member(word: str, members: Members) -> GuildMember | None:
    mention = _MENTION.fullmatch(word)
    return members.by_id(int(mention[1] or mention[2])) if mention else None


def _chosen_member(name: str, options: Options) -> GuildMember | None:
    identifier = options.values.get(name)
    if identifier is None:
        return None
    member = options.members.by_id(int(identifier))
    if member is None:
        raise WrongArgument(f"`{name}` must be a member of this server.")
    return member
