"""Commands, declared once: `@command(...)` on a method makes a prefix command and a slash command.

The declaration is a value (`CommandSpec`). `bot.kit.prefix_commands` and `bot.kit.slash_commands`
read it, and both hand the same `Invocation` and the same argument values to the same handler, so
the two cannot drift apart. Help, usage lines and the documentation are made of it too.

A name may have two words (`gather start`): the first is then a group. Slash names allow letters
and digits only, so a command may have another path there (`+rep` is `/rep add`). Aliases exist
for prefix commands only.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bot.kit.converters import Argument, Text
from bot.kit.invocation import Invocation
from bot.kit.replies import Reply

type Check = Callable[[Invocation], None]
"""Raises a `Refusal` when the command may not go on."""
type Handler = Callable[..., Awaitable[Reply | None]]
"""Gets the invocation and the arguments by name; a returned reply is the command's answer."""

_SPEC = "__command_spec__"
_MENU = "__menu_spec__"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """All that is to be known about a command, apart from what it does."""

    name: str
    """One or two words, as typed after the prefix."""
    summary: str
    """One sentence of at most 100 characters, without a full stop."""
    arguments: tuple[Argument, ...] = ()
    aliases: tuple[str, ...] = ()
    """Other names after the prefix; for a command of a group, of its last word."""
    slash: str = ""
    """Its path as a slash command where that is not its name; one or two words."""
    checks: tuple[Check, ...] = ()
    examples: tuple[str, ...] = ()
    details: str = ""
    """More sentences for its own help page."""
    section: str = ""
    """The heading that it stands under in the list of commands."""
    opens_form: bool = False
    """On slash it answers with a form instead of a message."""
    private: bool = False
    """On slash only who asked sees the answer."""

    @property
    def path(self) -> tuple[str, ...]:
        """The words of its name as a prefix command."""
        return tuple(self.name.split())

    @property
    def slash_path(self) -> tuple[str, ...]:
        """The words of its name as a slash command."""
        return tuple((self.slash or self.name).split())

    def usage(self, prefix: str) -> str:
        """Return how it is written: `!skip [count]`, or `/skip [count]`."""
        name = " ".join(self.slash_path) if prefix == "/" else self.name
        return " ".join([f"{prefix}{name}", *(argument.shown for argument in self.arguments)])


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandGroup:
    """The first word of commands with two; needed only for a summary or aliases of its own."""

    name: str
    summary: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BoundCommand:
    """A command with the object that carries it out."""

    spec: CommandSpec
    handler: Handler = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuSpec:
    """An entry of the menu that opens on a user or a message; its handler gets the target."""

    name: str
    target: Literal["user", "message"]
    checks: tuple[Check, ...] = ()
    opens_form: bool = False
    private: bool = False


@dataclass(frozen=True, slots=True)
class BoundMenu:
    """A context menu entry with the object that carries it out."""

    spec: MenuSpec
    handler: Handler = field(repr=False)


def command[H: Handler](spec: CommandSpec) -> Callable[[H], H]:
    """Declare a method as a command.

    Raises:
        TypeError: the method's parameters are not the spec's arguments.
    """

    def declare(handler: H) -> H:
        parameters = list(inspect.signature(handler).parameters)[2:]
        if parameters != [argument.name for argument in spec.arguments]:
            raise TypeError(f"{spec.name}: the handler takes {parameters}")
        setattr(handler, _SPEC, spec)
        return handler

    return declare


def menu[H: Handler](spec: MenuSpec) -> Callable[[H], H]:
    """Declare a method as an entry of a user's or message's context menu."""

    def declare(handler: H) -> H:
        setattr(handler, _MENU, spec)
        return handler

    return declare


class CommandSet:
    """All commands of the bot; adding two of one name is a mistake that ends the start."""

    def __init__(self) -> None:
        self._by_path: dict[tuple[str, ...], BoundCommand] = {}
        self._by_slash: dict[tuple[str, ...], BoundCommand] = {}
        self._menus: dict[tuple[str, str], BoundMenu] = {}
        self._groups: dict[str, CommandGroup] = {}

    def add(self, cog: object, *, section: str = "") -> None:
        """Take in the commands, context menus and `groups` of a cog.

        Raises:
            ValueError: a name is taken.
        """
        for group in getattr(cog, "groups", ()):
            self._groups[group.name] = group
        for _, handler in _methods(cog):
            spec: CommandSpec | None = getattr(handler, _SPEC, None)
            if spec is not None:
                arguments = tuple(_bound(argument, cog) for argument in spec.arguments)
                own = replace(spec, section=spec.section or section, arguments=arguments)
                self._add_command(BoundCommand(own, handler))
            entry: MenuSpec | None = getattr(handler, _MENU, None)
            if entry is not None:
                _put(self._menus, (entry.target, entry.name), BoundMenu(entry, handler))

    def _add_command(self, bound: BoundCommand) -> None:
        spec = bound.spec
        for path in (spec.path, *((*spec.path[:-1], alias) for alias in spec.aliases)):
            _put(self._by_path, path, bound)
        _put(self._by_slash, spec.slash_path, bound)

    def __iter__(self) -> Iterator[BoundCommand]:
        return iter(self._by_slash.values())

    @property
    def menus(self) -> Iterable[BoundMenu]:
        """The entries of context menus."""
        return self._menus.values()

    def group(self, name: str) -> CommandGroup:
        """Return the group of that name, with a summary in any case."""
        if declared := self._groups.get(name):
            return declared
        paths = [path for b in self for path in {b.spec.path, b.spec.slash_path}]
        verbs = ", ".join(path[1] for path in paths if path[0] == name and len(path) > 1)
        return CommandGroup(name=name, summary=f"{name}: {verbs}"[:100])

    def find(self, words: str) -> BoundCommand | None:
        """Return the command of that name, alias or slash path."""
        path = tuple(words.lower().split())
        if path and (group := self._alias_of_group(path[0])):
            path = (group, *path[1:])
        return self._by_path.get(path) or self._by_slash.get(path)

    def in_group(self, name: str) -> list[BoundCommand]:
        """Return the commands whose first word is `name`, in the order of their declaration."""
        group = self._alias_of_group(name) or name
        return [b for b in self if len(b.spec.path) > 1 and b.spec.path[0] == group]

    def on_slash(self, path: tuple[str, ...]) -> BoundCommand | None:
        """Return the slash command of that path."""
        return self._by_slash.get(path)

    def on_menu(self, target: str, name: str) -> BoundMenu | None:
        """Return the context menu entry; `target` is "user" or "message"."""
        return self._menus.get((target, name))

    def _alias_of_group(self, word: str) -> str | None:
        return next((g.name for g in self._groups.values() if word in g.aliases), None)


def _methods(cog: object) -> list[tuple[str, Any]]:
    """Return the cog's methods in the order in which they were written."""
    names = [name for cls in reversed(type(cog).__mro__) for name in vars(cls)]
    return [(name, getattr(cog, name)) for name in dict.fromkeys(names)]


def _bound(argument: Argument, cog: object) -> Argument:
    """Bind suggestions that are a method of the cog's class to the cog."""
    if isinstance(argument, Text) and argument.autocomplete is not None:
        name = getattr(argument.autocomplete, "__name__", "")
        if getattr(type(cog), name, None) is argument.autocomplete:
            return replace(argument, autocomplete=getattr(cog, name))
    return argument


def _put[K, V](table: dict[K, V], key: K, value: V) -> None:
    if key in table:
        raise ValueError(f"there are two commands named {key}")
    table[key] = value
