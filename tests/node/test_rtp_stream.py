"""Talk spurts begin and end as Discord wants it, and RTP numbers fit what was sent."""

import struct
from dataclasses import dataclass
from itertools import pairwise

from bot.node.rtp_stream import SILENCE, Route, RtpStream
from tests.node.listed_frames import ListedFrames


@dataclass(frozen=True)
class _Packet:
    sequence: int
    timestamp: int
    ssrc: int
    counter: int
    payload: bytes


class _Network:
    """Where packets go; nothing is encrypted."""

    def __init__(self) -> None:
        self.packets: list[_Packet] = []
        self.others: list[bytes] = []

    def route(self, ssrc: int = 5) -> Route:
        return Route(
            ssrc,
            lambda header, payload, counter: header + payload + struct.pack(">I", counter),
            lambda frame: frame,
            self._take,
        )

    def _take(self, datagram: bytes) -> None:
        if len(datagram) == 8:
            self.others.append(datagram)
            return
        first, kind, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", datagram)
        assert (first, kind) == (0x80, 0x78)
        (counter,) = struct.unpack(">I", datagram[-4:])
        self.packets.append(_Packet(sequence, timestamp, ssrc, counter, datagram[12:-4]))


class _Player:
    """A stream whose announcements are carried out at once."""

    def __init__(self, *frames: bytes | None) -> None:
        self.frames = ListedFrames(frames)
        self.network = _Network()
        self.announced: list[bool] = []
        self.stream = RtpStream(self.frames, self._announce)
        self.stream.route = self.network.route()
        self.slot = 0

    def _announce(self, speaking: bool) -> None:  # noqa: FBT001 - the stream's callback
        self.announced.append(speaking)
        self.stream.announced = speaking

    def run(self, slots: int) -> None:
        for _ in range(slots):
            self.stream.tick(self.slot)
            self.slot += 1

    @property
    def payloads(self) -> list[bytes]:
        return [packet.payload for packet in self.network.packets]

    @property
    def timestamp_steps(self) -> list[int]:
        times = [packet.timestamp for packet in self.network.packets]
        pairs = pairwise(times)
        return [(later - earlier) & 0xFFFFFFFF for earlier, later in pairs]

    @property
    def sequence_steps(self) -> set[int]:
        numbers = [packet.sequence for packet in self.network.packets]
        pairs = pairwise(numbers)
        return {(later - earlier) & 0xFFFF for earlier, later in pairs}


def test_first_frame_is_taken_only_when_speaking_has_been_announced() -> None:
    player = _Player(b"a", b"b")
    stream = RtpStream(player.frames, player.announced.append)
    stream.route = player.network.route()
    for slot in range(3):
        stream.tick(slot)
    assert player.announced == [True]
    assert player.frames.taken == 0
    stream.announced = True
    stream.tick(3)
    assert player.payloads == [b"a"]


def test_end_of_the_sound_is_five_silence_frames_and_speaking_off() -> None:
    player = _Player(b"a", b"b")
    player.run(20)
    assert player.payloads == [b"a", b"b", *[SILENCE] * 5]
    assert player.announced == [True, False]
    assert player.timestamp_steps == [960] * 6
    assert player.sequence_steps == {1}
    assert player.stream.ended


def test_sound_that_returns_within_the_silence_goes_on_in_the_same_spurt() -> None:
    player = _Player(b"a", b"b")
    player.run(2)
    player.frames.paused = True
    player.run(3)
    player.frames.paused = False
    player.run(1)
    assert player.payloads == [b"a", *[SILENCE] * 3, b"b"]
    assert player.announced == [True]


def test_brief_starvation_sends_nothing_and_leaves_rtp_time_alone() -> None:
    player = _Player(b"a", None, None, None, b"b")
    player.run(6)
    assert player.payloads == [b"a", b"b"]
    assert player.timestamp_steps == [960]
    assert player.stream.counts.nulled == 3


def test_long_starvation_is_filled_with_silence_and_then_tells_its_length() -> None:
    player = _Player(b"a", *[None] * 60, b"b")
    player.run(63)
    assert player.payloads == [b"a", *[SILENCE] * 5, b"b"]
    assert sum(player.timestamp_steps) >= 50 * 960
    assert player.announced == [True]


def test_pause_is_as_long_in_rtp_time_as_it_was() -> None:
    player = _Player(b"a", b"b")
    player.run(2)
    player.frames.paused = True
    player.run(500)
    player.frames.paused = False
    player.run(2)
    assert player.payloads[-1] == b"b"
    assert sum(player.timestamp_steps) == 502 * 960  # and one slot to announce it
    assert player.sequence_steps == {1}


def test_no_frame_is_taken_while_voice_is_not_ready() -> None:
    player = _Player(b"a", b"b", b"c")
    player.run(2)
    player.stream.route = None
    player.run(100)
    assert player.frames.taken == 1
    player.stream.route = player.network.route(ssrc=6)
    player.run(2)
    assert player.payloads == [b"a", b"b", b"c"]


def test_numbers_outlive_the_voice_session() -> None:
    player = _Player(b"a", b"b", b"c")
    player.run(2)
    player.stream.route = player.network.route(ssrc=6)
    player.run(2)
    before, after, last = player.network.packets
    assert (before.ssrc, after.ssrc) == (5, 6)
    assert player.sequence_steps == {1}
    assert player.timestamp_steps == [960, 960]
    assert [after.counter, last.counter] == [before.counter + 1, before.counter + 2]


def test_slots_that_the_sender_gave_up_are_told_in_rtp_time() -> None:
    player = _Player(b"a", b"b")
    player.run(2)
    player.slot += 50
    player.run(1)
    assert player.timestamp_steps == [51 * 960]


def test_frame_that_cannot_be_encrypted_is_not_sent_in_the_clear() -> None:
    player = _Player(b"a")
    route = player.network.route()
    player.stream.route = Route(route.ssrc, route.seal, lambda _frame: None, route.send)
    player.run(3)
    assert b"a" not in player.payloads


def test_quiet_connection_is_kept_alive_every_five_seconds() -> None:
    player = _Player(b"a")
    player.run(7 + 1000)
    assert len(player.network.others) == 4
    assert len(player.payloads) == 6


def test_ending_stream_takes_no_more_frames_and_closes_the_spurt() -> None:
    player = _Player(*[b"a"] * 10)
    player.run(3)
    player.stream.ending = True
    player.run(10)
    assert player.payloads == [b"a", b"a", *[SILENCE] * 5]
    assert player.announced == [True, False]
    assert player.stream.ended


def test_spurt_that_is_not_wanted_any_more_is_taken_back() -> None:
    player = _Player(None)
    stream = RtpStream(player.frames, player.announced.append)
    stream.route = player.network.route()
    stream.tick(0)
    player.frames.paused = True
    stream.tick(1)
    assert player.announced == [True, False]
    assert stream.ended


def test_slot_in_which_nothing_could_be_sent_is_owed_within_a_spurt_only() -> None:
    player = _Player(b"a", b"b", b"c")
    assert not player.stream.owes(0)
    player.run(2)
    assert not player.stream.owes(1)
    player.stream.route = None
    player.run(1)
    assert player.stream.owes(2)
