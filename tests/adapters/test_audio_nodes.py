"""One contract for audio nodes: the embedded one, and a real Lavalink where there is one."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest

from bot.adapters.audio_nodes import AudioNodes
from bot.adapters.node_process import NodeProcess
from bot.adapters.node_sessions import NodeSessions
from bot.adapters.wavelink_node import GuildVoice, NodeAddress
from services.audio.errors import NodeUnavailable, TrackUnplayable
from services.audio.ports import (
    EndReason,
    NodeEvent,
    NodeLost,
    NodeReady,
    NodeTrack,
    PositionReported,
    TrackEnded,
    TrackFailed,
    TrackStarted,
    VoiceSocketClosed,
)
from tests.adapters.voice_stand_in import Client, Guild
from tests.node.media_site import Manner, MediaSite
from tests.simulator.tones import write_tones
from tests.simulator.voice.ear import Ear
from tests.simulator.voice.server import VoiceServer

pytestmark = pytest.mark.e2e

GUILD = 11
CHANNEL = 22
LAVALINK = os.environ.get("TEST_LAVALINK_URL", "")  # http://:password@host:port


class Studio:
    """Audio nodes, a voice server with an ear, and a site with tones."""

    def __init__(self, *, voice: VoiceServer, site: MediaSite, folder: Path) -> None:
        self.voice = voice
        self.site = site
        self.sessions = NodeSessions(folder / "sessions.json")
        self.client = Client()
        self.guild = Guild(GUILD, self.client, voice)
        self.events: list[NodeEvent] = []
        self.news = asyncio.Event()
        self.nodes = self.new_nodes()

    def new_nodes(self) -> AudioNodes:
        nodes = AudioNodes(cast("Any", self.client), sessions=self.sessions)
        nodes.listen(self._heard)
        return nodes

    def _heard(self, event: NodeEvent) -> None:
        self.events.append(event)
        self.news.set()

    async def until[E: NodeEvent](self, kind: type[E], **fields: object) -> E:
        """Wait for an event with these fields, since the last `forget`."""
        async with asyncio.timeout(15):
            while (found := self._first(kind, fields)) is None:
                self.news.clear()
                await self.news.wait()
            return found

    def _first[E: NodeEvent](self, kind: type[E], fields: dict[str, object]) -> E | None:
        for event in self.events:
            if isinstance(event, kind) and fields.items() <= asdict(event).items():
                return event
        return None

    def forget(self) -> None:
        self.events.clear()

    @property
    def ear(self) -> Ear:
        return self.voice.ear(GUILD)

    async def join(self, channel_id: int = CHANNEL, *, seconds: float = 5) -> GuildVoice:
        """Join as nextcord does."""
        channel = self.guild.channel(channel_id)
        place = self.nodes.make_voice(cast("Any", self.client), channel)
        self.client.places[GUILD] = place
        await place.connect(timeout=seconds, reconnect=True)
        return place

    def track(self, name: str, entry_id: str) -> NodeTrack:
        return NodeTrack(entry_id=entry_id, link=self.site.link(name), title=name)

    async def play(self, name: str, entry_id: str, *, start_ms: int = 0) -> None:
        await self.nodes.play(
            GUILD, self.track(name, entry_id), start_ms=start_ms, volume=100, paused=False
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaSite]:
    folder = tmp_path_factory.mktemp("tones")
    files = {
        "steps.mp3": [(440.0, 3.0), (880.0, 3.0)],
        "long.webm": [(440.0, 60.0)],
        "short.webm": [(440.0, 0.6)],
        "other.webm": [(660.0, 20.0)],
    }
    with MediaSite() as running:
        for name, notes in files.items():
            tags = {"title": "Steps", "artist": "A. Tester"}
            running.add(name, write_tones(folder / name, notes, tags=tags).read_bytes())
        running.add("page.html", b"<html>no sound</html>", Manner(content_type="text/html"))
        yield running


@asynccontextmanager
async def embedded(voice: VoiceServer, folder: Path) -> AsyncIterator[NodeAddress]:
    process = NodeProcess(folder, environment={"SSL_CERT_FILE": str(voice.ca_file)})
    address = await process.start()
    try:
        yield NodeAddress(address.uri, address.password)
    finally:
        await process.close()


@asynccontextmanager
async def lavalink(_voice: VoiceServer, _folder: Path) -> AsyncIterator[NodeAddress]:
    if not LAVALINK:
        pytest.skip("TEST_LAVALINK_URL names no Lavalink")
    password, _, place = LAVALINK.removeprefix("http://:").rpartition("@")
    yield NodeAddress(f"http://{place}", password)


@pytest.fixture(params=[embedded, pytest.param(lavalink, marks=pytest.mark.lavalink)])
async def studio(
    request: pytest.FixtureRequest, site: MediaSite, tmp_path: Path
) -> AsyncIterator[Studio]:
    async with VoiceServer() as voice, request.param(voice, tmp_path) as address:
        studio = Studio(voice=voice, site=site, folder=tmp_path)
        await studio.nodes.use([address])
        await studio.until(NodeReady)
        yield studio
        await studio.nodes.close()


async def test_node_plays_a_link_and_tells_its_start_and_position(studio: Studio) -> None:
    await studio.join()
    hears = asyncio.create_task(studio.ear.hears(440))
    await studio.play("steps.mp3", "e1")
    await hears
    await studio.until(TrackStarted, guild_id=GUILD, entry_id="e1")
    assert 0 <= studio.nodes.position_ms(GUILD) < 2_000


async def test_node_starts_where_it_is_told(studio: Studio) -> None:
    await studio.join()
    hears = asyncio.create_task(studio.ear.hears(880, within=2))
    await studio.play("steps.mp3", "e1", start_ms=3_500)
    await hears
    assert 3_500 <= studio.nodes.position_ms(GUILD) < 5_500


@pytest.mark.parametrize("server_first", [False, True], ids=["state first", "server first"])
async def test_join_works_in_whatever_order_discord_answers(
    studio: Studio, *, server_first: bool
) -> None:
    studio.guild.server_first = server_first
    await studio.join()
    hears = asyncio.create_task(studio.ear.hears(440))
    await studio.play("steps.mp3", "e1")
    await hears


@pytest.mark.parametrize("server_first", [False, True], ids=["state first", "server first"])
async def test_move_by_somebody_else_takes_the_sound_along(
    studio: Studio, *, server_first: bool
) -> None:
    await studio.join()
    await studio.play("long.webm", "e1")
    await studio.ear.hears(440)
    studio.guild.server_first = server_first
    studio.guild.channel(CHANNEL + 1)
    await studio.guild.move(CHANNEL + 1)
    await studio.ear.hears(440)
    assert studio.voice.admission(GUILD).channel_id == CHANNEL + 1


@pytest.mark.parametrize("name", ["missing.mp3", "page.html"])
async def test_link_without_audio_is_refused(studio: Studio, name: str) -> None:
    await studio.join()
    with pytest.raises(TrackUnplayable):
        await studio.play(name, "e1")


async def test_pause_seek_volume_and_stop_are_heard(studio: Studio) -> None:
    await studio.join()
    await studio.play("steps.mp3", "e1")
    await studio.ear.hears(440)
    await studio.nodes.set_paused(GUILD, paused=True)
    await studio.ear.silence()
    position = studio.nodes.position_ms(GUILD)
    await studio.nodes.set_paused(GUILD, paused=False)
    await studio.ear.hears(440)
    assert studio.nodes.position_ms(GUILD) < position + 3_000
    await studio.nodes.seek(GUILD, 3_500)
    await studio.ear.hears(880)
    await studio.nodes.set_volume(GUILD, 10)
    await studio.nodes.stop(GUILD)
    await studio.until(TrackEnded, entry_id="e1", reason=EndReason.STOPPED)
    await studio.ear.silence()


async def test_track_that_ends_says_so(studio: Studio) -> None:
    await studio.join()
    await studio.play("short.webm", "e1")
    await studio.until(TrackEnded, entry_id="e1", reason=EndReason.FINISHED)


async def test_next_track_follows_by_itself_where_the_node_can(studio: Studio) -> None:
    await studio.join()
    await studio.play("short.webm", "e1")
    if not await studio.nodes.set_next(GUILD, studio.track("other.webm", "e2")):
        pytest.skip("this node takes no next track")
    await studio.ear.hears(660)
    await studio.until(TrackStarted, entry_id="e2")
    kinds = [
        (type(event).__name__, event.entry_id)
        for event in studio.events
        if isinstance(event, TrackStarted | TrackEnded)
    ]
    assert kinds == [("TrackStarted", "e1"), ("TrackEnded", "e1"), ("TrackStarted", "e2")]


async def test_next_track_that_is_taken_back_does_not_follow(studio: Studio) -> None:
    await studio.join()
    await studio.play("short.webm", "e1")
    if not await studio.nodes.set_next(GUILD, studio.track("other.webm", "e2")):
        pytest.skip("this node takes no next track")
    await studio.nodes.set_next(GUILD, None)
    await studio.until(TrackEnded, entry_id="e1")
    await studio.ear.silence()


async def test_source_that_breaks_is_told_before_the_end(studio: Studio) -> None:
    data = studio.site.files["long.webm"].data
    studio.site.add("broken.webm", data, Manner(breaks_at=len(data) // 20, ranges=False))
    await studio.join()
    await studio.play("broken.webm", "e1")
    await studio.until(TrackFailed, entry_id="e1")
    await studio.until(TrackEnded, entry_id="e1")


async def test_probe_reads_tags_and_length(studio: Studio) -> None:
    probe = await studio.nodes.probe(studio.site.link("steps.mp3"))
    assert (probe.title, probe.artist) == ("Steps", "A. Tester")
    assert probe.duration_ms == pytest.approx(6_000, abs=100)


async def test_probe_of_a_page_is_refused(studio: Studio) -> None:
    with pytest.raises(TrackUnplayable):
        await studio.nodes.probe(studio.site.link("page.html"))


async def test_join_that_discord_does_not_answer_times_out_and_can_be_tried_again(
    studio: Studio,
) -> None:
    studio.guild.silent = True
    with pytest.raises(TimeoutError):
        await studio.join(seconds=0.1)
    await studio.client.places[GUILD].disconnect(force=True)
    assert studio.client.places == {}
    studio.guild.silent = False
    await studio.join()
    await studio.play("steps.mp3", "e1")
    await studio.ear.hears(440)


async def test_voice_server_that_refuses_makes_the_join_fail_and_the_next_one_work(
    studio: Studio,
) -> None:
    await studio.voice.faults.refuse_connections()
    with pytest.raises(NodeUnavailable):
        await studio.join(seconds=30)
    await studio.client.places[GUILD].disconnect(force=True)
    await studio.voice.faults.accept_connections()
    await studio.join()
    await studio.play("steps.mp3", "e1")
    await studio.ear.hears(440)


async def test_voice_connection_that_is_ended_by_discord_is_told(studio: Studio) -> None:
    await studio.join()
    await studio.play("long.webm", "e1")
    await studio.ear.hears(440)
    await studio.voice.expel(GUILD, 4014)
    event = await studio.until(VoiceSocketClosed, guild_id=GUILD)
    assert event.code == 4014


async def test_bot_that_is_killed_finds_its_music_playing(studio: Studio) -> None:
    await studio.join()
    await studio.play("long.webm", "e1", start_ms=10_000)
    await studio.ear.hears(440)
    addresses = studio.nodes.addresses
    await studio.nodes.close()
    studio.forget()
    studio.nodes = studio.new_nodes()
    await studio.nodes.use(addresses)
    assert (await studio.until(NodeReady)).resumed
    position = await studio.until(PositionReported, entry_id="e1")
    assert 10_000 < position.position_ms < 15_000
    assert studio.events.index(position) < [type(event) for event in studio.events].index(NodeReady)
    await studio.join()
    await studio.ear.hears(440)
    assert 10_000 < studio.nodes.position_ms(GUILD) < 20_000


async def test_node_that_is_killed_is_told_and_plays_again_when_it_is_back(
    site: MediaSite, tmp_path: Path
) -> None:
    async with VoiceServer() as voice:
        environment = {"SSL_CERT_FILE": str(voice.ca_file)}
        process = NodeProcess(tmp_path, environment=environment)
        address = await process.start()
        studio = Studio(voice=voice, site=site, folder=tmp_path)
        try:
            await studio.nodes.use([NodeAddress(address.uri, address.password)])
            await studio.until(NodeReady)
            place = await studio.join()
            await studio.play("long.webm", "e1")
            await studio.ear.hears(440)
            studio.forget()
            os.kill(address.pid, signal.SIGKILL)
            killed = time.monotonic()
            assert (await studio.until(NodeLost)).guild_ids == (GUILD,)
            with pytest.raises(NodeUnavailable):
                await studio.play("long.webm", "e2")
            assert not (await studio.until(NodeReady)).resumed
            await place.ensure_node()
            await studio.play("long.webm", "e3", start_ms=5_000)
            heard = await studio.ear.hears(440)
            assert heard.at - killed < 10
        finally:
            await studio.nodes.close()
            await process.close()


async def test_sound_of_a_node_that_is_killed_goes_on_another_one(
    site: MediaSite, tmp_path: Path
) -> None:
    async with (
        VoiceServer() as voice,
        embedded(voice, tmp_path / "first") as first,
        embedded(voice, tmp_path / "second") as second,
    ):
        studio = Studio(voice=voice, site=site, folder=tmp_path)
        try:
            await studio.nodes.use([first])
            await studio.until(NodeReady)
            studio.forget()
            await studio.nodes.use([first, second])
            await studio.until(NodeReady)
            place = await studio.join()
            await studio.play("long.webm", "e1")
            await studio.ear.hears(440)
            studio.forget()
            await studio.nodes.use([node for node in (first, second) if not uses(place, node)])
            assert (await studio.until(NodeLost)).guild_ids == (GUILD,)
            assert not (await studio.until(NodeReady)).resumed
            await place.ensure_node()
            await studio.play("long.webm", "e2", start_ms=5_000)
            await studio.ear.hears(440)
        finally:
            await studio.nodes.close()


def uses(place: GuildVoice, address: NodeAddress) -> bool:
    return place.node_now.address == address


async def test_gateway_that_is_down_makes_the_join_fail_and_the_leave_go_unsaid(
    studio: Studio,
) -> None:
    place = await studio.join()
    await studio.play("long.webm", "e1")
    studio.guild.gateway_down = True
    await place.disconnect(force=True)
    assert studio.client.places == {}
    await studio.ear.silence()
    with pytest.raises(NodeUnavailable, match="Discord"):
        await studio.join()
