"""Whatever is asked of a player, in whatever order: its sound goes on, and ends exactly once."""

import logging
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.node.filters import NEUTRAL, read_filters
from bot.node.line import Sound
from bot.node.playback import Playback
from tests.node.listening import HandPlayer
from tests.node.media_site import MediaSite
from tests.simulator.tones import write_tone

CODECS = ("webm", "mp3", "flac", "ogg", "m4a")
FILTERS = (
    NEUTRAL,
    NEUTRAL,
    read_filters({"timescale": {"speed": 1.5}}),
    read_filters({"volume": 2}),
)
STEPS = 40
LONGEST_TRACK = 1.5


class Script:
    """A person with a remote control and no plan."""

    def __init__(self, player: HandPlayer, links: list[str], seed: int) -> None:
        self.player = player
        self.links = links
        self.random = random.Random(seed)
        self.play_one()

    def act(self) -> None:
        actions: list[Callable[[], None]] = [
            *[self.listen] * 4,
            self.play_one,
            self.seek,
            self.seek,
            self.change_sound,
            self.change_sound,
            self.set_next,
            self.set_next,
            self.take_next_back,
            self.set_end,
            self.pause,
        ]
        self.random.choice(actions)()

    def opened(self) -> Playback:
        return self.player.open(self.random.choice(self.links))

    def play_one(self) -> None:
        sound = Sound(self.random.choice((0.0, 0.5, 1.0, 1.0, 3.0)), self.random.choice(FILTERS))
        playback = self.opened()
        self.player.maker.load(playback, sound, paused=False)
        if self.random.random() < 0.7:
            self.player.until(lambda: ("loaded", playback) in self.player.events)

    def listen(self) -> None:
        for _ in range(self.random.choice((1, 5, 20, 60))):
            self.player.queue.pop()
            if self.random.random() < 0.3:
                self.player.breathe()

    def seek(self) -> None:
        current = self.player.queue.current
        if current is not None:
            self.player.maker.seek(current, self.random.uniform(0, LONGEST_TRACK + 0.2))

    def change_sound(self) -> None:
        volume = self.random.choice((0.0, 0.3, 1.0, 1.0, 2.0))
        self.player.maker.set_sound(Sound(volume, self.random.choice(FILTERS)))

    def set_next(self) -> None:
        if self.player.queue.current is not None:
            self.player.maker.set_next(self.opened())

    def take_next_back(self) -> None:
        self.player.maker.set_next(None)

    def set_end(self) -> None:
        current = self.player.queue.current
        if current is not None:
            self.player.maker.set_end(current, self.random.uniform(0.1, LONGEST_TRACK))

    def pause(self) -> None:
        self.player.queue.paused = self.random.random() < 0.3


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("short")
    return [
        write_tone(folder / f"{number}.{codec}", hz=300 + 100 * number, seconds=0.3 * (number + 1))
        for number, codec in enumerate(CODECS)
    ]


@pytest.mark.parametrize("seed", [*range(12), 20, 70, 86, 92, 127])
def test_player_survives_any_order_of_wishes(
    player: HandPlayer,
    site: MediaSite,
    files: list[Path],
    caplog: pytest.LogCaptureFixture,
    seed: int,
) -> None:
    links = [site.add(path.name, path.read_bytes()) for path in files]
    script = Script(player, links, seed)
    with caplog.at_level(logging.ERROR, logger="bot.node"):
        for _ in range(STEPS):
            script.act()
        player.queue.paused = False
        player.maker.set_sound(Sound())
        script.play_one()
        last = player.playbacks[-1]
        player.until(lambda: ("loaded", last) in player.events)
        assert len(player.rest()) < 2 * LONGEST_TRACK / 0.02
    assert caplog.text == ""
    assert player.events[-1] == ("ended", last)
    for playback in player.playbacks:
        assert player.events.count(("ended", playback)) <= 1
        assert playback.failure is None
