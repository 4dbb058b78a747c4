"""Sound as a listener gets it: formats, seeks, volume, filters, ends and seams."""

from pathlib import Path

import pytest

from bot.node.filters import read_filters
from bot.node.line import Sound
from tests.node.listening import HandPlayer, Heard, packets_of
from tests.node.media_site import Manner, MediaSite
from tests.simulator.tones import write_tone, write_tones

FORMATS = ("mp3", "ogg", "webm", "m4a", "aac", "flac", "wav")
ENCODED = ("mp3", "m4a", "flac")
SINE = 0.5 / 2**0.5


def add(site: MediaSite, path: Path, manner: Manner | None = None) -> str:
    return site.add(path.name, path.read_bytes(), manner)


@pytest.mark.parametrize("codec", FORMATS)
def test_track_of_any_format_is_heard_whole_and_in_order(
    player: HandPlayer, site: MediaSite, tones: Path, codec: str
) -> None:
    player.play(player.open(add(site, tones / f"steps.{codec}")))
    frames = player.rest()
    heard = Heard(frames)
    assert 300 <= len(frames) <= 304
    assert heard.pitch(0.5, 2.5) == pytest.approx(440, abs=1)
    assert heard.pitch(3.5, 5.5) == pytest.approx(880, abs=1)
    assert heard.level(1, 2) == pytest.approx(SINE, rel=0.07)


@pytest.mark.parametrize("codec", ["ogg", "webm"])
def test_opus_at_full_volume_is_passed_through_unchanged(
    player: HandPlayer, site: MediaSite, tones: Path, codec: str
) -> None:
    path = tones / f"steps.{codec}"
    player.play(player.open(add(site, path)))
    assert player.rest() == packets_of(path)


def test_mono_track_is_as_loud_as_it_is(
    player: HandPlayer, site: MediaSite, tmp_path: Path
) -> None:
    path = write_tone(tmp_path / "mono.wav", channels=1)
    player.play(player.open(add(site, path)))
    assert Heard(player.rest()).level(1, 2) == pytest.approx(SINE, rel=0.02)


@pytest.mark.parametrize("codec", FORMATS)
def test_seek_forward_and_back_is_heard_at_once(
    player: HandPlayer, site: MediaSite, tones: Path, codec: str
) -> None:
    playback = player.open(add(site, tones / f"steps.{codec}"))
    player.play(playback)
    player.pops(10)
    player.maker.seek(playback, 4.5)
    player.until(lambda: ("moved", playback) in player.events)
    assert Heard(player.pops(50)).pitch(0.1, 0.9) == pytest.approx(880, abs=2)
    assert player.queue.position == pytest.approx(5.5, abs=0.03)
    player.events.clear()
    player.maker.seek(playback, 1.0)
    player.until(lambda: ("moved", playback) in player.events)
    assert Heard(player.pops(50)).pitch(0.1, 0.9) == pytest.approx(440, abs=2)
    assert player.queue.position == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize("codec", FORMATS)
def test_start_in_the_middle_begins_there(
    player: HandPlayer, site: MediaSite, tones: Path, codec: str
) -> None:
    player.play(player.open(add(site, tones / f"steps.{codec}"), start=2.5))
    heard = Heard(player.pops(100))
    assert heard.pitch(0.1, 0.4) == pytest.approx(440, abs=3)
    assert heard.pitch(0.6, 1.9) == pytest.approx(880, abs=2)


def test_seek_far_away_goes_there_without_reading_what_lies_between(
    player: HandPlayer, site: MediaSite, tmp_path: Path
) -> None:
    path = write_tones(tmp_path / "long.flac", [(440, 100), (880, 100)])
    playback = player.open(add(site, path))
    player.play(playback)
    player.maker.seek(playback, 150.0)
    player.until(lambda: ("moved", playback) in player.events)
    assert Heard(player.pops(25)).pitch(0.1, 0.4) == pytest.approx(880, abs=3)


