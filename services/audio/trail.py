"""What has played in one guild, in order, so that members can go back track by track.

The history on disk cannot say that alone: who goes back from C to B and then lets the music go on
has played A B C B C, and the track before C is B, then A.
"""

from collections import deque
from collections.abc import Sequence

from services.audio.player_state import QueuedTrack
from services.audio.track import Track

TRAIL_LENGTH = 50
"""So many tracks one can go back."""


class Trail:
    """The tracks that have played, the newest last; the current one is among them."""

    def __init__(self) -> None:
        self._tracks: deque[Track] = deque(maxlen=TRAIL_LENGTH)
        self._newest: str | None = None
        self.known = False
        """Whether `remember` has told what earlier processes have played."""

    def remember(self, history: Sequence[Track], *, current: QueuedTrack | None) -> None:
        """Take over the history (the newest first) of this process and of earlier ones."""
        self.known = True
        self._tracks = deque(reversed(history), maxlen=TRAIL_LENGTH)
        if current is not None and (not history or history[0] != current.track):
            self._tracks.append(current.track)

    def played(self, entry: QueuedTrack) -> None:
        """Take note that a track sounds; once for each entry."""
        if entry.entry_id != self._newest:
            self._newest = entry.entry_id
            self._tracks.append(entry.track)

    def before(self, current: QueuedTrack | None) -> Track | None:
        """Return what played before the current track, or last where there is none."""
        place = 1 if current is None else 2
        return self._tracks[-place] if len(self._tracks) >= place else None

    def step_back(self, current: QueuedTrack | None) -> None:
        """Take note that the track before `current` is the one that sounds now."""
        now = self._tracks.pop()
        for _ in range(1 if current is None else 2):
            if self._tracks:
                self._tracks.pop()
        self._tracks.append(now)
