"""Real yt-dlp in real worker processes reads the music site, whatever the site does to it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from bot.adapters.ytdlp import YtdlpSites
from bot.adapters.ytdlp_pool import WorkerPool
from bot.adapters.ytdlp_protocol import WorkerConfig
from services.audio.errors import AddressRefused, ExtractionFailed, ExtractionReason
from services.audio.extraction import FoundList, FoundTrack
from tests.simulator.site import PLUGIN_DIR, SEARCH_KEY, SONGS, MusicSite

pytestmark = pytest.mark.e2e


@asynccontextmanager
async def reading(
    site: MusicSite, *, allow: bool = True, workers: int = 1, job_timeout: float = 15
) -> AsyncIterator[YtdlpSites]:
    config = WorkerConfig(
        search_key=SEARCH_KEY,
        allow_hosts=(site.host,) if allow else (),
        plugin_dirs=(str(PLUGIN_DIR),),
        cookies=None,
        cache_dir=None,
    )
    pool = WorkerPool(
        config, workers=workers, job_timeout=job_timeout, environment=site.environment
    )
    pool.start()
    try:
        yield YtdlpSites(pool)
    finally:
        await pool.close()


@pytest.fixture
async def site() -> AsyncIterator[MusicSite]:
    async with MusicSite() as running:
        yield running


@pytest.fixture
async def sites(site: MusicSite) -> AsyncIterator[YtdlpSites]:
    async with reading(site) as reader:
        yield reader


async def test_page_of_a_song_gives_its_description_and_its_stream(
    site: MusicSite, sites: YtdlpSites
) -> None:
    page = site.url("/watch/morning")
    found = await sites.look_up(page, lane=1)
    assert found == FoundTrack(
        url=page, title="Morning in A", artist="The Test Tones", duration_ms=8000
    )
    asked = site.requests["/api/song/morning"]
    stream = await sites.stream(page)
    assert stream.url == site.url("/tone/440/8.webm")
    assert stream.duration_ms == 8000
    assert "User-Agent" in stream.headers
    assert site.requests["/api/song/morning"] == asked  # what was just read is not read again
    await sites.stream(page, fresh=True)
    assert site.requests["/api/song/morning"] == asked + 1


async def test_list_gives_its_songs_in_order(site: MusicSite, sites: YtdlpSites) -> None:
    found = await sites.look_up(site.url("/list/mixed"), lane=1)
    assert isinstance(found, FoundList)
    assert (found.title, found.total) == ("Mixed Luck", 5)
    assert [track.title for track in found.tracks][:2] == ["Morning in A", "Epic of Ten Hours"]
    assert [(t.is_live, t.available) for t in found.tracks] == [
        (False, True),
        (False, True),
        (True, True),
        (False, False),
        (False, True),
    ]


async def test_search_gives_as_many_answers_as_wanted(site: MusicSite, sites: YtdlpSites) -> None:
    found = await sites.search("low tide", 2, lane=1)
    assert [track.title for track in found] == ["Harbour Lights", "Lantern Song"]
    assert found[0].url == site.url("/watch/harbour")
    assert await sites.search("no such words", 5, lane=1) == ()


async def test_search_words_with_the_syntax_of_yt_dlp_are_only_words(sites: YtdlpSites) -> None:
    assert await sites.search("simsearch9:*\n--exec id", 5, lane=1) == ()


@pytest.mark.parametrize(
    ("song", "reason"),
    [
        ("secret", ExtractionReason.PRIVATE),
        ("removed", ExtractionReason.NOT_FOUND),
        ("grown-up", ExtractionReason.AGE_RESTRICTED),
        ("elsewhere", ExtractionReason.REGION_BLOCKED),
        ("patrons", ExtractionReason.LOGIN_REQUIRED),
        ("robot", ExtractionReason.RATE_LIMITED),
        ("busy", ExtractionReason.RATE_LIMITED),
        ("silent-film", ExtractionReason.NOT_AUDIO),
        ("maze", ExtractionReason.BROKEN),
        ("nobody-knows-it", ExtractionReason.NOT_FOUND),
    ],
)
async def test_song_that_cannot_be_had_says_why(
    site: MusicSite, sites: YtdlpSites, song: str, reason: ExtractionReason
) -> None:
    with pytest.raises(ExtractionFailed) as failed:
        await sites.look_up(site.url(f"/watch/{song}"), lane=1)
    assert failed.value.reason is reason
    assert failed.value.sentence.endswith(".")
    assert "ERROR" not in failed.value.sentence
    assert "SimSite" not in failed.value.sentence


async def test_page_without_music_is_unsupported(site: MusicSite, sites: YtdlpSites) -> None:
    with pytest.raises(ExtractionFailed) as failed:
        await sites.look_up(site.url("/article/x"), lane=1)
    assert failed.value.reason is ExtractionReason.UNSUPPORTED


async def test_site_that_is_not_there_is_unreachable(sites: YtdlpSites) -> None:
    with pytest.raises(ExtractionFailed) as failed:
        await sites.look_up("http://music.invalid/watch/1", lane=1)
    assert failed.value.reason is ExtractionReason.UNREACHABLE


async def test_playlist_bomb_is_cut_at_ten_thousand(site: MusicSite, sites: YtdlpSites) -> None:
    bomb = await sites.look_up(site.url("/list/bomb"), lane=1)
    assert isinstance(bomb, FoundList)
    assert (len(bomb.tracks), bomb.total) == (10_000, 10_000)
    endless = await sites.look_up(site.url("/list/endless"), lane=1)
    assert isinstance(endless, FoundList)
    assert 0 < len(endless.tracks) <= 10_000
    assert endless.total > len(endless.tracks)


async def test_worker_that_crashes_once_is_replaced_and_the_job_done(
    site: MusicSite, sites: YtdlpSites
) -> None:
    found = await sites.look_up(site.url("/watch/crash-once"), lane=1)
    assert isinstance(found, FoundTrack)
    assert found.title == SONGS["crash-once"].title


async def test_page_that_always_crashes_fails_and_the_next_one_works(
    site: MusicSite, sites: YtdlpSites
) -> None:
    with pytest.raises(ExtractionFailed) as failed:
        await sites.look_up(site.url("/watch/crasher"), lane=1)
    assert failed.value.reason is ExtractionReason.BROKEN
    assert isinstance(await sites.look_up(site.url("/watch/morning"), lane=1), FoundTrack)


async def test_page_that_hangs_times_out_and_the_next_one_works(site: MusicSite) -> None:
    async with reading(site, job_timeout=3) as sites:
        await sites.look_up(site.url("/watch/morning"), lane=1)
        with pytest.raises(ExtractionFailed) as failed:
            await sites.look_up(site.url("/watch/stuck"), lane=1)
        assert failed.value.reason is ExtractionReason.TIMED_OUT
        assert isinstance(await sites.look_up(site.url("/watch/evening"), lane=1), FoundTrack)


async def test_page_that_hangs_does_not_hold_up_another_guild(site: MusicSite) -> None:
    async with reading(site, workers=2) as sites:
        await sites.look_up(site.url("/watch/morning"), lane=1)
        stuck = asyncio.ensure_future(sites.look_up(site.url("/watch/stuck"), lane=1))
        try:
            async with asyncio.timeout(10):
                await sites.look_up(site.url("/watch/evening"), lane=2)
            assert not stuck.done()
        finally:
            stuck.cancel()


@pytest.mark.parametrize("path", ["/watch/morning", "/tone/440/1.mp3", "/article/x"])
async def test_private_site_is_not_read(site: MusicSite, path: str) -> None:
    async with reading(site, allow=False) as sites:
        with pytest.raises(AddressRefused, match="private network"):
            await sites.look_up(site.url(path), lane=1)
    assert site.requests.total() == 0


async def test_page_that_leads_inside_is_stopped_there(site: MusicSite, sites: YtdlpSites) -> None:
    with pytest.raises(AddressRefused):
        await sites.look_up(site.url("/watch/inside-job"), lane=1)


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:9/x",
        "http://2130706433:9/",
        "http://[::1]:9/",
        "http://0x7f.1:9/",
        "http://localhost:9/",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
async def test_redirect_inside_is_stopped_there(
    site: MusicSite, sites: YtdlpSites, target: str
) -> None:
    with pytest.raises(AddressRefused):
        await sites.look_up(site.url(f"/redirect?to={target}"), lane=1)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "/etc/passwd", "ftp://127.0.0.1/x"])
async def test_local_files_are_out_of_reach(sites: YtdlpSites, url: str) -> None:
    with pytest.raises((ExtractionFailed, AddressRefused)):
        await sites.look_up(url, lane=1)


async def test_wrong_setting_is_named_in_the_log_and_nobody_waits_for_long(
    site: MusicSite, caplog: pytest.LogCaptureFixture
) -> None:
    config = WorkerConfig(
        search_key=SEARCH_KEY,
        allow_hosts=(),
        plugin_dirs=("/no/such/folder",),
        cookies=None,
        cache_dir=None,
    )
    pool = WorkerPool(config, workers=2)
    pool.start()
    try:
        with pytest.raises(ExtractionFailed) as failed:
            await YtdlpSites(pool).look_up(site.url("/watch/morning"), lane=1)
    finally:
        await pool.close()
    assert failed.value.reason is ExtractionReason.BROKEN
    assert "Invalid plugin directory: /no/such/folder" in caplog.text


_BOT = """
import asyncio, os, sys
from pathlib import Path
from bot.adapters.ytdlp_pool import WorkerPool
from bot.adapters.ytdlp_protocol import Job, WorkerConfig

