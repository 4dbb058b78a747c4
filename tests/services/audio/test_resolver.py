"""From an address, words or a file to tracks, and a clear word where there are none."""

import pytest

from services.audio.errors import (
    AddressRefused,
    ExtractionFailed,
    ExtractionReason,
    NodeUnavailable,
    TrackRefused,
    TrackUnplayable,
)
from services.audio.extraction import FoundList, FoundTrack, OpenedMedia
from services.audio.extraction_reasons import failure
from services.audio.limits import TrackLimits
from services.audio.ports import Probe
from services.audio.query import parse_address
from services.audio.resolver import Attachment, TrackResolver
from services.audio.track import Playlist, Source, Track
from services.errors import NothingFound, Refusal
from tests.fakes.sites import ListedFiles, ListedSites

FILE = "https://music.example/songs/My_Song%20one.mp3"
VIDEO = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
LIST = "https://www.youtube.com/playlist?list=PL1"
HOUR = 3_600_000
MP3 = OpenedMedia(head=b"ID3\x04", content_type="audio/mpeg", filename=None, is_live=False)
PAGE = OpenedMedia(head=b"<html>", content_type="text/html", filename=None, is_live=False)
TAGS = Probe(title="Morning", artist="Tide", duration_ms=180_000)


@pytest.fixture
def sites() -> ListedSites:
    return ListedSites()


@pytest.fixture
def files() -> ListedFiles:
    return ListedFiles()


@pytest.fixture
def resolver(sites: ListedSites, files: ListedFiles) -> TrackResolver:
    return TrackResolver(
        extractor=sites,
        opener=files,
        media=files,
        probe=files,
        limits=TrackLimits(60),
        timeout_seconds=0.2,
    )


async def resolve(resolver: TrackResolver, url: str) -> Track | Playlist:
    return await resolver.resolve(parse_address(url), requested_by=7, guild_id=42)


async def test_direct_file_is_described_by_its_tags_without_an_extraction(
    resolver: TrackResolver, sites: ListedSites, files: ListedFiles
) -> None:
    files.files[FILE] = MP3
    files.probes[FILE] = TAGS
    assert await resolve(resolver, FILE) == Track(
        url=FILE,
        title="Morning",
        artist="Tide",
        source=Source.DIRECT,
        requested_by=7,
        duration_ms=180_000,
    )
    assert (sites.asked, files.forgotten) == ([], [])


async def test_direct_file_without_tags_is_called_by_its_name(
    resolver: TrackResolver, files: ListedFiles
) -> None:
    files.files[FILE] = MP3
    track = await resolve(resolver, FILE)
    assert isinstance(track, Track)
    assert (track.title, track.artist, track.duration_ms) == ("My Song one", None, None)


async def test_direct_file_with_a_hostile_title_stays_in_one_short_line(
    resolver: TrackResolver, files: ListedFiles
) -> None:
    files.files[FILE] = MP3
    title = "a\nb\u202ec\x00" + "d" * 500
    files.probes[FILE] = Probe(title=title, artist="\n", duration_ms=1)
    track = await resolve(resolver, FILE)
    assert isinstance(track, Track)
    assert track.title.startswith("a b c dd")
    assert len(track.title) == 200
    assert track.artist is None


async def test_direct_file_while_no_node_answers_is_taken_with_unknown_length(
    resolver: TrackResolver, files: ListedFiles
) -> None:
    files.files[FILE] = MP3
    files.probes[FILE] = NodeUnavailable("No audio node answers.")
    track = await resolve(resolver, FILE)
    assert isinstance(track, Track)
    assert track.duration_ms is None


