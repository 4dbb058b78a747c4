"""What one guild's player believes of its node, and what was lost with a node that is gone.

Each start has a name of its own, the *play id* (`<entry id>.<number>`): the node repeats it in
every event, so an event about an earlier start of the same entry (a looped track, a retry) is
never taken for one about this start.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Belief:
    """The play ids that matter, and where the current track rests while nothing sounds."""

    playing: str | None = None
    """What the node plays; None while nothing sounds."""
    waits_for: str | None = None
    """What was lost with its node, or with the process before this one."""
    promised: str | None = None
    """What the node was handed and should have begun by itself; not seen yet."""
    reported: tuple[str, int] | None = None
    """What a node that is back says it plays, and at which position."""
    rest_ms: int = 0
    """Where the current track is while nothing sounds."""
    broken: bool = False
    """The node has said that what plays is broken; its end will follow."""
    retried: bool = False
    """The current track has had its second try."""
    voice_stale: bool = False
    """The voice connection must be given to a node anew."""

    @property
    def play_id(self) -> str | None:
        """Under which name the node plays, or played before it was lost."""
        return self.playing or self.waits_for

    def forget(self) -> None:
        """Nothing plays and nothing waits."""
        self.playing = self.waits_for = self.promised = None
        self.rest_ms = 0


def entry_of(play_id: str) -> str:
    """Return the entry id within a play id."""
    return play_id.partition(".")[0]
