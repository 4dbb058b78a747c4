"""What the bot relies on in an audio node, whichever it is (Lavalink v4 protocol)."""

import time
from typing import Any

import pytest

from tests.contracts.nodes import Node, Studio, join
from tests.contracts.raw_lavalink import RawLavalink
from tests.node.media_site import Manner

pytestmark = pytest.mark.e2e

GUILD = 2002
FLAT = {"equalizer": [{"band": band, "gain": 0.0} for band in range(15)]}


def reasons(lavalink: RawLavalink) -> list[str]:
    """Say each event in a word or two."""
    return [
        event["type"].removesuffix("Event") + (f" {event['reason']}" if "reason" in event else "")
        for event in lavalink.events(GUILD)
    ]


async def played(lavalink: RawLavalink, link: str, **fields: Any) -> dict[str, Any]:
    """Play a link as wavelink does: volume, pause and filters are always sent along."""
    track = (await lavalink.load(link))["data"]
    body = {
        "track": {"encoded": track["encoded"], "userData": {"entry": "e1"}},
        "volume": 100,
        "position": 0,
        "endTime": None,
        "paused": False,
        "filters": FLAT,
    }
    return await lavalink.patch(GUILD, {**body, **fields}, query="?noReplace=False")


# ── who may ask ─────────────────────────────────────────────────────────────
async def test_request_without_or_with_a_wrong_password_is_refused(lavalink: RawLavalink) -> None:
    status, answer = await lavalink.request("GET", "/v4/info", Authorization="wrong")
    assert status == 403
    assert {"timestamp", "status", "error", "path"} <= set(answer)
    assert answer["status"] == 403


async def test_unknown_session_and_player_are_not_found(lavalink: RawLavalink) -> None:
    status, answer = await lavalink.request("PATCH", "/v4/sessions/nope", {"resuming": True})
    assert (status, answer["status"]) == (404, 404)
    status, answer = await lavalink.request("GET", lavalink.player_path(GUILD))
    assert (status, answer["path"]) == (404, lavalink.player_path(GUILD))


# ── about the node ──────────────────────────────────────────────────────────
async def test_node_tells_version_info_and_stats(lavalink: RawLavalink) -> None:
    status, version = await lavalink.request("GET", "/version")
    assert status == 200
    assert version.startswith("4.")
    _, info = await lavalink.request("GET", "/v4/info")
    assert info["version"]["major"] == 4
    assert "http" in info["sourceManagers"]
    assert {"buildTime", "git", "jvm", "lavaplayer", "filters", "plugins"} <= set(info)
    assert {"branch", "commit", "commitTime"} <= set(info["git"])
    _, stats = await lavalink.request("GET", "/v4/stats")
    assert {"players", "playingPlayers", "uptime", "memory", "cpu"} <= set(stats)
    assert {"free", "used", "allocated", "reservable"} <= set(stats["memory"])
    assert {"cores", "systemLoad", "lavalinkLoad"} <= set(stats["cpu"])
    pushed = await lavalink.message("stats")
    assert "frameStats" in pushed


# ── tracks ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("codec", ["mp3", "ogg", "webm", "m4a", "flac"])
async def test_link_is_loaded_with_tags_and_length(
    lavalink: RawLavalink, studio: Studio, codec: str
) -> None:
    link = studio.link(codec)
    result = await lavalink.load(link)
    info = result["data"]["info"]
    assert result["loadType"] == "track"
    assert (info["title"], info["author"]) == ("Steps", "A. Tester")
    assert info["length"] == pytest.approx(6000, abs=60)
    assert info["isSeekable"] is True
    assert info["isStream"] is False
    assert (info["identifier"], info["sourceName"]) == (link, "http")
    assert result["data"]["userData"] == {}


async def test_missing_file_is_empty_and_no_audio_is_an_error(
    lavalink: RawLavalink, studio: Studio
) -> None:
    assert (await lavalink.load(studio.site.link("nope.mp3")))["loadType"] == "empty"
    page = studio.site.add("page", b"<html>no audio</html>" * 100, Manner(content_type="text/html"))
    result = await lavalink.load(page)
    assert result["loadType"] == "error"
    assert {"message", "severity", "cause"} <= set(result["data"])


async def test_encoded_track_is_decoded_again(lavalink: RawLavalink, studio: Studio) -> None:
    track = (await lavalink.load(studio.link("mp3")))["data"]
    path = "/v4/decodetrack?encodedTrack=" + track["encoded"].replace("+", "%2B")
    status, decoded = await lavalink.request("GET", path)
    assert status == 200
    assert decoded["info"] == track["info"]
    status, several = await lavalink.request("POST", "/v4/decodetracks", [track["encoded"]] * 2)
    assert status == 200
    assert [each["info"] for each in several] == [track["info"]] * 2