@pytest.mark.parametrize("codec", ["mp3", "webm"])
def test_volume_of_half_is_half_the_amplitude_within_100_ms_and_without_a_click(
    player: HandPlayer, site: MediaSite, tones: Path, codec: str
) -> None:
    player.play(player.open(add(site, tones / f"steps.{codec}")))
    frames = player.pops(50)
    player.settle()
    player.maker.set_sound(Sound(volume=0.5))
    player.until_last(lambda frame: frame.gain == 0.5)
    frames += player.pops(50)
    heard = Heard(frames)
    before = heard.level(0.5, 0.9)
    assert heard.level(1.1, 1.9) == pytest.approx(before / 2, rel=0.03)
    assert heard.roughest_step(0.8, 1.8) < 1.5 * heard.roughest_step(0.3, 0.8)


def test_volume_back_at_full_passes_opus_through_again(
    player: HandPlayer, site: MediaSite, tones: Path
) -> None:
    path = tones / "steps.webm"
    player.play(player.open(add(site, path)), Sound(volume=0.5))
    frames = player.pops(50)
    player.settle()
    player.maker.set_sound(Sound())
    player.until_last(lambda frame: frame.gain == 1.0)
    frames += player.rest()
    assert len(frames) == len(packets_of(path))
    assert frames[60:] == packets_of(path)[60:]
    heard = Heard(frames)
    assert heard.roughest_step(0.8, 1.8) < 1.5 * heard.roughest_step(1.9, 2.8)


def test_volume_over_100_is_limited_softly(
    player: HandPlayer, site: MediaSite, tones: Path
) -> None:
    player.play(player.open(add(site, tones / "steps.flac")), Sound(volume=5.0))
    heard = Heard(player.pops(100))
    assert 0.85 < heard.peak(0.5, 1.5) < 1.02
    assert heard.pitch(0.5, 1.5) == pytest.approx(440, abs=1)


def test_volume_zero_is_silence_and_time_goes_on(
    player: HandPlayer, site: MediaSite, tones: Path
) -> None:
    player.play(player.open(add(site, tones / "steps.flac")), Sound(volume=0.0))
    frames = player.rest()
    assert len(frames) == 301
    assert Heard(frames).peak(0.2, 5.5) < 0.001


def test_quick_changes_of_volume_end_at_the_last_one(
    player: HandPlayer, site: MediaSite, tones: Path
) -> None:
    player.play(player.open(add(site, tones / "steps.mp3")))
    frames = player.pops(20)
    for percent in (90, 30, 170, 10, 100, 20):
        player.maker.set_sound(Sound(volume=percent / 100))
        frames += player.pops(1)
    player.until_last(lambda frame: frame.gain == 0.2)
    frames += player.pops(100)
    heard = Heard(frames)
    assert heard.level(1.5, 2.5) == pytest.approx(0.2 * SINE, rel=0.07)
    assert heard.roughest_step(0.2, 1.5) < 3 * heard.roughest_step(0.1, 0.3)


@pytest.mark.parametrize(
    ("filters", "pitch"),
    [
        ({"timescale": {"pitch": 1.5}}, 660),
        ({"timescale": {"rate": 0.5}}, 220),
        ({"timescale": {"speed": 1.5}}, 440),
        ({"equalizer": [{"band": band, "gain": 0.0} for band in range(15)]}, 440),
    ],
)
def test_filters_change_the_pitch_as_they_say(
    player: HandPlayer, site: MediaSite, tones: Path, filters: object, pitch: float
) -> None:
    player.play(player.open(add(site, tones / "steps.mp3")), Sound(filters=read_filters(filters)))
    assert Heard(player.pops(60)).pitch(0.3, 1.1) == pytest.approx(pitch, rel=0.01)


