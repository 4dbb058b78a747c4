"""`scripts/bench [--list] [part ...]`: run the benchmarks and print measured beside target."""

import argparse
import asyncio
import importlib
import os
import pkgutil
import platform
import resource
import sys
import traceback

from rich.console import Console

from tests import benchmarks
from tests.benchmarks.machine_share import MachineShare
from tests.benchmarks.report import PARTS, Part, Row, show

_OPEN_FILES = 8192


def _discover() -> None:
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name.startswith("bench_"):
            importlib.import_module(f"tests.benchmarks.{module.name}")


async def _run(part: Part) -> list[Row]:
    try:
        async with asyncio.timeout(part.limit_s):
            return list(await part.run())
    except Exception as error:  # noqa: BLE001 -- one broken part must not hide the others
        traceback.print_exception(error)
        reason = str(error).partition("\n")[0]
        measured = f"failed: {type(error).__name__} {reason}"
        return [Row(what=part.name, measured=measured, target="to run", met=False)]


def _allow_many_connections() -> None:
    """A thousand clicks under way are a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> int:
    """Run the chosen parts; the status is 1 when a target was missed."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help="names of parts; all by default")
    parser.add_argument("--list", action="store_true", help="name the parts and stop")
    arguments = parser.parse_args()
    _discover()
    console = Console(width=150 if not sys.stdout.isatty() else None)
    if arguments.list:
        for part in PARTS.values():
            console.print(f"{part.name:16} {part.summary}")
        return 0
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; --list names them")
    console.print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    _allow_many_connections()
    missed = 0
    for name in arguments.parts or PARTS:
        machine = MachineShare()
        rows = asyncio.run(_run(PARTS[name]))
        missed += sum(row.met is False for row in rows)
        show(f"{name}: {PARTS[name].summary} [{machine.account()}]", rows, console)
    console.print("all targets met" if not missed else f"{missed} figures missed their target")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
