"""`help`: what there is, and how each command is written."""

from itertools import groupby

from bot.kit.converters import Text
from bot.kit.dual_command import BoundCommand, CommandSet, CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.replies import Field, Reply, info
from bot.kit.typed_text import code, plain
from services.errors import NothingFound

_READING_SECONDS = 120.0
_USAGE = 200
_FIELD = 1000


class Help:
    """Explains the commands of a set, itself included."""

    def __init__(self, commands: CommandSet) -> None:
        self._commands = commands

    @command(
        CommandSpec(
            name="help",
            summary="Show all commands, or explain one",
            arguments=(Text(name="name", description="Which command", rest=True, required=False),),
            aliases=("commands", "h"),
            examples=("help", "help play"),
        )
    )
    async def help(self, call: Invocation, name: str | None) -> Reply:
        """Show the list, a group, or one command."""
        if name is None:
            return overview(list(self._commands), call.prefix)
        wanted = name.removeprefix(call.prefix)
        if (bound := self._commands.find(wanted)) is not None:
            return page(bound.spec, call.prefix)
        if members := self._commands.in_group(wanted.lower()):
            return overview(members, call.prefix)
        raise NothingFound(f"There is no command {code(plain(wanted, 40), 50)}.")


def overview(commands: list[BoundCommand], prefix: str) -> Reply:
    """Show one line for each command, under the headings of its section."""
    specs = sorted((bound.spec for bound in commands), key=lambda spec: spec.section)
    fields = tuple(
        field
        for section, group in groupby(specs, key=lambda spec: spec.section)
        for field in _section(section or "More", [_line(spec, prefix) for spec in group])
    )
    return info(
        "📖 Commands",
        f"Every command is a slash command too. More on one: {code(f'{prefix}help play', 40)}",
        fields=fields,
        seconds=_READING_SECONDS,
    )


def _section(heading: str, lines: list[str]) -> list[Field]:
    """Return the lines in as many fields as they need."""
    parts = [""]
    for line in lines:
        if len(parts[-1]) + len(line) >= _FIELD:
            parts.append("")
        parts[-1] += f"{line}\n"
    names = [heading, *[f"{heading}, more"] * (len(parts) - 1)]
    return [Field(name, part, inline=False) for name, part in zip(names, parts, strict=True)]


def page(spec: CommandSpec, prefix: str) -> Reply:
    """Explain one command."""
    fields = [Field("Written", code(spec.usage(prefix), _USAGE), inline=False)]
    if spec.aliases:
        fields.append(Field("Also", " ".join(code(alias, 40) for alias in spec.aliases)))
    if spec.examples:
        shown = "\n".join(code(f"{prefix}{example}", _USAGE) for example in spec.examples)
        fields.append(Field("For example", shown, inline=False))
    for argument in spec.arguments:
        fields.append(Field(argument.name, argument.description))  # noqa: PERF401 -- reads better
    return info(
        f"📖 {prefix}{spec.name}",
        f"{spec.summary}. {spec.details}".strip(),
        fields=tuple(fields),
        seconds=_READING_SECONDS,
    )


def _line(spec: CommandSpec, prefix: str) -> str:
    return f"{code(f'{prefix}{spec.name}', 60)} {spec.summary}"