def test_double_speed_ends_after_half_the_time_and_counts_the_track_s_seconds(
    player: HandPlayer, site: MediaSite, tones: Path
) -> None:
    sound = Sound(filters=read_filters({"timescale": {"speed": 2.0}}))
    player.play(player.open(add(site, tones / "steps.mp3")), sound)
    player.pops(100)
    assert player.queue.position == pytest.approx(4.0, abs=0.1)
    assert 48 <= len(player.rest()) <= 53


@pytest.mark.parametrize(
    "filters",
    [
        {"karaoke": {"level": 1.0}},
        {"tremolo": {"frequency": 4.0, "depth": 0.8}},
        {"vibrato": {"frequency": 4.0, "depth": 0.8}},
        {"rotation": {"rotationHz": 2.0}},
        {"distortion": {"sinOffset": 0.0, "sinScale": 1.0, "cosScale": 2.0, "scale": 0.9}},
        {"channelMix": {"leftToLeft": 0.2, "rightToRight": 0.1}},
        {"lowPass": {"smoothing": 40.0}},
        {"equalizer": [{"band": 5, "gain": -0.25}, {"band": 6, "gain": -0.25}]},
        {"volume": 0.5},
    ],
    ids=lambda filters: str(next(iter(filters))),
)
def test_filter_switched_on_while_playing_is_heard_and_off_again_is_not(
    player: HandPlayer, site: MediaSite, tones: Path, filters: object
) -> None:
    path = tones / "steps.webm"
    packets = packets_of(path)
    player.play(player.open(add(site, path)))
    player.pops(25)
    player.maker.set_sound(Sound(filters=read_filters(filters)))
    player.until_last(lambda frame: frame.data not in packets)
    filtered = player.pops(60)
    player.settle()
    plain = Heard(packets[25:85])
    assert Heard(filtered).part(0.2, 1.1) != pytest.approx(plain.part(0.2, 1.1), abs=0.02)
    player.maker.set_sound(Sound())
    player.until_last(lambda frame: frame.data in packets)
    assert player.rest()[10:] == packets[95:]


# ── ends ────────────────────────────────────────────────────────────────────
def test_end_comes_only_after_the_last_frame_was_drawn(
    player: HandPlayer, site: MediaSite, tones: Path
) -> None:
    playback = player.open(add(site, tones / "steps.ogg"))
    player.play(playback)
    count = len(packets_of(tones / "steps.ogg"))
    player.pops(count)
    assert ("ended", playback) not in player.events
    assert player.pop() is None
    assert player.events[-1] == ("ended", playback)
    assert player.queue.idle


def test_pause_holds_every_frame_back_and_loses_none(
    player: HandPlayer, site: MediaSite, tones: Path
) -> None:
    path = tones / "steps.ogg"
    player.play(player.open(add(site, path)))
    frames = player.pops(30)
    player.queue.paused = True
    assert player.queue.pop() is None
    assert player.queue.idle
    player.queue.paused = False
    assert frames + player.rest() == packets_of(path)


@pytest.mark.parametrize("codec", ["ogg", "mp3"])
def test_end_time_cuts_the_track_there(
    player: HandPlayer, site: MediaSite, tones: Path, codec: str
) -> None:
    player.play(player.open(add(site, tones / f"steps.{codec}"), end=2.0))
    assert 100 <= len(player.rest()) <= 102


def test_end_time_set_while_playing_cuts_too(
    player: HandPlayer, site: MediaSite, tones: Path
) -> None:
    playback = player.open(add(site, tones / "steps.mp3"))
    player.play(playback)
    frames = player.pops(20)
    player.settle()
    player.maker.set_end(playback, 1.0)
    player.until_last(lambda frame: frame.position < 1.0)
    frames += player.rest()
    assert 50 <= len(frames) <= 52


def test_seek_behind_the_end_ends_the_track(
    player: HandPlayer, site: MediaSite, tones: Path
) -> None:
    playback = player.open(add(site, tones / "steps.mp3"))
    player.play(playback)
    player.maker.seek(playback, 60.0)
    player.until(lambda: ("moved", playback) in player.events)
    assert len(player.rest()) <= 2
    assert playback.failure is None


