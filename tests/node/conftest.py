"""Fixtures of the node's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.listening import HandPlayer
from tests.node.media_site import MediaSite
from tests.simulator.tones import write_tones


@pytest.fixture
def site() -> Iterator[MediaSite]:
    with MediaSite() as running:
        yield running


@pytest.fixture
def player() -> Iterator[HandPlayer]:
    hand = HandPlayer()
    yield hand
    hand.close()


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 3 s of 440 Hz, then 3 s of 880 Hz, in every format, as `steps.<codec>`."""
    folder = tmp_path_factory.mktemp("tones")
    for codec in ("mp3", "ogg", "webm", "m4a", "aac", "flac", "wav"):
        tags = {"title": "Steps", "artist": "A. Tester"}
        write_tones(folder / f"steps.{codec}", [(440, 3), (880, 3)], tags=tags)
    return folder
