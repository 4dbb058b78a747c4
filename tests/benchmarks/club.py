"""Guilds with a member in a voice channel each, a music site, and the real bot among them."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import aiohttp

from tests.simulator import Guild, Member, SimMessage, Simulator, TextChannel, VoiceChannel
from tests.simulator.processes import BotProcess
from tests.simulator.site import PLUGIN_DIR, SEARCH_KEY, MusicSite
from tests.simulator.voice import Ear, VoiceServer


@dataclass(frozen=True, slots=True)
class Room:
    """A guild in which one member asks for music."""

    guild: Guild
    text: TextChannel
    voice: VoiceChannel
    member: Member

    @property
    def ear(self) -> Ear:
        """Who listens in the guild's call."""
        ear: Ear = self.guild.ear
        return ear

    async def answer(self, sent: SimMessage, title: str = "", *, within: float = 15) -> SimMessage:
        """Wait for what the bot answers to a message."""
        return await self.text.feed.expect(
            title=title, author=self.guild.me.user, after=sent, within=within
        )


class Club:
    """The simulator, the site and the bot, which is ready; an async context manager.

    Args:
        rooms: how many guilds.
        decode: whether voice is decoded (pitch and level), or packets are only timed.
        environment: further settings of the bot.
    """

    def __init__(
        self, *, rooms: int = 1, decode: bool = False, environment: Mapping[str, str] | None = None
    ) -> None:
        self._count = rooms
        self._decode = decode
        self._environment = dict(environment or {})
        self._stack = AsyncExitStack()
        self.rooms: list[Room] = []
        self.discord: Simulator
        self.site: MusicSite
        self.bot: BotProcess

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            error.add_note(self.bot.log_tail())
        await self._stack.aclose()

    async def _open(self) -> None:
        enter = self._stack.enter_async_context
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="bench-club-")))
        voice = await enter(VoiceServer(decode=self._decode))
        self.discord = await enter(Simulator(voice=[voice], identify_every=0))
        self.site = await enter(MusicSite())
        self.rooms = [_furnished(self.discord, number) for number in range(1, self._count + 1)]
        for room in self.rooms:
            await room.member.join(room.voice)
        environment = {
            **self.discord.environment(allow_hosts=[self.site.host]),
            **self.site.environment,
            "YTDLP_SEARCH": SEARCH_KEY,
            "YTDLP_PLUGIN_DIRS": str(PLUGIN_DIR),
            **self._environment,
        }
        self.bot = BotProcess(self.discord, data_dir=folder / "data", environment=environment)
        await enter(self.bot)

    async def record(self, *paths: str) -> None:
        """Have the site make its files before anybody waits for one."""
        async with aiohttp.ClientSession() as http:
            for path in paths:
                async with http.head(self.site.url(path)) as response:
                    response.raise_for_status()


def _furnished(discord: Simulator, number: int) -> Room:
    guild = discord.add_guild(f"Club {number}")
    return Room(
        guild,
        guild.add_text_channel("general"),
        guild.add_voice_channel("Lounge"),
        guild.add_member(f"Member {number}"),
    )