# ── players without voice ───────────────────────────────────────────────────
async def test_identifier_that_cannot_be_loaded_answers_400(
    lavalink: RawLavalink, studio: Studio
) -> None:
    link = studio.site.link("nope.mp3")
    body = {"track": {"identifier": link}}
    status, answer = await lavalink.request("PATCH", lavalink.player_path(GUILD), body)
    assert (status, answer["status"]) == (400, 400)
    assert answer["message"]


@pytest.mark.parametrize(
    "body", [{"volume": 1001}, {"volume": -1}, {"voice": {"token": "t", "endpoint": "e:1"}}]
)
async def test_wrong_request_answers_400(lavalink: RawLavalink, body: dict[str, Any]) -> None:
    status, _ = await lavalink.request("PATCH", lavalink.player_path(GUILD), body)
    assert status == 400


async def test_player_keeps_what_it_was_told(lavalink: RawLavalink, studio: Studio) -> None:
    filters = {"timescale": {"speed": 1.5}}
    answer = await played(lavalink, studio.link("ogg"), volume=40, paused=True, filters=filters)
    player = await lavalink.player(GUILD)
    for told in (answer, player):
        assert told["guildId"] == str(GUILD)
        assert (told["volume"], told["paused"]) == (40, True)
        assert told["track"]["userData"] == {"entry": "e1"}
        assert told["track"]["info"]["title"] == "Steps"
        assert told["filters"]["timescale"]["speed"] == 1.5
        assert {"time", "position", "connected", "ping"} <= set(told["state"])
        assert told["state"]["connected"] is False
    _, players = await lavalink.request("GET", f"/v4/sessions/{lavalink.session_id}/players")
    assert [each["guildId"] for each in players] == [str(GUILD)]


async def test_no_replace_keeps_the_track_in_python_s_spelling_too(
    lavalink: RawLavalink, studio: Studio
) -> None:
    await played(lavalink, studio.link("ogg"))
    other = studio.link("mp3")
    for query in ("?noReplace=true", "?noReplace=True"):
        body = {"track": {"identifier": other}}
        answer = await lavalink.patch(GUILD, body, query=query)
        assert answer["track"]["info"]["identifier"] != other
    answer = await lavalink.patch(GUILD, {"track": {"identifier": other}}, query="?noReplace=False")
    assert answer["track"]["info"]["identifier"] == other


async def test_replacing_and_stopping_end_tracks_with_their_reasons(
    lavalink: RawLavalink, studio: Studio
) -> None:
    await played(lavalink, studio.link("ogg"))
    await lavalink.event("TrackStartEvent", GUILD)
    await played(lavalink, studio.link("mp3"))
    answer = await lavalink.patch(GUILD, {"track": {"encoded": None}})
    assert answer["track"] is None
    await lavalink.message("event", type="TrackEndEvent", reason="stopped")
    assert reasons(lavalink) == [
        "TrackStart",
        "TrackEnd replaced",
        "TrackStart",
        "TrackEnd stopped",
    ]
    ended = lavalink.events(GUILD)[1]["track"]
    assert ended["info"]["identifier"].endswith("steps.ogg")
    assert ended["userData"] == {"entry": "e1"}


async def test_player_that_was_deleted_is_gone(lavalink: RawLavalink, studio: Studio) -> None:
    await played(lavalink, studio.link("ogg"))
    assert (await lavalink.request("DELETE", lavalink.player_path(GUILD)))[0] == 204
    assert (await lavalink.request("GET", lavalink.player_path(GUILD)))[0] == 404


# ── sessions ────────────────────────────────────────────────────────────────
async def test_session_is_resumed_with_the_events_that_were_missed(
    node: Node, studio: Studio
) -> None:
    async with node.client() as lavalink:
        path = f"/v4/sessions/{lavalink.session_id}"
        status, answer = await lavalink.request("PATCH", path, {"resuming": True, "timeout": 30})
        assert (status, answer) == (200, {"resuming": True, "timeout": 30})
        await played(lavalink, studio.link("ogg"), paused=True)
        session_id = lavalink.session_id
        await lavalink.disconnect()
        await lavalink.patch(GUILD, {"track": {"encoded": None}})
        ready = await lavalink.connect(resume=session_id)
        assert (ready["resumed"], ready["sessionId"]) == (True, session_id)
        await lavalink.event("TrackEndEvent", GUILD)
        await lavalink.message("playerUpdate", guildId=str(GUILD))
        await lavalink.request("DELETE", lavalink.player_path(GUILD))


async def test_session_that_is_not_resumable_is_a_new_one(node: Node, studio: Studio) -> None:
    async with node.client() as lavalink:
        old = lavalink.session_id
        await lavalink.disconnect()
        ready = await lavalink.connect(resume=old)
        assert ready["resumed"] is False
        assert ready["sessionId"] != old