async def main(page, host, plugins, key):
    config = WorkerConfig(
        search_key=key, allow_hosts=(host,), plugin_dirs=(plugins,), cookies=None, cache_dir=None
    )
    pool = WorkerPool(config, workers=1)
    pool.start()
    await pool.run(Job(kind="look_up", target=page), lane=1)
    print(Path(f"/proc/self/task/{os.getpid()}/children").read_text(), flush=True)
    await pool.run(Job(kind="look_up", target=page.replace("morning", "stuck")), lane=1)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_workers_of_a_killed_bot_end_in_the_middle_of_their_work(site: MusicSite) -> None:
    page = site.url("/watch/morning")
    bot = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _BOT, page, site.host, str(PLUGIN_DIR), SEARCH_KEY),
        stdout=asyncio.subprocess.PIPE,
    )
    assert bot.stdout is not None
    worker = int(await bot.stdout.readline())
    async with asyncio.timeout(20):
        await site.asked_for("/api/song/stuck")
        ended = _end_of(worker)
        bot.kill()
        await bot.wait()
        await ended.wait()


def _end_of(process: int) -> asyncio.Event:
    """Return what is set when a process that is not our child has ended."""
    ended, loop, watched = asyncio.Event(), asyncio.get_running_loop(), os.pidfd_open(process)

    def notice() -> None:
        loop.remove_reader(watched)
        os.close(watched)
        ended.set()

    loop.add_reader(watched, notice)
    return ended


async def test_workers_after_close_are_gone(site: MusicSite) -> None:
    async with reading(site) as sites:
        await sites.look_up(site.url("/watch/morning"), lane=1)
        children = _children()
        assert children
    assert not children & _children()


def _children() -> set[int]:
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return {int(pid) for pid in children.split()}


@pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(), reason="this kernel has no scheduling by sessions"
)
async def test_worker_leaves_the_processors_to_the_bot_and_its_node(
    site: MusicSite, sites: YtdlpSites
) -> None:
    await sites.look_up(site.url("/watch/morning"), lane=1)
    (worker,) = [child.pid for child in psutil.Process().children() if _is_worker(child)]
    assert os.getpriority(os.PRIO_PROCESS, worker) == 10
    assert _shared_out(worker).endswith("nice 10")


def _is_worker(process: psutil.Process) -> bool:
    return "bot.adapters.ytdlp_worker" in process.cmdline()


def _shared_out(pid: int) -> str:
    """Return the priority of a process's session, as Linux tells it."""
    return Path(f"/proc/{pid}/autogroup").read_text().strip()
