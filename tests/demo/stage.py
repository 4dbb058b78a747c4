"""Everything the story needs, as real processes: stand-in for Discord, music site, bot and node."""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from tests.simulator import Simulator
from tests.simulator.channel import TextChannel, VoiceChannel
from tests.simulator.guild import Guild
from tests.simulator.member import Member
from tests.simulator.processes import BotProcess
from tests.simulator.site import PLUGIN_DIR, SEARCH_KEY, MusicSite

_AUDIENCE = 60

TONES = ("/tone/440/60.mp3", "/tone/550/30.ogg", "/tone/660/30.ogg", "/tone/770/30.ogg")
"""The files on the site that the story plays by their address."""


class Stage:
    """A guild with members, a music site, and the bot about to start; an async context manager."""

    discord: Simulator
    site: MusicSite
    guild: Guild
    general: TextChannel
    lounge: VoiceChannel
    ada: Member
    ben: Member
    audience: list[Member]
    bot: BotProcess

    def __init__(self) -> None:
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="tunes-demo-")))
        self.discord = await self._stack.enter_async_context(Simulator())
        self.site = await self._stack.enter_async_context(MusicSite())
        self.guild = self.discord.add_guild("Music Club")
        self.general = self.guild.add_text_channel("general")
        self.lounge = self.guild.add_voice_channel("Lounge")
        self.ada = self.guild.add_member("Ada", administrator=True)
        self.ben = self.guild.add_member("Ben")
        self.audience = [self.guild.add_member(f"Fan {n}") for n in range(1, _AUDIENCE + 1)]
        environment = {
            **self.discord.environment(allow_hosts=[self.site.host]),
            **self.site.environment,
            "YTDLP_SEARCH": SEARCH_KEY,
            "YTDLP_PLUGIN_DIRS": str(PLUGIN_DIR),
        }
        await self._record_tones()
        self.bot = BotProcess(self.discord, environment=environment, data_dir=folder / "data")
        return self

    async def _record_tones(self) -> None:
        """Have the site make its files before anybody waits for one."""
        async with aiohttp.ClientSession() as http:
            for path in TONES:
                async with http.head(self.site.url(path)) as response:
                    response.raise_for_status()

    async def start_bot(self) -> None:
        """Start `python -m bot`, which starts its node, and wait until it answers commands."""
        await self._stack.enter_async_context(self.bot)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