def test_source_broken_in_the_middle_plays_what_came_and_then_fails(
    player: HandPlayer, site: MediaSite, tones: Path
) -> None:
    path = tones / "steps.ogg"
    half = path.stat().st_size // 2
    link = add(site, path, Manner(ranges=False, length=False, breaks_at=half))
    playback = player.open(link)
    player.play(playback)
    frames = player.rest()
    assert frames == packets_of(path)[: len(frames)]
    assert 100 < len(frames) < 200
    assert playback.failure is not None


def test_connection_reset_in_the_middle_is_not_heard(
    player: HandPlayer, site: MediaSite, tones: Path
) -> None:
    path = tones / "steps.ogg"
    link = add(site, path, Manner(breaks_at=40_000, breaks=1))
    playback = player.open(link)
    player.play(playback)
    assert player.rest() == packets_of(path)
    assert playback.failure is None


# ── seams ───────────────────────────────────────────────────────────────────
def pieces(folder: Path, codec: str) -> tuple[Path, Path]:
    """Two halves of one sound: the second goes on exactly where the first ends."""
    first = write_tone(folder / f"first.{codec}", hz=500, seconds=1.5, fades=False)
    second = write_tone(folder / f"second.{codec}", hz=500, seconds=1.5, fades=False)
    return first, second


@pytest.mark.parametrize("codec", ["flac", "wav"])
def test_next_track_follows_without_a_sample_lost_or_added(
    player: HandPlayer, site: MediaSite, tmp_path: Path, codec: str
) -> None:
    first, second = (player.open(add(site, path)) for path in pieces(tmp_path, codec))
    player.play(first)
    player.maker.set_next(second)
    frames = player.rest()
    heard = Heard(frames)
    assert len(frames) == 151
    assert heard.roughest_step(1.2, 1.8) < 1.2 * heard.roughest_step(0.5, 1.2)
    assert heard.pitch(0.5, 2.5) == pytest.approx(500, abs=0.2)
    assert [event for event in player.events if event[0] != "loaded"] == [
        ("ended", first),
        ("started", second),
        ("ended", second),
    ]


def test_next_track_of_opus_follows_packet_by_packet(
    player: HandPlayer, site: MediaSite, tmp_path: Path
) -> None:
    one, other = pieces(tmp_path, "webm")
    first, second = player.open(add(site, one)), player.open(add(site, other))
    player.play(first)
    player.maker.set_next(second)
    assert player.rest() == packets_of(one) + packets_of(other)


def test_twelve_tracks_of_all_formats_follow_each_other_without_a_hole(
    player: HandPlayer, site: MediaSite, tmp_path: Path
) -> None:
    codecs = ("mp3", "ogg", "m4a", "webm", "flac", "wav") * 2
    paths = [
        write_tone(tmp_path / f"{number}.{codec}", hz=400 + 20 * number, seconds=0.7)
        for number, codec in enumerate(codecs)
    ]
    current = player.open(add(site, paths[0]))
    player.play(current)
    frames: list[bytes] = []
    for path in paths[1:]:
        following = player.open(add(site, path))
        player.maker.set_next(following)
        player.until(lambda: player.queue.wanted == 0)
        while player.queue.current is current:
            frames += player.pops(1)
        current = following
    frames += player.rest()
    heard = Heard(frames)
    assert 12 * 35 <= len(frames) <= 12 * 35 + 8
    quiet = [i for i in range(2, len(frames) - 2) if heard.peak(i * 0.02, i * 0.02 + 0.02) < 0.2]
    assert quiet == []


def test_next_track_set_late_still_follows_exactly(
    player: HandPlayer, site: MediaSite, tmp_path: Path
) -> None:
    one, other = pieces(tmp_path, "flac")
    first, second = player.open(add(site, one)), player.open(add(site, other))
    player.play(first)
    frames = player.pops(60)
    player.settle()  # the first track's very end has been made
    player.maker.set_next(second)
    player.until_last(lambda frame: frame.playback is second)
    frames += player.rest()
    assert len(frames) == 151
    heard = Heard(frames)
    assert heard.roughest_step(1.3, 1.7) < 1.2 * heard.roughest_step(0.5, 1.2)


