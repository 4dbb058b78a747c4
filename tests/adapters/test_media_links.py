"""Only the bot makes links, and they say themselves what they lead to."""

import stat
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.media_links import LinkSigner, MediaRef, load_key
from services.audio.track import Source

_MEDIA = MediaRef(Source.DIRECT, "https://music.example/a b.mp3?x=ä")


@given(st.sampled_from(Source), st.text(max_size=300))
def test_token_for_any_medium_gives_the_medium_back(source: Source, url: str) -> None:
    signer = LinkSigner(b"k" * 32)
    token = signer.token(MediaRef(source, url))
    assert signer.media(token) == MediaRef(source, url)
    assert token.replace("-", "").replace("_", "").isalnum()


def test_token_with_a_changed_character_is_refused() -> None:
    signer = LinkSigner(b"k" * 32)
    token = signer.token(_MEDIA)
    for index, character in enumerate(token[:-1]):  # the last one holds unused bits
        other = "A" if character != "A" else "B"
        assert signer.media(token[:index] + other + token[index + 1 :]) is None


def test_token_of_another_key_is_refused() -> None:
    assert LinkSigner(b"a" * 32).media(LinkSigner(b"b" * 32).token(_MEDIA)) is None


def test_token_that_is_nonsense_is_refused() -> None:
    signer = LinkSigner(b"k" * 32)
    assert [signer.media(word) for word in ("", "x", "äöü", "a" * 5000)] == [None] * 4


def test_key_at_the_second_start_is_the_same_and_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "media.key"
    first = load_key(path)
    assert load_key(path) == first
    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_key_cut_short_by_a_crash_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "media.key"
    path.write_bytes(b"")
    assert len(load_key(path)) == 32
