"""Links that disappoint, each in its own way: a sentence that says how, and never a false success.

What takes its time is begun all at once, each in a guild of its own; its tests wait for what has
long been under way.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from tests.e2e.house import ADDED, FAILED, NOW, REFUSED, House, Room
from tests.e2e.scenes import Played, Scenes
from tests.simulator import SimMessage
from tests.simulator.simulator import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

_CLOSED_PORT = free_port()
_RED = 0xED4245


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    """A bot that downloads one megabyte at most."""
    async with House(allow_hosts=[f"127.0.0.1:{_CLOSED_PORT}"], MAX_DOWNLOAD_MB="1") as house:
        yield house


async def answer_to(room: Room, link: str, *, within: float = 8) -> SimMessage:
    """Let Ada play a link that cannot be played; return the bot's last word on it."""
    if room.ada.voice is None:
        await room.ada.join(room.lounge)
    sent = await room.ada.say(room.general, f"!play {link}")
    answer = await room.general.expect(
        after=sent, where=lambda m: REFUSED in m.title or FAILED in m.title, within=within
    )
    assert not {title for title in room.titles(sent) if ADDED in title or NOW in title}
    assert answer.color == _RED
    return answer


# ── what takes its time ─────────────────────────────────────────────────────
async def site_hangs(room: Room, path: str) -> None:
    """A site that gives nothing, or hardly anything, is given up."""
    answer = await answer_to(room, room.site.url(path), within=30)
    assert "too long" in answer.text


async def breaks_once(room: Room, prefix: str) -> None:
    """A connection that breaks once is not heard."""
    await room.ada.join(room.lounge)
    began = room.guild.world.clock.monotonic()
    await room.says(room.ada, f"!play {room.site.url(f'/{prefix}/440/4.mp3')}", title=NOW)
    await room.queues(880)
    await room.guild.hears(880, within=10, since=began)
    seam = room.guild.ear.seam(440, 880, since=began)
    assert seam.frames_between <= 2
    assert (seam.lost, seam.extra_timestamp) == (0, 0)
    heard = [frame for frame in room.guild.ear.timeline(since=began) if _is(frame.hz, 440)]
    assert len(heard) * 0.02 == pytest.approx(4, abs=0.1)


async def stays_broken(room: Room, path: str) -> None:
    """A file is heard as far as it goes, and skipped with the reason."""
    await room.ada.join(room.lounge)
    began = room.guild.world.clock.monotonic()
    playing = await room.says(room.ada, f"!play {room.site.url(path)}", title=NOW)
    await room.queues(880)
    skipped = await room.general.expect(title="Skipped", after=playing, within=20)
    assert "440" in skipped.text
    heard = [frame for frame in room.guild.ear.timeline(since=began) if _is(frame.hz, 440)]
    assert len(heard) * 0.02 == pytest.approx(10, abs=0.2)
    await room.guild.hears(880)


async def three_in_a_row(room: Room, path: str) -> None:
    """Three tracks in a row that break stop the music with a message; the rest stays queued."""
    await room.ada.join(room.lounge)
    playing = await room.says(room.ada, f"!play {room.site.url(path)}", title=NOW)
    for number in (2, 3):
        await room.says(room.ada, f"!play {room.site.url(path)}?copy={number}", title=ADDED)
    await room.queues(880)
    await room.general.expect(title="Stopped", text="3 tracks", after=playing, within=40)
    skipped = [m for m in room.general.feed.all if "Skipped" in m.title]
    assert len(skipped) == 3
    await room.guild.silence()
    queue = await room.says(room.ada, "!queue", title="Queue")
    assert "880 Hz" in queue.text
    await room.says(room.ada, f"!play {room.tone(990)}", title=ADDED)
    await room.guild.hears(880)


async def hides_its_endlessness(room: Room) -> None:
    """A stream without an end that does not say so is skipped at the limit."""
    await room.ada.join(room.lounge)
    link = room.site.url("/forever/440/3.wav")
    playing = await room.says(room.ada, f"!play {link}", title=NOW)
    await room.queues(880)
    skipped = await room.general.expect(title="Skipped", after=playing, within=20)
    assert "larger than the 1 MB" in skipped.text
    await room.guild.hears(880)


