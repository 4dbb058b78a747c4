"""One song has one address, however it is written; everything else is words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audio.errors import AddressRefused
from services.audio.query import Address, SearchText, parse_address, parse_query
from services.audio.track import Source

VIDEO = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"


@pytest.mark.parametrize(
    "typed",
    [
        VIDEO,
        "https://youtu.be/dQw4w9WgXcQ",
        "https://youtu.be/dQw4w9WgXcQ?si=abc&t=42",
        "http://youtube.com/watch?v=dQw4w9WgXcQ&feature=share",
        "https://m.youtube.com/watch?app=desktop&v=dQw4w9WgXcQ",
        "https://music.youtube.com/watch?v=dQw4w9WgXcQ&list=RDAMVM",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ",
        "https://www.youtube.com/live/dQw4w9WgXcQ?feature=share",
        "https://www.youtube.com/embed/dQw4w9WgXcQ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=PL123&index=3",
        "<https://youtu.be/dQw4w9WgXcQ>",
        "  youtu.be/dQw4w9WgXcQ ",
        "www.youtube.com/watch?v=dQw4w9WgXcQ",
    ],
)
def test_youtube_video_in_any_spelling_has_one_address(typed: str) -> None:
    assert parse_query(typed) == Address(VIDEO, Source.YOUTUBE)


@pytest.mark.parametrize(
    "typed",
    [
        "https://www.youtube.com/playlist?list=PL-abc_1",
        "https://music.youtube.com/playlist?list=PL-abc_1&si=x",
    ],
)
def test_youtube_playlist_in_any_spelling_has_one_address(typed: str) -> None:
    expected = "https://www.youtube.com/playlist?list=PL-abc_1"
    assert parse_query(typed) == Address(expected, Source.YOUTUBE)


@pytest.mark.parametrize(
    ("typed", "source"),
    [
        ("https://www.youtube.com/@somebody/videos", Source.YOUTUBE),
        ("https://open.spotify.com/track/4PTG3Z6ehGkBFwjybzWkR8", Source.SPOTIFY),
        ("https://on.soundcloud.com/abc", Source.SOUNDCLOUD),
        ("https://lowtide.bandcamp.com/album/tides", Source.BANDCAMP),
        ("https://cdn.discordapp.com/attachments/1/2/a.mp3?ex=1", Source.ATTACHMENT),
        ("https://music.example/a.mp3", None),
        ("https://notyoutube.com/watch?v=dQw4w9WgXcQ", None),
        ("http://127.0.0.1:8000/a.mp3", None),
    ],
)
def test_address_of_a_site_is_kept_and_its_source_known(typed: str, source: Source | None) -> None:
    assert parse_query(typed) == Address(typed, source)


def test_spotify_uri_becomes_a_link() -> None:
    expected = Address("https://open.spotify.com/album/6N9PS4QXF1D0OWPk0Sxtb4", Source.SPOTIFY)
    assert parse_query("spotify:album:6N9PS4QXF1D0OWPk0Sxtb4") == expected


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("never gonna give you up", "never gonna give you up"),
        ("  two\n lines\tof it ", "two lines of it"),
        ("AC/DC", "AC/DC"),
        ("what is 1/2", "what is 1/2"),
        ("ytsearch99:noise", "ytsearch99:noise"),
        ("Mr. Brightside", "Mr. Brightside"),
        ("", ""),
    ],
)
def test_words_are_searched_for(typed: str, text: str) -> None:
    assert parse_query(typed) == SearchText(text)


@pytest.mark.parametrize(
    "typed",
    [
        "file:///etc/passwd",
        "ftp://music.example/a.mp3",
        "gopher://music.example/",
        "http://",
        "http:///a.mp3",
        "http://user:secret@music.example/a.mp3",
        "http://user@music.example/a.mp3",
        "http://music.example:99999/",
        "http://[::1/",
        "http://music.example/a b.mp3",
        "http://music.example\\@127.0.0.1/",
        "http://music.example/\u202egpm.a",
        "https://music.example/" + "a" * 2000,
    ],
)
def test_address_that_cannot_be_fetched_is_refused(typed: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        parse_query(typed)
    assert refused.value.sentence.endswith(".")
    assert "secret" not in refused.value.sentence


@given(st.text(max_size=400))
def test_any_text_is_an_address_words_or_refused(typed: str) -> None:
    try:
        query = parse_query(typed)
    except AddressRefused:
        return
    if isinstance(query, Address):
        assert parse_address(query.url) == query
    else:
        assert query.text == " ".join(query.text.split())
