"""The embedded node as a process: what it can do beyond every Lavalink, and what it survives."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.nodes import CHANNEL, USER, Node, embedded_node, join
from tests.contracts.raw_lavalink import RawLavalink
from tests.node.media_site import Manner, MediaSite
from tests.simulator.tones import write_tone
from tests.simulator.voice import VoiceServer

pytestmark = pytest.mark.e2e

GUILD = 3003


@pytest.fixture
async def voice() -> AsyncIterator[VoiceServer]:
    async with VoiceServer(dave_version=1) as server:
        yield server


@pytest.fixture
async def node(tmp_path: Path, voice: VoiceServer) -> AsyncIterator[Node]:
    async with embedded_node(tmp_path / "data", voice) as running:
        yield running


@pytest.fixture
async def lavalink(node: Node) -> AsyncIterator[RawLavalink]:
    async with node.client() as client:
        yield client


@pytest.fixture
def links(site: MediaSite, tmp_path: Path) -> dict[str, str]:
    """Tones of 1.5 s in formats that are passed through and encoded, by pitch."""
    made = {}
    for hz, codec in ((440, "webm"), (550, "mp3"), (660, "ogg"), (880, "flac")):
        path = write_tone(tmp_path / f"{hz}.{codec}", hz=hz, seconds=1.5)
        made[str(hz)] = site.add(path.name, path.read_bytes())
    return made


async def play(lavalink: RawLavalink, link: str, **fields: Any) -> dict[str, Any]:
    return await lavalink.patch(GUILD, {"track": {"identifier": link}, **fields})


async def put_next(lavalink: RawLavalink, track: dict[str, Any] | None) -> tuple[int, Any]:
    path = f"{lavalink.player_path(GUILD)}/next"
    return await lavalink.request("PUT", path, {"track": track})


def story(lavalink: RawLavalink) -> list[str]:
    """Say each event of a track with its pitch."""
    return [
        " ".join(
            [
                event["type"].removeprefix("Track").removesuffix("Event"),
                event["track"]["info"]["identifier"].rpartition("/")[2].partition(".")[0],
                *([event["reason"]] if "reason" in event else []),
            ]
        )
        for event in lavalink.events(GUILD)
        if "track" in event
    ]


async def ends(lavalink: RawLavalink, count: int) -> None:
    """Wait until so many tracks have ended."""
    seen = 0
    for _ in range(count):
        event = await lavalink.event("TrackEndEvent", GUILD, after=seen)
        seen = lavalink.messages.index(event) + 1


# ── gapless ─────────────────────────────────────────────────────────────────
async def test_plugin_is_named_in_the_info(lavalink: RawLavalink) -> None:
    _, info = await lavalink.request("GET", "/v4/info")
    assert [plugin["name"] for plugin in info["plugins"]] == ["gapless"]


async def test_tracks_handed_over_ahead_follow_without_a_silent_or_lost_frame(
    node: Node, lavalink: RawLavalink, links: dict[str, str]
) -> None:
    ear = await join(lavalink, node, GUILD)
    begin = time.monotonic()
    await play(lavalink, links["440"])
    seen = 0
    for pitch in ("550", "660", "880", "440"):
        track = {"identifier": links[pitch], "userData": {"entry": pitch}}
        status, player = await put_next(lavalink, track)
        assert status == 200, player
        event = await lavalink.event("TrackEndEvent", GUILD, after=seen)
        seen = lavalink.messages.index(event) + 1
    await lavalink.event("TrackEndEvent", GUILD, after=seen)
    await ear.silence()
    for first, second in ((440, 550), (550, 660), (660, 880), (880, 440)):
        seam = ear.seam(first, second, since=begin)
        assert (seam.lost, seam.extra_timestamp, seam.silent_frames) == (0, 0, 0)
        assert seam.frames_between <= 3  # frames in which both are heard
    heard = [frame for frame in ear.timeline(since=begin) if not frame.silent]
    assert 5 * 75 - 2 <= len(heard) <= 5 * 75 + 5
    gaps = ear.gaps(since=begin)
    assert (gaps.lost, gaps.timestamp_errors) == (0, ())
    assert story(lavalink) == [
        "Start 440",
        "End 440 finished",
        "Start 550",
        "End 550 finished",
        "Start 660",
        "End 660 finished",
        "Start 880",
        "End 880 finished",
        "Start 440",
        "End 440 finished",
    ]
    starts = [event for event in lavalink.events(GUILD) if event["type"] == "TrackStartEvent"]
    assert starts[1]["track"]["userData"] == {"entry": "550"}


async def test_next_track_can_be_replaced_and_taken_back(
    node: Node, lavalink: RawLavalink, links: dict[str, str]
) -> None:
    await join(lavalink, node, GUILD)
    await play(lavalink, links["440"])
    await put_next(lavalink, {"identifier": links["550"]})
    await put_next(lavalink, {"identifier": links["660"]})
    await ends(lavalink, 1)
    await put_next(lavalink, {"identifier": links["880"]})
    await put_next(lavalink, None)
    await ends(lavalink, 2)
    assert story(lavalink) == ["Start 440", "End 440 finished", "Start 660", "End 660 finished"]


async def test_next_track_that_cannot_be_played_is_refused_and_changes_nothing(
    node: Node, lavalink: RawLavalink, links: dict[str, str], site: MediaSite
) -> None:
    await join(lavalink, node, GUILD)
    assert (await put_next(lavalink, {"identifier": links["550"]}))[0] == 400
    await play(lavalink, links["440"])
    assert (await put_next(lavalink, {"identifier": site.link("nope")}))[0] == 400
    assert (await put_next(lavalink, {"encoded": None}))[0] == 400
    await ends(lavalink, 1)
    assert story(lavalink) == ["Start 440", "End 440 finished"]


async def test_skip_to_the_next_track_uses_what_was_opened_and_stop_forgets_it(
    node: Node, lavalink: RawLavalink, links: dict[str, str], site: MediaSite
) -> None:
    ear = await join(lavalink, node, GUILD)
    await play(lavalink, links["440"])
    await put_next(lavalink, {"identifier": links["550"], "userData": {"entry": "x"}})
    requests = len(site.requests)
    await play(lavalink, links["550"])
    await ear.hears(550)
    assert len(site.requests) == requests
    await put_next(lavalink, {"identifier": links["660"]})
    await lavalink.patch(GUILD, {"track": {"encoded": None}})
    await ear.silence()
    assert story(lavalink) == ["Start 440", "End 440 replaced", "Start 550", "End 550 stopped"]


# ── control ─────────────────────────────────────────────────────────────────
async def test_track_that_cannot_be_played_leaves_the_playing_one_alone(
    node: Node, lavalink: RawLavalink, links: dict[str, str], site: MediaSite
) -> None:
    ear = await join(lavalink, node, GUILD)
    await play(lavalink, links["440"])
    broken = site.add("junk", b"\x00\x01\x02" * 5000)
    for link in (site.link("nope"), broken, "http://127.0.0.1:9/x", "file:///etc/passwd", "x:"):
        body = {"track": {"identifier": link}, "volume": 1}
        status, answer = await lavalink.request("PATCH", lavalink.player_path(GUILD), body)
        assert (status, answer["error"]) == (400, "Bad Request")
        assert "127.0.0.1" not in answer["message"]
    await ear.hears(440)
    assert (await lavalink.player(GUILD))["volume"] == 100
    assert story(lavalink) == ["Start 440"]


async def test_newer_play_request_overtakes_one_that_still_opens(
    lavalink: RawLavalink, links: dict[str, str], site: MediaSite
) -> None:
    slow = site.add("slow.mp3", b"\xff" * 40_000, Manner(stalls_at=0))
    waiting = asyncio.create_task(play(lavalink, slow))
    while ("slow.mp3", "bytes=0-") not in site.requests:  # noqa: ASYNC110 -- another thread's list
        await asyncio.sleep(0.005)
    answer = await play(lavalink, links["440"])
    assert answer["track"]["info"]["identifier"] == links["440"]
    assert (await waiting)["guildId"] == str(GUILD)
    assert story(lavalink) == ["Start 440"]


async def test_new_track_begins_unpaused_and_the_paused_one_is_not_heard_again(
    node: Node, lavalink: RawLavalink, links: dict[str, str]
) -> None:
    ear = await join(lavalink, node, GUILD)
    await play(lavalink, links["440"])
    await ear.hears(440)
    await lavalink.patch(GUILD, {"paused": True})
    await ear.silence()
    since = time.monotonic()
    await play(lavalink, links["880"])
    await ear.hears(880, since=since)
    first = await ear.first_packet(since=since)
    assert first.hz is None or first.hz > 600


async def test_filters_and_end_time_are_heard(
    node: Node, lavalink: RawLavalink, links: dict[str, str]
) -> None:
    ear = await join(lavalink, node, GUILD)
    begin = time.monotonic()
    await play(lavalink, links["440"], filters={"timescale": {"pitch": 1.5}}, endTime=1000)
    await ear.hears(660, since=begin)
    await ends(lavalink, 1)
    heard = [frame for frame in ear.timeline(since=begin) if not frame.silent]
    assert 48 <= len(heard) <= 54


# ── trouble ─────────────────────────────────────────────────────────────────
async def test_source_that_stalls_is_said_to_be_stuck_and_goes_on(
    node: Node, lavalink: RawLavalink, site: MediaSite, tmp_path: Path
) -> None:
    ear = await join(lavalink, node, GUILD)
    path = write_tone(tmp_path / "long.webm", seconds=20)
    link = site.add("long.webm", path.read_bytes(), Manner(stalls_at=60_000))
    await play(lavalink, link)
    event = await lavalink.event("TrackStuckEvent", GUILD, within=20)
    assert event["thresholdMs"] == 1000
    reports = [m["state"]["position"] for m in lavalink.messages if m["op"] == "playerUpdate"]
    heard = [frame for frame in ear.timeline() if not frame.silent]
    assert abs(reports[-1] - 20 * len(heard)) < 200  # it stands where the sound does
    since = time.monotonic()
    site.going_on.set()
    await ear.hears(440, since=since)
    assert story(lavalink) == ["Start long", "Stuck long"]


async def test_endless_stream_plays_and_is_told_as_a_stream(
    node: Node, lavalink: RawLavalink, site: MediaSite, tmp_path: Path
) -> None:
    ear = await join(lavalink, node, GUILD)
    path = write_tone(tmp_path / "radio.aac", seconds=2)
    link = site.add("radio.aac", path.read_bytes(), Manner(ranges=False, endless=True))
    info = (await lavalink.load(link))["data"]["info"]
    assert (info["isStream"], info["isSeekable"]) == (True, False)
    assert info["length"] == 2**63 - 1
    await play(lavalink, link)
    await lavalink.patch(GUILD, {"position": 60_000})  # a stream stays where it is
    await ear.packets(200, within=15)
    sent = site.sent
    await ear.packets(50, since=time.monotonic())
    assert site.sent - sent < 2**20  # the read-ahead is bounded
    assert story(lavalink) == ["Start radio"]


async def test_voice_that_comes_back_goes_on_where_the_track_was(
    node: Node, lavalink: RawLavalink, voice: VoiceServer, site: MediaSite, tmp_path: Path
) -> None:
    ear = await join(lavalink, node, GUILD)
    path = write_tone(tmp_path / "long.ogg", seconds=20)
    await play(lavalink, site.add("long.ogg", path.read_bytes()))
    await ear.hears(440)
    await voice.expel(GUILD, 4014)
    await lavalink.event("WebSocketClosedEvent", GUILD)
    stood_at = (await lavalink.player(GUILD))["state"]
    assert stood_at["connected"] is False
    since = time.monotonic()
    await join(lavalink, node, GUILD)
    await ear.hears(440, since=since)
    assert story(lavalink) == ["Start long"]
    state = (await lavalink.player(GUILD))["state"]
    assert state["connected"] is True
    assert stood_at["position"] <= state["position"] < stood_at["position"] + 5000


async def test_voice_server_that_is_not_there_fails_the_request(
    lavalink: RawLavalink, voice: VoiceServer
) -> None:
    wish = {"token": "t", "endpoint": voice.endpoint, "sessionId": "s", "channelId": str(CHANNEL)}
    await voice.stop_listening()
    status, answer = await lavalink.request("PATCH", lavalink.player_path(GUILD), {"voice": wish})
    assert status == 500
    assert "voice" in answer["message"]


async def test_wrong_voice_token_is_told_as_a_closed_websocket(
    lavalink: RawLavalink, voice: VoiceServer
) -> None:
    voice.admit(guild_id=GUILD, channel_id=CHANNEL, user_id=USER, session_id="right", token="right")
    wish = {"token": "no", "endpoint": voice.endpoint, "sessionId": "no", "channelId": str(CHANNEL)}
    await lavalink.patch(GUILD, {"voice": wish})
    event = await lavalink.event("WebSocketClosedEvent", GUILD)
    assert event["code"] in {4004, 4006}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/v4/sessions/{s}/players/x", {}),
        ("PATCH", "/v4/sessions/{s}/players/1", []),
        ("PATCH", "/v4/sessions/{s}/players/1", {"volume": "loud"}),
        ("PATCH", "/v4/sessions/{s}/players/1", {"track": {"encoded": "not base64!"}}),
        ("PATCH", "/v4/sessions/{s}/players/1", {"track": {"encoded": "QAAAAA=="}}),
        ("PATCH", "/v4/sessions/{s}/players/1", {"track": {"encoded": "a", "identifier": "b"}}),
        ("PATCH", "/v4/sessions/{s}/players/1", {"filters": {"timescale": {"speed": "fast"}}}),
        ("PATCH", "/v4/sessions/{s}/players/1", {"filters": {"equalizer": [{"band": 15}]}}),
        ("PATCH", "/v4/sessions/{s}/players/1", {"endTime": 0}),
        ("PATCH", "/v4/sessions/{s}", {"timeout": "long"}),
        ("GET", "/v4/decodetrack?encodedTrack=nonsense", None),
        ("POST", "/v4/decodetracks", {"a": 1}),
        ("GET", "/v4/loadtracks", None),
    ],
)
async def test_nonsense_is_refused_in_lavalink_s_words(
    lavalink: RawLavalink, method: str, path: str, body: object
) -> None:
    status, answer = await lavalink.request(method, path.format(s=lavalink.session_id), body)
    assert status == 400
    assert set(answer) == {"timestamp", "status", "error", "message", "path"}


async def test_session_is_taken_over_from_a_client_that_only_seems_alive(
    node: Node, lavalink: RawLavalink, links: dict[str, str]
) -> None:
    ear = await join(lavalink, node, GUILD)
    path = f"/v4/sessions/{lavalink.session_id}"
    await lavalink.request("PATCH", path, {"resuming": True, "timeout": 30})
    await play(lavalink, links["440"])
    await ear.hears(440)
    async with node.client() as successor:
        ready = await successor.connect(resume=lavalink.session_id)
        assert ready["resumed"] is True
        await successor.event("TrackEndEvent", GUILD)
        await successor.disconnect()


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_events_of_a_track_come_once_and_in_order_whatever_is_asked(
    node: Node, lavalink: RawLavalink, links: dict[str, str], seed: int
) -> None:
    guilds = range(100, 106)
    choose = random.Random(seed)

    async def wish(guild: int) -> None:
        link = {"identifier": choose.choice(list(links.values()))}
        path = lavalink.player_path(guild)
        method, path, body = choose.choice(
            [
                ("PATCH", path, {"track": link}),
                ("PATCH", path, {"track": link, "position": choose.randrange(1500)}),
                ("PATCH", path, {"track": {"encoded": None}}),
                ("PATCH", path, {"position": choose.randrange(2000)}),
                ("PATCH", path, {"volume": choose.choice([0, 50, 100, 300])}),
                ("PATCH", path, {"filters": {"timescale": {"speed": choose.choice([1, 2])}}}),
                ("PATCH", path, {"paused": choose.random() < 0.3}),
                ("PUT", f"{path}/next", {"track": link}),
                ("PUT", f"{path}/next", {"track": link}),
                ("PUT", f"{path}/next", {"track": None}),
            ]
        )
        status, answer = await lavalink.request(method, path, body)
        assert status in {200, 400}, answer

    async def listen_to(guild: int) -> None:
        await join(lavalink, node, guild)
        for _ in range(30):
            wishes = [wish(guild) for _ in range(choose.choice((1, 1, 1, 3)))]
            await asyncio.gather(*wishes)
        status, _ = await lavalink.request("DELETE", lavalink.player_path(guild))
        assert status == 204

    await asyncio.gather(*map(listen_to, guilds))
    await play(lavalink, links["440"])
    await lavalink.event("TrackStartEvent", GUILD)  # so all that came before has been told
    for guild in guilds:
        kinds = [event["type"] for event in lavalink.events(guild)]
        assert kinds[::2] == ["TrackStartEvent"] * (len(kinds) // 2)
        assert kinds[1::2] == ["TrackEndEvent"] * (len(kinds) // 2)
        tracks = [event["track"]["encoded"] for event in lavalink.events(guild)]
        assert tracks[::2] == tracks[1::2]
