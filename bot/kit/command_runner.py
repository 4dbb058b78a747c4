"""Carries a command out, whichever way it was given: pace, arguments, checks, handler, answer."""

from collections.abc import Callable, Mapping

from bot.kit.converters import Options, Words, read
from bot.kit.dual_command import BoundCommand, BoundMenu, CommandSpec, Handler
from bot.kit.error_boundary import report
from bot.kit.invocation import Invocation
from bot.kit.pace import Pace
from bot.kit.replies import refused
from services.clock import Clock

type ReadArguments = Callable[[], Mapping[str, object]]


class CommandRunner:
    """The one way that every command goes."""

    def __init__(self, clock: Clock, *, pace: Pace | None = None) -> None:
        self._pace = pace or Pace(clock)

    async def run(self, bound: BoundCommand, call: Invocation, source: Words | Options) -> None:
        """Carry out a command; its failures end in the error boundary."""
        spec = bound.spec
        await self._run(spec, bound.handler, call, lambda: read(spec.arguments, source))

    async def run_menu(self, bound: BoundMenu, call: Invocation, target: object) -> None:
        """Carry out an entry of a context menu; its failures end in the error boundary."""
        menu = bound.spec
        spec = CommandSpec(name=menu.name, summary=menu.name, checks=menu.checks)
        await self._run(spec, bound.handler, call, lambda: {"target": target})

    async def _run(
        self, spec: CommandSpec, handler: Handler, call: Invocation, arguments: ReadArguments
    ) -> None:
        if self._pace.allows(call.guild_id, call.author.id):
            await _answer(spec, handler, call, arguments)
        elif self._pace.first_refusal(call.guild_id, call.author.id):
            call.show(refused("🐌 Slow down", "One command a second, please."))
        await call.answer.settled()


async def _answer(
    spec: CommandSpec, handler: Handler, call: Invocation, arguments: ReadArguments
) -> None:
    try:
        values = arguments()
        for check in spec.checks:
            check(call)
        reply = await handler(call, **values)
    except Exception as error:  # noqa: BLE001 -- the error boundary
        report(error, call, spec)
    else:
        if reply is not None:
            call.show(reply)