async def stalls_once(room: Room) -> None:
    """A server that falls silent once is asked again, and the music goes on to its end."""
    await room.ada.join(room.lounge)
    playing = await room.says(
        room.ada, f"!play {room.site.url('/stalls-once/440/12.mp3')}", title=NOW
    )
    await room.queues(880)
    await room.general.expect(title=NOW, text="880", after=playing, within=60)
    assert "⏭️ Skipped" not in room.titles(playing)


async def stalls_for_good(room: Room) -> None:
    """A server that falls silent for good is skipped with the reason, after one more try."""
    await room.ada.join(room.lounge)
    playing = await room.says(room.ada, f"!play {room.site.url('/stalls/440/8.mp3')}", title=NOW)
    await room.queues(880)
    skipped = await room.general.expect(title="Skipped", after=playing, within=25)
    assert "440" in skipped.text
    await room.guild.hears(880)


def _is(hz: float | None, wanted: float) -> bool:
    return hz is not None and abs(hz - wanted) < 0.03 * wanted


SCENES = Scenes(
    {
        "site that is silent": partial(site_hangs, path="/silence/x.mp3"),
        "site that drips": partial(site_hangs, path="/drip/440/30.mp3"),
        "page that never answers": partial(site_hangs, path="/watch/stuck"),
        "file that breaks once": partial(breaks_once, prefix="breaks-once"),
        "file that breaks once, no ranges": partial(breaks_once, prefix="norange-breaks-once"),
        "file that stays broken": partial(stays_broken, path="/broken/440/20.mp3"),
        "three broken files in a row": partial(three_in_a_row, path="/broken/500/2.mp3"),
        "stream that hides its endlessness": hides_its_endlessness,
        "file that stalls once": stalls_once,
        "file that stalls for good": stalls_for_good,
    }
)


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def played(house: House) -> AsyncIterator[Played]:
    """Everything slow, begun when the first test of this file runs."""
    async with SCENES.playing(house) as played:
        yield played


# ── there is nothing ────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/missing/x.mp3", "nothing at that address"),
        ("/forbidden/x.mp3", "refuses"),
        ("/failing/x.mp3", "problem of its own"),
        ("/page/x.mp3", "no audio"),
        ("/garbage/x.mp3", "no audio"),
        ("/loop", "could not reach"),
        ("/article/1", "nothing to play"),
        ("/watch/removed", "removed"),
        ("/watch/secret", "private"),
        ("/watch/grown-up", "age-restricted"),
        ("/watch/elsewhere", "country"),
        ("/watch/patrons", "members"),
        ("/watch/robot", "robot"),
        ("/watch/silent-film", "no audio"),
        ("/watch/busy", "few minutes"),
        ("/watch/maze", "yt-dlp"),
        ("/list/hopeless", "Nothing in that list"),
    ],
)
async def test_link_that_gives_nothing_says_why(room: Room, path: str, words: str) -> None:
    answer = await answer_to(room, room.site.url(path))
    assert words in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "host",
    [pytest.param(f"127.0.0.1:{_CLOSED_PORT}", id="closed port"), "no-such-host.invalid"],
)
async def test_dead_host_could_not_be_reached(room: Room, host: str) -> None:
    answer = await answer_to(room, f"http://{host}/x.mp3")
    assert "could not reach" in answer.text


# ── too much ────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/hours/x.flac", "10 h"),
        ("/watch/epic", "10 h"),
        ("/watch/radio", "livestream"),
        ("/station/440/3.mp3", "livestream"),
        ("/hls/growing/440/3/master.m3u8", "livestream"),
        ("/huge/x.mp3", "1 MB"),
        ("/forever/440/3.mp3", "1 MB"),
    ],
)
async def test_track_without_an_end_or_too_large_is_refused_with_the_limit(
    room: Room, path: str, words: str
) -> None:
    assert words in (await answer_to(room, room.site.url(path))).text


