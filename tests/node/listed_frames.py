"""A player's sound as a list, for tests of what lies behind it."""

from collections.abc import Iterable

from tests.simulator.voice.minimal_client import tone_frames


class ListedFrames:
    """Frames one after the other; paused when a test says so."""

    def __init__(self, frames: Iterable[bytes | None] = ()) -> None:
        self.frames: list[bytes | None] = list(frames)
        self.taken = 0
        self.paused = False

    @property
    def idle(self) -> bool:
        return self.paused or self.taken >= len(self.frames)

    def pop(self) -> bytes | None:
        if self.idle:
            return None
        self.taken += 1
        return self.frames[self.taken - 1]


def tone(hz: float, *, seconds: float = 20.0) -> ListedFrames:
    """Return a player that plays a sine."""
    one_second = list(tone_frames(hz, 50))
    return ListedFrames(one_second * round(seconds))
