"""One running bot with Discord and a music site; each test gets a guild of its own in it."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.simulator import Guild, Member, SimMessage, Simulator, TextChannel, VoiceChannel
from tests.simulator.processes import BotProcess
from tests.simulator.site import PLUGIN_DIR, SEARCH_KEY, MusicSite

ADDED = "Added to queue"
NOW = "Now playing"
REFUSED = "That cannot be done"
FAILED = "That did not work"


@dataclass
class Room:
    """A guild with a text channel, two voice channels and two members."""

    guild: Guild
    general: TextChannel
    lounge: VoiceChannel
    attic: VoiceChannel
    ada: Member
    ben: Member
    site: MusicSite

    async def says(self, member: Member, text: str, *, title: str, within: float = 8) -> SimMessage:
        """Let a member write a command and wait for the bot's message of that title."""
        sent = await member.say(self.general, text)
        return await self.general.expect(title=title, after=sent, within=within)

    async def plays(self, hz: int, *, seconds: int = 60, kind: str = "mp3") -> SimMessage:
        """Let Ada join and play a tone; return when it is heard."""
        if self.ada.voice is None:
            await self.ada.join(self.lounge)
        sent = await self.ada.say(self.general, f"!play {self.tone(hz, seconds, kind)}")
        now = await self.general.expect(title=NOW, after=sent, within=10)
        await self.guild.hears(hz)
        return now

    async def queues(self, hz: int, *, seconds: int = 60) -> SimMessage:
        """Let Ada queue another tone."""
        return await self.says(self.ada, f"!play {self.tone(hz, seconds)}", title=ADDED)

    def tone(self, hz: int, seconds: int = 60, kind: str = "mp3") -> str:
        """Return the address of a tone."""
        return self.site.url(f"/tone/{hz}/{seconds}.{kind}")

    def titles(self, after: SimMessage) -> list[str]:
        """Return the titles of all messages after one, each with every title it ever had."""
        return [
            version.title
            for message in self.general.feed.all
            if message.id > after.id
            for version in message.history
            if version.title
        ]


class House:
    """The bot, its Discord, and a site; an async context manager.

    Args:
        allow_hosts: Further `host:port` that the bot may fetch.
        data_dir: DATA_DIR, where it shall not be a temporary folder.
        settings: Settings of the bot beside those that it needs here.
    """

    discord: Simulator
    site: MusicSite
    bot: BotProcess

    def __init__(
        self,
        *,
        allow_hosts: Sequence[str] = (),
        data_dir: Path | None = None,
        **settings: str,
    ) -> None:
        self._allow_hosts = allow_hosts
        self._data_dir = data_dir
        self._settings = settings
        self._stack = AsyncExitStack()
        self._rooms = 0

    async def __aenter__(self) -> Self:
        self.discord = await self._stack.enter_async_context(Simulator())
        self.site = await self._stack.enter_async_context(MusicSite())
        environment = {
            **self.discord.environment(allow_hosts=[self.site.host, *self._allow_hosts]),
            **self.site.environment,
            "YTDLP_SEARCH": SEARCH_KEY,
            "YTDLP_PLUGIN_DIRS": str(PLUGIN_DIR),
            **self._settings,
        }
        self.discord.add_guild("First")
        self.bot = BotProcess(self.discord, environment=environment, data_dir=self._data_dir)
        await self._stack.enter_async_context(self.bot)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    def room(self) -> Room:
        """Return a new guild in which nothing has happened yet."""
        self._rooms += 1
        guild = self.discord.add_guild(f"Club {self._rooms}")
        return Room(
            guild=guild,
            general=guild.add_text_channel("general"),
            lounge=guild.add_voice_channel("Lounge"),
            attic=guild.add_voice_channel("Attic"),
            ada=guild.add_member("Ada", administrator=True),
            ben=guild.add_member("Ben"),
            site=self.site,
        )
