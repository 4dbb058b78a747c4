"""One thread that sends every player's sound, a frame each 20 ms on an absolute schedule."""

from dataclasses import dataclass
from typing import Protocol

FRAME_SECONDS = 0.02
"""Length of every Opus frame that a player hands over."""


class FrameQueue(Protocol):
    """A player's next sound, as the sender thread sees it.

    Both members are used from the sender thread only and must not block: a lock that another thread
    may hold for long delays every player.
    """

    @property
    def idle(self) -> bool:
        """Whether nothing is meant to be heard: paused, stopped, no track.

        Asked when `pop()` had nothing. True closes the talk spurt at once (five silence frames,
        speaking off). False means "starved": the sender waits up to 100 ms before it closes the
        spurt, and announces speaking already while the first frame is still being decoded.
        """
        ...

    def pop(self) -> bytes | None:
        """Take the next 20 ms Opus frame (48 kHz stereo) off; None: nothing to send now.

        Called only while voice is ready; a frame that was taken is sent in the same instant.
        """
        ...


@dataclass(frozen=True, slots=True)
class FrameStatistics:
    """Frames of one player in the last whole minute, on average (Lavalink v4 `frameStats`)."""

    sent: int
    nulled: int
    deficit: int


class Sender:
    """The sender thread and the players it serves; made once a node process."""

    def start(self) -> None:
        """Start the thread; add and remove are possible before and after."""
        raise NotImplementedError

    def close(self) -> None:
        """End the thread and wait for it; at most one frame's time."""
        raise NotImplementedError

    def statistics(self) -> FrameStatistics | None:
        """Return the averages of the last whole minute; None where no player played through it."""
        raise NotImplementedError
