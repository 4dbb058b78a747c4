"""`scripts/run demo [--keep]`: the bot, its node and a stand-in for Discord, on this machine."""

import argparse
import asyncio
import sys

from rich.console import Console

from tests.demo.prompt import Prompt
from tests.demo.screen import Screen
from tests.demo.stage import Stage
from tests.demo.story import Story


async def _play(*, keep: bool) -> int:
    console = Console(highlight=False)
    screen = Screen(console)
    async with Stage() as stage:
        try:
            await Story(stage, screen).tell()
        except AssertionError as error:
            screen.note(f"The story broke: {error}\n{stage.bot.log_tail()}")
            return 1
        screen.chapter("The end: everything above was real except Discord")
        if keep:
            await Prompt(stage, screen).run()
    return 0


def main() -> int:
    """Play the story; the status is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="scripts/run demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="stay up and type as a member")
    arguments = parser.parse_args()
    try:
        return asyncio.run(_play(keep=arguments.keep))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
