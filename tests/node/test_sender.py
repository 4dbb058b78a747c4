"""One thread serves all players, and none of them can silence the others."""

import logging
import threading
from collections.abc import Iterator

import pytest

from bot.node.rtp_stream import Route, RtpStream
from bot.node.sender import FrameStatistics, MinuteStatistics, Sender
from tests.node.listed_frames import ListedFrames

_PATIENCE = 10.0


@pytest.fixture
def sender() -> Iterator[Sender]:
    made = Sender()
    made.start()
    yield made
    made.close()


class _Heard:
    """Counts what arrives; tells when enough did."""

    def __init__(self, enough: int) -> None:
        self.payloads: list[bytes] = []
        self.enough = threading.Event()
        self._wanted = enough

    def take(self, datagram: bytes) -> None:
        self.payloads.append(datagram)
        if len(self.payloads) == self._wanted:
            self.enough.set()


def stream(frames: ListedFrames, heard: _Heard) -> RtpStream:
    made = RtpStream(frames, lambda _speaking: None)
    made.announced = True
    made.route = Route(5, lambda _header, payload, _counter: payload, lambda f: f, heard.take)
    return made


def test_frames_of_every_player_are_sent_in_order(sender: Sender) -> None:
    frames = [bytes([number]) for number in range(10)]
    heard = [_Heard(10) for _ in range(3)]
    for one in heard:
        sender.add(stream(ListedFrames(frames), one))
    for one in heard:
        assert one.enough.wait(_PATIENCE)
        assert one.payloads[:10] == frames


def test_player_that_fails_does_not_silence_the_others_and_is_heard_again(
    sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(ListedFrames):
        def pop(self) -> bytes | None:
            if self.taken == 0:
                self.taken = 1
                raise RuntimeError("the decoder is in pieces")
            return super().pop()

    well, recovered = _Heard(20), _Heard(3)
    with caplog.at_level(logging.ERROR):
        sender.add(stream(Broken([b"x"] * 10), recovered))
        sender.add(stream(ListedFrames([b"y"] * 30), well))
        assert well.enough.wait(_PATIENCE)
        assert recovered.enough.wait(_PATIENCE)
    assert caplog.text.count("silent for a second") == 1


def test_player_that_was_removed_is_not_asked_again(sender: Sender) -> None:
    gone, other = ListedFrames([b"x"] * 10_000), _Heard(40)
    heard = _Heard(5)
    leaving = stream(gone, heard)
    sender.add(leaving)
    assert heard.enough.wait(_PATIENCE)
    sender.remove(leaving)
    sender.add(stream(ListedFrames([b"y"] * 100), _Heard(1)))
    taken = gone.taken
    sender.add(stream(ListedFrames([b"y"] * 100), other))
    assert other.enough.wait(_PATIENCE)
    assert gone.taken <= taken + 1


def test_sender_that_never_started_can_be_closed() -> None:
    Sender().close()


# ── statistics ──────────────────────────────────────────────────────────────
def play_a_minute(
    statistics: MinuteStatistics, players: tuple[RtpStream, ...], *, minute: int, left_out: int = 0
) -> None:
    for slot in range(minute * 3000, (minute + 1) * 3000 - left_out):
        statistics.roll(slot, players)
        for player in players:
            player.tick(slot)


def test_statistics_average_the_players_that_played_all_through_the_minute() -> None:
    statistics = MinuteStatistics()
    frames: list[bytes | None] = [b"x"] * 99 + [None]
    playing = stream(ListedFrames(frames * 200), _Heard(0))
    quiet = stream(ListedFrames(), _Heard(0))
    players = (playing, quiet)
    play_a_minute(statistics, players, minute=0)
    play_a_minute(statistics, players, minute=1, left_out=6)
    statistics.roll(6000, players)
    assert statistics.latest == FrameStatistics(sent=2965, nulled=29, deficit=6)


def test_statistics_without_players_are_none() -> None:
    statistics = MinuteStatistics()
    for slot in (0, 3000, 6000):
        statistics.roll(slot, ())
    assert statistics.latest is None
