"""A player service in a world of fakes, which a test can kill and start again."""

from services.audio.player_events import PlayerEvent
from services.audio.player_service import PlayerService
from services.audio.player_state import QueuedTrack, Where
from services.audio.ports import NodeEvent
from tests.fakes.audio_node import FakeNode
from tests.fakes.manual_clock import ManualClock, settle
from tests.fakes.media_source import FakeMedia
from tests.fakes.player_store import MemoryStore
from tests.fakes.voice import FakeVoice
from tests.services.audio.tracks import track

GUILD = 1
CHANNEL = 10
TEXT = 100
IDLE = 300
ALONE = 30


class PlayerWorld:
    """Everything around one player service."""

    def __init__(self, *, gapless: bool = True) -> None:
        self.clock = ManualClock()
        self.node = FakeNode(self.clock, gapless=gapless)
        self.voice = FakeVoice()
        self.media = FakeMedia()
        self.store = MemoryStore()
        self.events: list[PlayerEvent] = []
        self.player = self._service()

    def _service(self) -> PlayerService:
        return PlayerService(
            node=self.node,
            voice=self.voice,
            media=self.media,
            store=self.store,
            clock=self.clock,
            announce=self.events.append,
            idle_leave_seconds=IDLE,
            alone_leave_seconds=ALONE,
        )

    async def start(self) -> None:
        """Do what the bot does when it comes up."""
        await self.player.load()
        await self.player.restore()
        self.node.come_back()
        await settle()

    async def kill(self) -> None:
        """End the process at this very instant: nothing more is stored, announced or sent."""
        self.store.failing = True
        old_events, self.events = self.events, []
        available, self.node.available = self.node.available, False
        self.node.listen(lambda _event: None)
        await self.player.close()
        self.events = old_events
        self.node.available = available
        self.store.failing = False

    async def start_again(self, *, resumed: bool) -> None:
        """Come up again; `resumed`: the node has outlived the bot."""
        await self.clock.advance(1)
        if not resumed:
            self.node.sounds.clear()
            self.node.next.clear()
        self.player = self._service()
        await self.player.load()
        self.voice.channels.clear()
        await self.player.restore()
        self.node.come_back(resumed=resumed)
        await settle()

    async def play(self, *names: str) -> QueuedTrack | None:
        """Join, queue the tracks and start, as the play command does."""
        await self.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
        self.player.push_tracks(GUILD, [track(name) for name in names], Where.END)
        await self.player.stored(GUILD)
        started = await self.player.kick_off_playback(GUILD)
        await settle()
        return started

    @property
    def heard(self) -> str | None:
        """What the guild hears now."""
        return self.node.sounding(GUILD)

    @property
    def queue(self) -> list[str]:
        """The names of what is queued."""
        return [item.track.title for item in self.player.page(GUILD, 1, size=1000).entries]

    @property
    def current(self) -> str | None:
        """The name of the current track."""
        current = self.player.view(GUILD).current
        return None if current is None else current.track.title

    def told[E: PlayerEvent](self, kind: type[E]) -> list[E]:
        """Return the events of one kind, in their order."""
        return [event for event in self.events if isinstance(event, kind)]

    def player_hears(self, event: NodeEvent) -> None:
        """Let the node say something."""
        self.node.say(event)

    async def finish(self) -> None:
        """Let the current track come to its end."""
        self.node.finish(GUILD)
        await settle()
