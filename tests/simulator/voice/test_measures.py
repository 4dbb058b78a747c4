"""What a run of frames says is true of it."""

import random

import pytest

from tests.simulator.voice.measures import Frame, gaps, in_words, lateness, seam


def _run(
    count: int,
    *,
    at: float = 100.0,
    sequence: int = 65_530,
    timestamp: int = 4_294_960_000,
    hz: float | None = 440.0,
    silent: bool = False,
) -> list[Frame]:
    return [
        Frame(
            arrival=at + index * 0.020,
            timestamp=(timestamp + index * 960) & 0xFFFFFFFF,
            sequence=(sequence + index) & 0xFFFF,
            level=-120.0 if silent else -9.0,
            hz=None if silent else hz,
            silent=silent,
        )
        for index in range(count)
    ]


def test_gaps_of_a_whole_run_over_both_wraps_are_none() -> None:
    found = gaps(_run(50))
    assert (found.packets, found.lost, found.duplicated, found.reordered) == (50, 0, 0, 0)
    assert found.timestamp_errors == ()
    assert found.largest_arrival_ms == pytest.approx(20)


def test_gaps_count_lost_doubled_and_late_frames_apart() -> None:
    frames = _run(20)
    missing, late = frames[5], frames[9]
    kept = [frame for frame in frames if frame not in (missing, late)]
    kept.insert(12, late)
    kept.insert(15, kept[14])
    found = gaps(kept)
    assert (found.lost, found.reordered, found.duplicated) == (1, 1, 1)


def test_gaps_name_the_frame_whose_timestamp_jumped() -> None:
    frames = _run(10)
    jumped = [
        *frames[:4],
        *(frame._replace(timestamp=frame.timestamp + 960) for frame in frames[4:]),
    ]
    assert gaps(jumped).timestamp_errors == ((frames[4].sequence, 1920),)


def test_gaps_take_a_new_numbering_for_a_restart_and_not_for_a_loss() -> None:
    found = gaps(_run(10) + _run(10, at=101, sequence=20_000, timestamp=7))
    assert (found.lost, found.restarts) == (0, 1)


def test_lateness_of_an_even_run_is_nothing() -> None:
    assert lateness(_run(100)).worst == pytest.approx(0, abs=0.001)


def test_lateness_is_each_packets_distance_from_the_schedule() -> None:
    dice = random.Random(3)
    late_by = [0.0] + [dice.random() * 0.010 for _ in range(99)]
    frames = [
        frame._replace(arrival=frame.arrival + late)
        for frame, late in zip(_run(100), late_by, strict=True)
    ]
    found = lateness(frames)
    assert list(found.each_ms) == pytest.approx([late * 1000 for late in late_by], abs=0.001)
    assert found.worst == pytest.approx(max(late_by) * 1000, abs=0.001)
    assert found.p50 <= found.p99 <= found.worst


def test_lateness_shows_a_stall_that_the_sender_made_up_for() -> None:
    frames = _run(50)
    stalled = [
        frame._replace(arrival=max(frame.arrival, frames[20].arrival + 0.3))
        if index >= 20
        else frame
        for index, frame in enumerate(frames)
    ]
    assert lateness(stalled).worst == pytest.approx(300, abs=1)


def test_lateness_begins_anew_after_silence_and_a_pause() -> None:
    speech, silence = _run(20), _run(5, at=100.4, sequence=14, timestamp=11_904, silent=True)
    again = _run(20, at=107.123, sequence=19, timestamp=16_704)
    assert lateness([*speech, *silence, *again]).worst == pytest.approx(0, abs=0.001)


def test_seam_without_a_frame_between_is_exact() -> None:
    found = seam(_run(10) + _run(10, at=100.2, sequence=4, timestamp=2304, hz=880), 440, 880)
    assert found is not None
    assert (found.frames_between, found.silent_frames, found.lost) == (0, 0, 0)
    assert found.extra_timestamp == 0
    assert found.largest_arrival_ms == pytest.approx(20)


def test_seam_counts_silent_frames_and_time_between_pitches() -> None:
    first = _run(10)
    pause = _run(3, at=100.2, sequence=4, timestamp=2304, silent=True)
    second = _run(10, at=100.4, sequence=7, timestamp=2304 + 4 * 960, hz=880)
    found = seam([*first, *pause, *second], 440, 880)
    assert found is not None
    assert (found.frames_between, found.silent_frames, found.lost) == (3, 3, 0)
    assert found.extra_timestamp == 960
    assert found.largest_arrival_ms == pytest.approx(160)


def test_seam_of_pitches_that_did_not_follow_each_other_is_none() -> None:
    assert seam(_run(10), 440, 880) is None


def test_words_tell_pitches_silence_and_holes() -> None:
    frames = [
        *_run(50),
        *_run(5, at=101.0, silent=True),
        *_run(10, at=101.5, hz=880),
        *_run(2, at=101.7, hz=None),
    ]
    words = in_words(frames, 100.0).splitlines()
    assert [line.split("s  ")[-1].strip() for line in words] == [
        "440 Hz, -9.0 dBFS (50 frames)",
        "silence (5 frames)",
        "no packets for 420 ms",
        "880 Hz, -9.0 dBFS (10 frames)",
        "sound without a single pitch, -9.0 dBFS (2 frames)",
    ]
    assert in_words([], 0.0).strip() == "nothing was received"