def test_next_track_set_after_the_last_frame_was_drawn_follows_at_once(
    player: HandPlayer, site: MediaSite, tmp_path: Path
) -> None:
    one, other = pieces(tmp_path, "ogg")
    first, second = player.open(add(site, one)), player.open(add(site, other))
    player.play(first)
    frames = player.pops(len(packets_of(one)))
    player.maker.set_next(second)
    player.until(lambda: player.queue.waiting > 0)
    frames += player.rest()
    assert frames == packets_of(one) + packets_of(other)


@pytest.mark.parametrize("codec", ["ogg", "flac"])
def test_next_track_taken_back_is_not_heard(
    player: HandPlayer, site: MediaSite, tmp_path: Path, codec: str
) -> None:
    one, other = pieces(tmp_path, codec)
    first, second = player.open(add(site, one)), player.open(add(site, other))
    player.play(first)
    player.maker.set_next(second)
    frames = player.pops(60)
    player.settle()  # the second track has been begun
    player.maker.set_next(None)
    player.until_last(lambda frame: frame.playback is first)
    frames += player.rest()
    assert 75 <= len(frames) <= 77
    assert player.events[-1] == ("ended", first)


def test_next_track_replaced_before_the_seam_is_the_other_one(
    player: HandPlayer, site: MediaSite, tmp_path: Path
) -> None:
    one, other = pieces(tmp_path, "ogg")
    third_path = write_tone(tmp_path / "third.ogg", hz=900, seconds=1)
    first, second, third = (player.open(add(site, path)) for path in (one, other, third_path))
    player.play(first)
    player.maker.set_next(second)
    frames = player.pops(60)
    player.settle()
    player.maker.set_next(third)
    player.until_last(lambda frame: frame.playback is third)
    frames += player.rest()
    assert frames == packets_of(one) + packets_of(third_path)


def test_volume_changed_at_the_seam_keeps_both_tracks_whole(
    player: HandPlayer, site: MediaSite, tmp_path: Path
) -> None:
    one, other = pieces(tmp_path, "flac")
    first, second = player.open(add(site, one)), player.open(add(site, other))
    player.play(first)
    player.maker.set_next(second)
    frames = player.pops(70)
    player.settle()
    player.maker.set_sound(Sound(volume=0.5))
    player.until_last(lambda frame: frame.gain == 0.5)
    frames += player.rest()
    assert len(frames) == 151
    heard = Heard(frames)
    assert heard.roughest_step(1.3, 2.5) < 1.2 * heard.roughest_step(0.5, 1.2)
    assert heard.level(1.7, 2.5) == pytest.approx(SINE / 2, rel=0.03)


def test_seek_back_after_the_next_track_was_begun_still_leads_to_it(
    player: HandPlayer, site: MediaSite, tmp_path: Path
) -> None:
    one, other = pieces(tmp_path, "ogg")
    first, second = player.open(add(site, one)), player.open(add(site, other))
    player.play(first)
    player.maker.set_next(second)
    player.pops(60)
    player.settle()
    player.maker.seek(first, 0.5)
    player.until(lambda: ("moved", first) in player.events)
    frames = player.rest()
    assert frames == packets_of(one)[25:] + packets_of(other)


def test_failed_track_is_not_followed(player: HandPlayer, site: MediaSite, tones: Path) -> None:
    link = add(site, tones / "steps.ogg", Manner(ranges=False, length=False, breaks_at=30_000))
    broken, second = player.open(link), player.open(add(site, tones / "steps.webm"))
    player.play(broken)
    player.maker.set_next(second)
    assert 50 < len(player.rest()) < 250
    assert player.events[-1] == ("ended", broken)