async def test_empty_list_is_nothing_found(room: Room) -> None:
    await room.ada.join(room.lounge)
    answer = await room.says(room.ada, f"!play {room.site.url('/list/empty')}", title="Nothing")
    assert "empty" in answer.text


async def test_playlist_bomb_is_cut_and_neither_clicks_nor_music_wait_for_it(
    room: Room, house: House
) -> None:
    other = house.room()
    await other.plays(440)
    began = house.discord.clock.monotonic()
    await room.ada.join(room.lounge)
    sent = await room.ada.say(room.general, f"!play {room.site.url('/list/endless')}")
    while not (added := [m for m in room.general.messages if ADDED in m.title]):
        outcome = await other.ada.slash(other.general, "queue")
        assert outcome.ack_ms is not None
        assert outcome.ack_ms < 500
        await asyncio.sleep(0.1)
    assert "longer" in added[0].text
    assert room.titles(sent)[:2] == ["⏳ Queuing…", "✅ Added to queue"]
    assert other.guild.ear.gaps(since=began).lost == 0
    await room.says(room.ada, "!stop", title="Stopped")
    await room.says(room.ada, "!queue", title="empty")


# ── not allowed ─────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "link",
    [
        "http://10.0.0.1/x.mp3",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/x.mp3",
        "http://[::ffff:127.0.0.1]/x.mp3",
        "http://localhost/x.mp3",
        "http://2130706433/x.mp3",
        "http://0x7f.1/x.mp3",
        "http://0/x.mp3",
        "http://[fe80::1]/x.mp3",
        "http://user:secret@10.0.0.1/x.mp3",
        "ftp://10.0.0.1/x.mp3",
        "file:///etc/passwd",
    ],
)
async def test_forbidden_address_is_refused_and_not_repeated_in_the_answer(
    room: Room, link: str
) -> None:
    answer = await answer_to(room, link)
    assert "root:" not in answer.text
    assert "secret" not in answer.text


async def test_own_ports_of_the_bot_are_out_of_reach(room: Room, house: House) -> None:
    for address in (f"{house.bot.status_url}/metrics", f"{house.bot.status_url}/healthz"):
        answer = await answer_to(room, address)
        assert "private" in answer.text


@pytest.mark.parametrize(
    "target", ["http://10.0.0.1/x.mp3", "http://169.254.169.254/", "file:///etc/passwd"]
)
async def test_redirect_to_a_forbidden_address_is_refused(room: Room, target: str) -> None:
    answer = await answer_to(room, room.site.url(f"/redirect?to={target}"))
    assert REFUSED in answer.title


async def test_page_that_makes_its_reader_look_inside_is_refused(room: Room) -> None:
    answer = await answer_to(room, room.site.url("/watch/inside-job"))
    assert "private" in answer.text


# ── titles ──────────────────────────────────────────────────────────────────
async def test_title_with_markup_is_harmless_in_every_place_where_it_is_shown(room: Room) -> None:
    await room.ada.join(room.lounge)
    link = room.site.url("/watch/markup")
    await room.says(room.ada, f"!play {link}", title=NOW, within=15)
    await room.says(room.ada, f"!play {link}", title=ADDED, within=15)
    await room.says(room.ada, "!queue", title="Queue")
    await room.says(room.ada, "!np", title=NOW)
    other = room.guild.add_text_channel("other")
    await room.ada.say(other, "!pause")
    await other.expect(title="Paused")
    await room.ada.say(other, "!resume")
    await other.expect(title="Resumed")
    await room.ada.say(other, "!skip")
    await other.expect(title="Skipped")
    for message in (*room.general.messages, *other.messages):
        if message.author is not room.guild.me.user:
            continue
        assert not message.mentions_everyone
        assert message.pinged_users == set()
        assert "\u202e" not in message.text
        assert "**bold**" not in message.text
        assert "[link](" not in message.text


# ── slowly ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("scene", SCENES.names)
async def test_link_that_disappoints_slowly(played: Played, scene: str) -> None:
    await played[scene]
