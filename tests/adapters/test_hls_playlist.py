"""Playlists are read as RFC 8216 has them."""

import pytest

from bot.adapters.hls_playlist import Key, NotHls, Piece, audio_variant, read_recording

BASE = "https://music.example/a/list.m3u8"


def test_recording_has_its_pieces_in_order_and_its_length() -> None:
    text = "#EXTM3U\n#EXTINF:9.9,\none.ts\n#EXTINF:5,Title\n/two.ts\n#EXT-X-ENDLIST\n"
    recording = read_recording(text, BASE)
    assert [piece.url for piece in recording.pieces] == [
        "https://music.example/a/one.ts",
        "https://music.example/two.ts",
    ]
    assert (recording.seconds, recording.is_live) == (14.9, False)


def test_recording_without_an_end_is_live() -> None:
    assert read_recording("#EXTM3U\n#EXTINF:9,\none.ts\n", BASE).is_live


def test_header_and_ranges_of_one_file_are_pieces() -> None:
    text = (
        '#EXTM3U\n#EXT-X-MAP:URI="all.mp4",BYTERANGE="700@0"\n'
        "#EXT-X-BYTERANGE:100@700\nall.mp4\n#EXT-X-BYTERANGE:50\nall.mp4\n#EXT-X-ENDLIST"
    )
    assert [piece.part for piece in read_recording(text, BASE).pieces] == [
        slice(0, 700),
        slice(700, 800),
        slice(800, 850),
    ]


def test_encrypted_pieces_know_key_and_vector() -> None:
    text = (
        '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-KEY:METHOD=AES-128,URI="k?a=1,2"\none.ts\n'
        'two.ts\n#EXT-X-KEY:METHOD=AES-128,URI="k2",IV=0x0000000000000000000000000000ABCD\n'
        "three.ts\n#EXT-X-KEY:METHOD=NONE\nfour.ts\n"
    )
    first, second = (Key("https://music.example/a/k?a=1,2", n.to_bytes(16)) for n in (7, 8))
    third = Key("https://music.example/a/k2", 0xABCD.to_bytes(16))
    keys = [piece.key for piece in read_recording(text, BASE).pieces]
    assert keys == [first, second, third, None]


def test_master_playlist_leads_to_sound_alone_else_to_the_smallest() -> None:
    variants = (
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900\nbig.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=100\nsmall.m3u8\n"
    )
    assert audio_variant(variants, BASE) == "https://music.example/a/small.m3u8"
    sound = variants + '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b",URI="sound.m3u8"\n'
    assert audio_variant(sound, BASE) == "https://music.example/a/sound.m3u8"
    assert audio_variant("#EXTM3U\n#EXTINF:1,\none.ts\n", BASE) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "#EXTM3U\n",
        "#EXTM3U\n#EXTINF:nonsense,\none.ts",
        '#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"\none.ts',
    ],
)
def test_text_that_cannot_be_played_is_refused(text: str) -> None:
    with pytest.raises(NotHls):
        read_recording(text, BASE)


def test_piece_without_range_is_whole() -> None:
    assert read_recording("#EXTM3U\none.ts", BASE).pieces == (
        Piece("https://music.example/a/one.ts"),
    )