@pytest.mark.parametrize(
    ("opened", "probe", "error"),
    [
        (MP3, Probe(title=None, artist=None, duration_ms=10 * HOUR), TrackRefused),
        (MP3, TrackUnplayable("It cannot be decoded."), TrackUnplayable),
        (
            OpenedMedia(head=b"ID3", content_type="audio/mpeg", filename=None, is_live=True),
            TAGS,
            TrackRefused,
        ),
        (
            OpenedMedia(head=b"%PDF", content_type="application/pdf", filename=None, is_live=False),
            TAGS,
            ExtractionFailed,
        ),
    ],
)
async def test_file_that_cannot_be_played_is_refused_and_let_go(
    resolver: TrackResolver,
    files: ListedFiles,
    opened: OpenedMedia,
    probe: Probe | TrackUnplayable,
    error: type[Exception],
) -> None:
    files.files[FILE] = opened
    files.probes[FILE] = probe
    with pytest.raises(error):
        await resolve(resolver, FILE)
    assert files.forgotten == [FILE]


async def test_page_of_an_unknown_site_goes_to_the_extractor(
    resolver: TrackResolver, sites: ListedSites, files: ListedFiles
) -> None:
    page = "https://music.example/song/1"
    files.files[page] = PAGE
    sites.pages[page] = FoundTrack(url=page, title="Song")
    track = await resolve(resolver, page)
    assert isinstance(track, Track)
    assert (track.title, track.source) == ("Song", Source.SITE)
    assert sites.asked == [(page, 42)]
    assert files.forgotten == [page]


async def test_known_site_is_not_opened_before_it_is_extracted(
    resolver: TrackResolver, sites: ListedSites, files: ListedFiles
) -> None:
    sites.pages[VIDEO] = FoundTrack(url=VIDEO, title="Song")
    track = await resolve(resolver, "https://youtu.be/dQw4w9WgXcQ?si=1")
    assert isinstance(track, Track)
    assert (track.url, track.source) == (VIDEO, Source.YOUTUBE)
    assert files.opened == []


async def test_site_that_turns_plain_requests_away_is_tried_by_the_extractor(
    resolver: TrackResolver, sites: ListedSites, files: ListedFiles
) -> None:
    page = "https://music.example/song/1"
    files.files[page] = failure(ExtractionReason.LOGIN_REQUIRED)
    with pytest.raises(ExtractionFailed) as failed:
        await resolve(resolver, page)
    assert failed.value.reason is ExtractionReason.LOGIN_REQUIRED
    sites.pages[page] = FoundTrack(url=page, title="Song")
    assert isinstance(await resolve(resolver, page), Track)


async def test_dead_link_is_not_extracted(resolver: TrackResolver, sites: ListedSites) -> None:
    with pytest.raises(ExtractionFailed) as failed:
        await resolve(resolver, FILE)
    assert failed.value.reason is ExtractionReason.NOT_FOUND
    assert sites.asked == []


async def test_private_address_is_refused_at_once(
    resolver: TrackResolver, sites: ListedSites, files: ListedFiles
) -> None:
    files.files[FILE] = AddressRefused("Private.")
    with pytest.raises(AddressRefused):
        await resolve(resolver, FILE)
    assert sites.asked == []


async def test_long_video_and_livestream_are_refused(
    resolver: TrackResolver, sites: ListedSites
) -> None:
    sites.pages[VIDEO] = FoundTrack(url=VIDEO, title="Song", duration_ms=HOUR + 1)
    with pytest.raises(TrackRefused, match="long"):
        await resolve(resolver, VIDEO)
    sites.pages[VIDEO] = FoundTrack(url=VIDEO, title="Song", is_live=True)
    with pytest.raises(TrackRefused, match="livestream"):
        await resolve(resolver, VIDEO)


async def test_list_keeps_what_can_be_played_and_counts_the_rest(
    resolver: TrackResolver, sites: ListedSites
) -> None:
    sites.pages[LIST] = FoundList(
        url=LIST,
        title="A\nlist",
        total=300,
        tracks=(
            FoundTrack(url=VIDEO, title="One"),
            FoundTrack(url=VIDEO, title="Two", duration_ms=HOUR + 1),
            FoundTrack(url=VIDEO, title="Three", is_live=True),
            FoundTrack(url=VIDEO, title="[Private video]", available=False),
            FoundTrack(url=VIDEO, title=""),
        ),
    )
    found = await resolve(resolver, LIST)
    assert isinstance(found, Playlist)
    assert (found.title, found.total, found.refused) == ("A list", 300, 3)
    assert [track.title for track in found.tracks] == ["One", "Untitled"]
    assert {track.requested_by for track in found.tracks} == {7}