# ── sound ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("codec", ["mp3", "ogg", "webm", "m4a", "flac", "wav"])
async def test_track_is_heard_to_its_end_and_then_said_to_be_finished(
    node: Node, lavalink: RawLavalink, studio: Studio, codec: str
) -> None:
    ear = await join(lavalink, node, GUILD)
    begin = time.monotonic()
    await played(lavalink, studio.link(codec), position=2500)
    assert (await lavalink.event("TrackStartEvent", GUILD))["track"]["info"]["title"]
    await ear.hears(440, since=begin)
    await ear.hears(880, since=begin)
    await lavalink.event("TrackEndEvent", GUILD)
    assert reasons(lavalink) == ["TrackStart", "TrackEnd finished"]
    await ear.silence()
    heard = [frame for frame in ear.timeline(since=begin) if not frame.silent]
    assert len(heard) == pytest.approx(175, abs=4)
    assert ear.gaps().lost == 0
    assert ear.violations == []


async def test_pause_seek_and_volume_are_heard(
    node: Node, lavalink: RawLavalink, studio: Studio
) -> None:
    ear = await join(lavalink, node, GUILD)
    await played(lavalink, studio.link("webm"))
    await ear.hears(440)
    loud = await ear.loudness(seconds=0.3)
    await lavalink.patch(GUILD, {"position": 4000})
    await ear.hears(880)
    await lavalink.patch(GUILD, {"volume": 10})
    await ear.packets(20, since=time.monotonic())
    assert await ear.loudness(seconds=0.3) < loud - 10
    await lavalink.patch(GUILD, {"paused": True})
    await ear.silence()
    player = await lavalink.player(GUILD)
    assert 4400 < player["state"]["position"] < 6000
    await lavalink.patch(GUILD, {"paused": False})
    await ear.hears(880)


async def test_position_is_told_regularly_and_follows_what_is_heard(
    node: Node, lavalink: RawLavalink, studio: Studio
) -> None:
    ear = await join(lavalink, node, GUILD)
    await played(lavalink, studio.link("ogg"))
    await ear.hears(440)
    await ear.packets(60, since=time.monotonic())
    seen = len(lavalink.messages)
    update = await lavalink.message("playerUpdate", after=seen, guildId=str(GUILD))
    assert update["state"]["connected"] is True
    assert update["state"]["position"] > 1000
    assert abs(update["state"]["time"] - time.time() * 1000) < 2000


async def test_client_that_leaves_without_resuming_ends_the_sound(
    node: Node, lavalink: RawLavalink, studio: Studio
) -> None:
    ear = await join(lavalink, node, GUILD)
    await played(lavalink, studio.link("ogg"))
    await ear.hears(440)
    await lavalink.disconnect()
    await ear.silence()


async def test_sound_goes_on_while_a_resumable_client_is_away(
    node: Node, lavalink: RawLavalink, studio: Studio
) -> None:
    await lavalink.request(
        "PATCH", f"/v4/sessions/{lavalink.session_id}", {"resuming": True, "timeout": 30}
    )
    ear = await join(lavalink, node, GUILD)
    begin = time.monotonic()
    await played(lavalink, studio.link("ogg"))
    await ear.hears(440)
    session_id = lavalink.session_id
    await lavalink.disconnect()
    await ear.hears(880, since=begin)
    ready = await lavalink.connect(resume=session_id)
    assert ready["resumed"] is True
    await lavalink.event("TrackEndEvent", GUILD)
    assert ear.gaps(since=begin).lost == 0


async def test_voice_that_discord_ends_is_told(
    node: Node, lavalink: RawLavalink, studio: Studio
) -> None:
    ear = await join(lavalink, node, GUILD)
    await played(lavalink, studio.link("ogg"))
    await ear.hears(440)
    assert node.voice is not None
    await node.voice.expel(GUILD, 4014)
    event = await lavalink.event("WebSocketClosedEvent", GUILD)
    assert (event["code"], event["byRemote"]) == (4014, True)


async def test_source_that_breaks_raises_an_exception_event_and_ends(
    node: Node, lavalink: RawLavalink, studio: Studio
) -> None:
    ear = await join(lavalink, node, GUILD)
    begin = time.monotonic()
    link = studio.link("ogg", Manner(ranges=False, length=False, breaks_at=40_000))
    await lavalink.patch(GUILD, {"track": {"identifier": link}})
    await ear.hears(440, since=begin)
    exception = (await lavalink.event("TrackExceptionEvent", GUILD))["exception"]
    assert {"message", "severity", "cause"} <= set(exception)
    end = await lavalink.event("TrackEndEvent", GUILD)
    assert end["reason"] in {"finished", "loadFailed"}
