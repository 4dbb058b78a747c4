"""How long a member waits for music, and what is between two tracks."""

import itertools
import time
from collections.abc import Sequence

from tests.benchmarks.club import Club, Room
from tests.benchmarks.report import Row, at_most, number, part, percentile
from tests.simulator.voice.measures import FRAME_SAMPLES, FRAME_SECONDS, is_pitch, timestamp_step

_ROOMS = 16
_FIRST = tuple(f"/tone/{300 + 10 * index}/8.mp3" for index in range(_ROOMS))
_SECOND = tuple(
    f"/tone/{305 + 10 * index}/8.{codec}"
    for index, codec in zip(range(_ROOMS), ("mp3", "ogg", "webm", "m4a") * _ROOMS, strict=False)
)

_TRACK_SECONDS = 4
_PROGRAMME: Sequence[tuple[int, str]] = (
    (400, "mp3"),
    (500, "ogg"),
    (600, "webm"),
    (700, "m4a"),
    (800, "flac"),
    (900, "wav"),
    (1000, "mp3"),
    (1100, "mp3"),
    (1200, "webm"),
)
"""Pitch and format of the tracks that follow each other; every kind of seam is among them."""


@part("first-sound", limit_s=90)
async def first_sound() -> list[Row]:
    """`!play` of a direct link, from the member's message to the first voice packet."""
    async with Club(rooms=_ROOMS) as club:
        await club.record(*_FIRST, *_SECOND)
        # one guild after the other, so that no channel's rate limit is met
        joining = [
            await _until_sound(club, room, path)
            for room, path in zip(club.rooms, _FIRST, strict=True)
        ]
        connected = [
            await _until_sound(club, room, path)
            for room, path in zip(club.rooms, _SECOND, strict=True)
        ]
    return [
        _waited("`!play` on an idle, connected player", connected, 250),
        _waited("first `!play`, with joining", joining, 600),
    ]


async def _until_sound(club: Club, room: Room, path: str) -> float:
    """Return the milliseconds; the player is idle and connected afterwards."""
    began = time.monotonic()
    sent = await room.member.say(room.text, f"!play {club.site.url(path)}")
    first = await room.ear.first_packet(within=10, since=began)
    await room.answer(sent, "Now playing")
    stopping = await room.member.say(room.text, "!stop")
    await room.answer(stopping)
    await room.ear.silence(within=5)
    return (first.arrival - began) * 1000


def _waited(what: str, samples: Sequence[float], limit: float) -> Row:
    note = f"worst {number(max(samples))}, {len(samples)} samples"
    return at_most(f"{what}: p50", percentile(samples, 50), limit, unit="ms", note=note)


# ── seams ───────────────────────────────────────────────────────────────────
@part("seams", limit_s=90)
async def silence_between_tracks() -> list[Row]:
    """The seams of a queue of nine tracks in six formats, as a listener's client gets them."""
    paths = [f"/tone/{hz}/{_TRACK_SECONDS}.{codec}" for hz, codec in _PROGRAMME]
    async with Club(decode=True) as club:
        await club.record(*paths)
        (room,) = club.rooms
        began = time.monotonic()
        for path in paths:
            sent = await room.member.say(room.text, f"!play {club.site.url(path)}")
            await room.answer(sent, "Added")
        last = _PROGRAMME[-1][0]
        await room.ear.hears(last, within=len(paths) * _TRACK_SECONDS + 10, since=began)
        await room.ear.silence(within=_TRACK_SECONDS + 5)
    return _seam_rows(room, began)


def _seam_rows(room: Room, began: float) -> list[Row]:
    pitches = [hz for hz, _ in _PROGRAMME]
    seams = [room.ear.seam(one, other, since=began) for one, other in itertools.pairwise(pitches)]
    wrong = sum(
        abs(seam.lost) + abs(seam.extra_timestamp) // FRAME_SAMPLES + seam.silent_frames
        for seam in seams
    )
    names = " → ".join(codec for _, codec in _PROGRAMME)
    longest = max(seam.largest_arrival_ms for seam in seams)
    silence = max(0.0, longest - FRAME_SECONDS * 1000)
    return [
        Row(
            what=f"frames lost, doubled or silent in {len(seams)} seams, by RTP",
            measured=f"{wrong} ({names})",
            target="0",
            met=wrong == 0,
        ),
        at_most(
            "longest silence in a seam, by arrival",
            silence,
            25,
            unit="ms",
            note=f"packets at most {number(longest)} ms apart",
        ),
        _lengths(room, began),
    ]


def _lengths(room: Room, began: float) -> Row:
    """Compare each track's length by RTP with its file's; codecs pad, and gapless tags take off."""
    frames = room.ear.timeline(since=began)
    starts = [
        next(frame.timestamp for frame in frames if is_pitch(frame, hz)) for hz, _ in _PROGRAMME
    ]
    wanted = _TRACK_SECONDS / FRAME_SECONDS
    off = [
        timestamp_step(one, other) / FRAME_SAMPLES - wanted
        for one, other in itertools.pairwise(starts)
    ]
    listed = ", ".join(
        f"{codec} {frames_off:+.0f}"
        for (_, codec), frames_off in zip(_PROGRAMME, off, strict=False)
    )
    return Row(
        what="frames that a track is longer than its file (a seam inside a frame: ±1)",
        measured=listed,
        target="-1 to 1",
        met=all(abs(frames_off) <= 1 for frames_off in off),
    )
