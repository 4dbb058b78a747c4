"""A guild with the real player, resolver and command machinery; only the outside world is fake."""

from bot.kit.choosing import Choosing
from bot.kit.command_runner import CommandRunner
from bot.kit.converters import Words
from bot.kit.dual_command import CommandSet
from bot.kit.joining import Joining
from bot.kit.pace import Pace
from bot.kit.paging import Paging
from bot.kit.people import AttachedFile, GuildMember
from bot.kit.speaking_order import SpeakingOrder
from cogs.announcements import Announcements
from cogs.help import Help
from cogs.history import History
from cogs.modes import Modes
from cogs.play.commands import Play
from cogs.playing import Playing
from cogs.position import Position
from cogs.presence import Presence
from cogs.queue import Queue
from cogs.queue_editing import QueueEditing
from cogs.search_picker import SearchPicker
from cogs.sound import Sound
from cogs.transport import Transport
from cogs.undo import Undo
from cogs.voice import Voice
from services.audio.extraction import FoundTrack
from services.audio.limits import TrackLimits
from services.audio.player_events import PlayerEvent
from services.audio.player_service import PlayerService
from services.audio.player_state import Where
from services.audio.ports import Probe
from services.audio.resolver import TrackResolver
from services.audio.track import Source, Track
from tests.fakes.audio_node import FakeNode
from tests.fakes.discord_guild import ADA, BEN, GUILD, LOUNGE, FakeGuild, settle
from tests.fakes.media_source import FakeMedia
from tests.fakes.music_site import FakeSite
from tests.fakes.player_store import MemoryStore
from tests.fakes.voice import FakeVoice
from tests.kit.examples import KnownMembers


class Studio:
    """What a member can do and see in one guild."""

    def __init__(self) -> None:
        self.guild = FakeGuild()
        self.node = FakeNode(self.guild.clock)
        self.voice = FakeVoice()
        self.media = FakeMedia()
        self.site = FakeSite()
        self.store = MemoryStore()
        self.lines: list[str] = []
        """What stood in the bot's status line."""
        self.first_sounds: list[float] = []
        order = SpeakingOrder()
        self.announcements = Announcements(self.guild.messages, order)
        self.presence = Presence(self._set_status, self.guild.clock)
        self.player = PlayerService(
            node=self.node,
            voice=self.voice,
            media=self.media,
            store=self.store,
            clock=self.guild.clock,
            announce=self._announce,
        )
        self.guild.bot_channel = lambda: self.voice.channel_of(GUILD)
        self.resolver = TrackResolver(
            extractor=self.site,
            opener=self.site,
            media=self.media,
            probe=self.site,
            limits=TrackLimits(max_minutes=60),
        )
        joining = Joining(self.player)
        self.places = Places(self.voice)
        self.undo = Undo(self.player, self.places)
        self.play = Play(
            player=self.player,
            resolver=self.resolver,
            joining=joining,
            pick=SearchPicker(Choosing(self.guild)).pick,
            order=order,
            clock=self.guild.clock,
            started=self.first_sounds.append,
        )
        self.history = History(self.player, self.guild, places=self.places, add=self.play.add)
        self.commands = CommandSet()
        for cog in (
            self.play,
            self.history,
            Transport(self.player),
            Position(self.player),
            Modes(self.player),
            Queue(self.player, Paging(self.guild)),
            QueueEditing(self.player, Paging(self.guild)),
            self.undo,
            Sound(self.player),
            Playing(self.player),
            Voice(self.player, joining),
            Help(self.commands),
        ):
            self.commands.add(cog, section="Music")
        pace = Pace(self.guild.clock, burst=10_000)
        self.runner = CommandRunner(self.guild.clock, pace=pace)

    async def say(
        self, line: str, by: GuildMember = ADA, *, file: AttachedFile | None = None
    ) -> None:
        """Give a command and return when it was carried out."""
        name, _, rest = line.removeprefix("!").partition(" ")
        bound = self.commands.find(name)
        assert bound is not None, line
        words = Words(rest, members=KnownMembers(), attachments=[file] if file else [])
        await self.runner.run(bound, self.guild.call(by), words)
        await settle()

    def add_file(self, name: str, *, minutes: float = 3) -> str:
        """Put an audio file on the web and return its address."""
        url = f"https://files.example/{name}.ogg"
        probe = Probe(title=None, artist=None, duration_ms=round(minutes * 60_000))
        self.site.files[url] = probe
        return url

    async def start_with(self, *names: str) -> None:
        """Let the first of these tracks play, and the others wait."""
        await self.player.connect(GUILD, ADA.voice_channel_id or 0, text_channel_id=20)
        self.player.push_tracks(GUILD, [track(name) for name in names], Where.END)
        await self.player.kick_off_playback(GUILD)
        await settle()
        self.guild.outbox.seen.clear()

    @property
    def seen(self) -> list[str]:
        """Every title that members have read, in order."""
        return self.guild.outbox.seen

    def text(self) -> str:
        """Return the text of the newest message."""
        return self.guild.outbox.text()

    def sounding(self) -> str | None:
        """Return the address that the guild hears."""
        return self.node.sounding(GUILD)

    def queued(self) -> list[str]:
        """Return the titles that wait."""
        return [entry.track.title for entry in self.player.page(GUILD, 1).entries]

    async def close(self) -> None:
        await self.player.close()
        await self.history.close()
        await self.announcements.close()
        await self.presence.close()
        await self.guild.messages.close()

    def _announce(self, event: PlayerEvent) -> None:
        self.announcements.receive(event)
        self.presence.receive(event)

    async def _set_status(self, line: str) -> None:
        self.lines.append(line)


class Places:
    """Where members and the bot are; Ada and Ben sit in the lounge until a test moves them."""

    def __init__(self, voice: FakeVoice) -> None:
        self._voice = voice
        self.channels: dict[int, int] = {ADA.id: LOUNGE, BEN.id: LOUNGE}

    def channel_of(self, guild_id: int, user_id: int) -> int | None:
        return self.channels.get(user_id)

    def own_channel(self, guild_id: int) -> int | None:
        return self._voice.channel_of(guild_id)


def track(name: str, *, minutes: float = 3) -> Track:
    """Return a track of that title."""
    return Track(
        url=f"https://files.example/{name}.ogg",
        title=name,
        source=Source.DIRECT,
        requested_by=ADA.id,
        duration_ms=round(minutes * 60_000),
    )


def found(name: str, *, minutes: float = 3) -> FoundTrack:
    """Return what a site says about a track."""
    return FoundTrack(
        url=f"https://site.example/watch/{name}",
        title=name,
        artist=None,
        duration_ms=round(minutes * 60_000),
        is_live=False,
        artwork_url=None,
    )