async def test_list_of_ten_thousand_lets_others_run_meanwhile(
    resolver: TrackResolver, sites: ListedSites
) -> None:
    entries = tuple(FoundTrack(url=VIDEO, title=f"Take {n}") for n in range(10_000))
    sites.pages[LIST] = FoundList(url=LIST, title="Bomb", tracks=entries, total=10_000)
    found = await resolve(resolver, LIST)
    assert isinstance(found, Playlist)
    assert len(found.tracks) == 10_000


async def test_empty_list_and_hopeless_list_say_so(
    resolver: TrackResolver, sites: ListedSites
) -> None:
    sites.pages[LIST] = FoundList(url=LIST, title="Empty", tracks=(), total=0)
    with pytest.raises(NothingFound, match="empty"):
        await resolve(resolver, LIST)
    live = FoundTrack(url=VIDEO, title="Live", is_live=True)
    sites.pages[LIST] = FoundList(url=LIST, title="Hopeless", tracks=(live,), total=1)
    with pytest.raises(Refusal, match="Nothing in that list"):
        await resolve(resolver, LIST)


async def test_spotify_without_credentials_says_what_to_do(
    resolver: TrackResolver, sites: ListedSites, files: ListedFiles
) -> None:
    with pytest.raises(Refusal, match="SPOTIFY_CLIENT_ID"):
        await resolve(resolver, "https://open.spotify.com/track/4PTG3Z6ehGkBFwjybzWkR8")
    assert (sites.asked, files.opened) == ([], [])


async def test_site_that_hangs_times_out(resolver: TrackResolver, sites: ListedSites) -> None:
    sites.hangs = True
    with pytest.raises(ExtractionFailed) as failed:
        await resolve(resolver, VIDEO)
    assert failed.value.reason is ExtractionReason.TIMED_OUT


async def test_search_returns_the_first_that_can_be_played(
    resolver: TrackResolver, sites: ListedSites
) -> None:
    sites.answers["words"] = (
        FoundTrack(url=VIDEO, title="Live", is_live=True),
        *(FoundTrack(url=VIDEO, title=f"Song {n}", artist="Tide") for n in range(9)),
    )
    tracks = await resolver.search("words", requested_by=7, guild_id=42)
    assert [track.title for track in tracks] == [f"Song {n}" for n in range(5)]
    assert sites.asked == [("words", 42)]


async def test_search_without_answers_says_so(resolver: TrackResolver) -> None:
    with pytest.raises(NothingFound):
        await resolver.search("words", requested_by=7, guild_id=42)


ATTACHED = Attachment(
    url="https://cdn.discordapp.com/attachments/1/2/x.mp3",
    filename="My_Song.mp3",
    content_type="audio/mpeg",
    size_bytes=5000,
)


async def test_attachment_is_called_by_its_tags_else_by_its_name(
    resolver: TrackResolver, files: ListedFiles
) -> None:
    files.files[ATTACHED.url] = MP3
    track = await resolver.resolve_attachment(ATTACHED, requested_by=7)
    assert (track.title, track.source) == ("My Song", Source.ATTACHMENT)
    files.probes[ATTACHED.url] = TAGS
    track = await resolver.resolve_attachment(ATTACHED, requested_by=7)
    assert track.title == "Morning"


@pytest.mark.parametrize("content_type", ["image/png", "text/plain; charset=utf-8"])
async def test_attachment_that_is_no_audio_is_refused_unopened(
    resolver: TrackResolver, files: ListedFiles, content_type: str
) -> None:
    picture = Attachment(
        url=ATTACHED.url, filename="x.png", content_type=content_type, size_bytes=5000
    )
    with pytest.raises(ExtractionFailed) as failed:
        await resolver.resolve_attachment(picture, requested_by=7)
    assert failed.value.reason is ExtractionReason.NOT_AUDIO
    assert files.opened == []
