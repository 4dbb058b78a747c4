"""Keeps a player's queue filled: decides what is made, and makes anew what a change has outdated.

About a second of frames is made ahead. A change of volume, filters or of what follows throws the
later part of it away: a new `Line` starts in the middle of the sound already made, one frame
ahead of the sender, and takes over when its first frames are ready. The sender goes on with the
old frames meanwhile, so nothing is ever missing, and the change is heard within 100 ms.

Everything here runs on a decode worker, one job at a time for each player; other threads only
`post` what they want.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from bot.node.http_media import MediaUnreadable
from bot.node.line import Line, Sound, Start
from bot.node.opus import FRAME_SECONDS
from bot.node.play_queue import MadeFrame, PlayQueue
from bot.node.playback import Playback
from bot.node.source import Wait
from bot.node.workers import DecodeWorkers, Job

_log = logging.getLogger(__name__)

_SLICE: Final = 10
"""Frames made before another player gets its turn."""
_CUT_AHEAD: Final = 1
"""Frames that the sender may surely draw while the new ones are being made (a few ms)."""
_TAKE_OVER: Final = 3
"""New frames that must be ready before they take over."""

Installer = Callable[[list[MadeFrame]], None]


class MakerListener(Protocol):
    """Who is told of what was made; called on a decode worker."""

    def on_started(self, playback: Playback) -> None:
        """The first frames of a loaded playback are ready to be sent."""

    def on_moved(self, playback: Playback) -> None:
        """The sound at the position that was sought is ready to be sent."""


@dataclass(slots=True)
class _Fresh:
    """Frames of a new line that has not taken over yet."""

    start: Start
    needed: int
    install: Installer
    frames: list[MadeFrame] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class _Seek:
    """A position that is being read towards."""

    playback: Playback
    position: float


class FrameMaker:
    """One player's production of frames."""

    def __init__(self, queue: PlayQueue, workers: DecodeWorkers, listener: MakerListener) -> None:
        self._queue = queue
        self._workers = workers
        self._listener = listener
        self._sound = Sound()
        self._line: Line | None = None
        self._fresh: _Fresh | None = None
        self._next: Playback | None = None
        self._seeking: _Seek | None = None
        self._line_ended = False
        self._lock = threading.Lock()
        self._wishes: deque[Job] = deque()
        self._scheduled = False
        self._again = False
        self._closed = False

    # ── from any thread ─────────────────────────────────────────────────────
    def load(self, playback: Playback, sound: Sound, *, paused: bool) -> None:
        """Replace everything by `playback`."""
        self._post(lambda: self._load(playback, sound, paused=paused))

    def set_sound(self, sound: Sound) -> None:
        """Change volume or filters."""
        self._post(lambda: self._set_sound(sound))

    def seek(self, playback: Playback, position: float) -> None:
        """Go to `position` seconds if `playback` is still the current one."""
        self._post(lambda: self._seek(playback, position))

    def set_next(self, playback: Playback | None) -> None:
        """Say what follows the current track without a gap; None: nothing."""
        self._post(lambda: self._set_next(playback))

    def set_end(self, playback: Playback, end: float | None) -> None:
        """Let `playback` end at another place."""
        self._post(lambda: self._set_end(playback, end))

    def drop(self, playback: Playback) -> None:
        """Go on with what follows, if `playback` is heard: it began too late to be prevented."""
        self._post(lambda: self._drop(playback))

    def clear(self) -> None:
        """Forget everything; the queue is cleared by the caller at once."""
        self._post(self._clear)

    def close(self) -> None:
        """Never make a frame again."""
        self._closed = True
        self._post(self._clear)

    def wake(self, *, due: float) -> None:
        """Make frames, latest at `due` (monotonic seconds)."""
        with self._lock:
            if self._scheduled:
                self._again = True
                return
            self._scheduled = True
        self._workers.submit(self._work, due=due)

    def wake_now(self) -> None:
        """Make frames as soon as a worker is free."""
        self.wake(due=time.monotonic())

    def _post(self, wish: Job) -> None:
        self._wishes.append(wish)
        self.wake(due=0.0)

    # ── the job ─────────────────────────────────────────────────────────────
    def _work(self) -> None:
        more = False
        try:
            while self._wishes:
                self._wishes.popleft()()
            if not self._closed:
                more = self._make_some()
        except Exception:  # noqa: BLE001 -- background work: the track ends with a failure
            _log.exception("making frames failed")
            self._give_up()
        finally:
            with self._lock:
                more = more or self._again
                self._again = False
                self._scheduled = more
            if more:
                due = time.monotonic() + self._queue.waiting * FRAME_SECONDS
                self._workers.submit(self._work, due=0.0 if self._wishes else due)

    def _make_some(self) -> bool:
        """Make frames; True: there is more to do right now."""
        current = self._queue.current
        if current is not None and self._fresh is None and self._seeking is None:
            current.source.release(self._queue.position)
        for _ in range(_SLICE):
            if self._line is None or self._line_ended or self._missing() <= 0:
                return False
            self._workers.give_way()
            made = self._line.next_frame()
            if made is Wait.STARVED:
                return False
            if made is Wait.ENDED:
                self._end_of_track(self._line)
            elif isinstance(made, MadeFrame):
                self._deliver(made)
        return True

    def _give_up(self) -> None:
        """End the track that cannot be made any further by a defect of ours."""
        line, fresh = self._line, self._fresh
        self._line, self._fresh, self._line_ended = None, None, True
        if line is not None:
            line.playback.failure = MediaUnreadable("the node failed to make its sound")
        if fresh is not None:
            fresh.install(fresh.frames)
        self._queue.finish()

    def _missing(self) -> int:
        if self._fresh is not None:
            return max(1, self._fresh.needed - len(self._fresh.frames))
        return self._queue.wanted

    def _deliver(self, frame: MadeFrame) -> None:
        fresh = self._fresh
        if fresh is None:
            self._queue.append(frame)
            return
        fresh.frames.append(frame)
        if len(fresh.frames) >= fresh.needed:
            self._take_over(fresh)

    def _take_over(self, fresh: _Fresh) -> None:
        self._fresh = None
        fresh.install(fresh.frames)

    def _end_of_track(self, line: Line) -> None:
        following = self._next
        if following is not None and line.playback.failure is None:
            self._next = None
            line.follow(following)
            return
        for frame in line.finish():
            self._deliver(frame)
        if self._fresh is not None:
            self._take_over(self._fresh)
        self._line_ended = True
        self._queue.finish()

    def _begin(self, start: Start, *, needed: int, install: Installer) -> None:
        start.playback.source.listen(self.wake_now)
        self._line = Line(start, self._sound)
        self._line_ended = False
        self._fresh = _Fresh(start, needed, install)

    # ── wishes ──────────────────────────────────────────────────────────────
    def _load(self, playback: Playback, sound: Sound, *, paused: bool) -> None:
        self._sound, self._seeking, self._next = sound, None, None
        position = playback.start or None

        def install(frames: list[MadeFrame]) -> None:
            self._queue.start(playback, frames, position=playback.start, paused=paused)
            self._listener.on_started(playback)

        if position is not None and sound.is_neutral and playback.source.is_opus:
            position = playback.source.snap(position)
        self._begin(Start(playback, position, sound.gain), needed=1, install=install)

    def _set_sound(self, sound: Sound) -> None:
        if sound != self._sound:
            self._sound = sound
            self._make_anew()

    def _set_next(self, playback: Playback | None) -> None:
        line, self._next = self._line, playback
        if playback is not None:
            playback.source.listen(self.wake_now)
        if line is None or self._seeking is not None:
            return
        if (fresh := self._fresh) is not None:
            if line.playback is not fresh.start.playback:  # it has gone on with another one
                self._begin(fresh.start, needed=fresh.needed, install=fresh.install)
            return
        followed_already = line.playback is not self._queue.current
        if followed_already or (self._line_ended and playback is not None):
            self._make_seam_anew()

    def _set_end(self, playback: Playback, end: float | None) -> None:
        if playback.end != end:
            playback.end = end
            self._make_anew()

    def _seek(self, playback: Playback, position: float) -> None:
        if self._queue.current is not playback or not self._queue.keep_only(playback):
            return
        self._take_follower_back(playback)
        if self._seeking is None and playback.source.find(position) is not None:
            self._go_on_at(playback, position)
            return
        self._line, self._fresh = None, None
        seek = self._seeking = _Seek(playback, position)
        playback.source.request_seek(position, lambda: self._post(lambda: self._arrive(seek)))

    def _arrive(self, seek: _Seek) -> None:
        """Go on where a seek has led, unless a newer wish has come meanwhile."""
        if self._seeking is seek:
            self._seeking = None
            if self._queue.keep_only(seek.playback):
                self._go_on_at(seek.playback, seek.position)

    def _go_on_at(self, playback: Playback, position: float) -> None:
        if self._sound.is_neutral and playback.source.is_opus:
            position = playback.source.snap(position)

        def install(frames: list[MadeFrame]) -> None:
            if self._queue.move(playback, frames, position=position):
                self._listener.on_moved(playback)
            else:
                self._overtaken()

        self._begin(Start(playback, position, self._sound.gain), needed=_TAKE_OVER, install=install)

    def _clear(self) -> None:
        self._queue.clear()
        self._line, self._fresh, self._next, self._seeking = None, None, None, None
        self._line_ended = False

    # ── making anew ─────────────────────────────────────────────────────────
    def _make_anew(self) -> None:
        """Replace what waits, from a little ahead of the sender on, by a new line's frames."""
        if self._line is None or self._seeking is not None:
            return
        if (fresh := self._fresh) is not None:  # nothing of this line is heard yet
            self._begin_again(fresh)
            return
        upcoming, current = self._queue.upcoming(), self._queue.current
        if upcoming.frames:
            cut = min(_CUT_AHEAD, len(upcoming.frames) - 1)
            self._cut_at(upcoming.turn + cut, upcoming.frames[cut])
        elif current is not None and not self._line_ended:  # starved: go on where the sound stopped
            position = self._queue.position
            self._take_follower_back(current)
            self._replace_from(upcoming.turn, Start(current, position, self._sound.gain))

    def _make_seam_anew(self) -> None:
        """Let another track, or none, follow what is heard now."""
        upcoming, current = self._queue.upcoming(), self._queue.current
        if current is None:
            return
        own = sum(frame.playback is current for frame in upcoming.frames)
        if own:
            cut = min(_CUT_AHEAD, own - 1)
            self._cut_at(upcoming.turn + cut, upcoming.frames[cut], keep_next=True)
        elif self._queue.keep_only(current):  # its last frame is out: the end is held back
            self._follow_at_once()

    def _follow_at_once(self) -> None:
        following, self._next = self._next, None
        if following is None:
            self._line, self._fresh, self._line_ended = None, None, True
            self._queue.finish()
            return
        turn = self._queue.upcoming().turn
        self._replace_from(turn, Start(following, None, self._sound.gain), needed=1)

    def _cut_at(self, turn: int, frame: MadeFrame, *, keep_next: bool = False) -> None:
        if not keep_next:
            self._take_follower_back(frame.playback)
        self._replace_from(turn, Start(frame.playback, frame.position, frame.gain))

    def _replace_from(self, turn: int, start: Start, *, needed: int = _TAKE_OVER) -> None:
        current = self._queue.current

        def install(frames: list[MadeFrame]) -> None:
            if not self._queue.replace_from(turn, frames, current=current):
                self._overtaken()

        self._begin(start, needed=needed, install=install)

    def _overtaken(self) -> None:
        """Look again: the sender has passed to another track while this line was being made."""
        self._line, self._fresh = None, None
        upcoming, current = self._queue.upcoming(), self._queue.current
        if current is None:
            return
        if self._next is current:
            self._next = None
        cut = min(_CUT_AHEAD, len(upcoming.frames) - 1)
        if cut >= 0:
            self._cut_at(upcoming.turn + cut, upcoming.frames[cut])
        else:
            position = self._queue.position
            self._replace_from(upcoming.turn, Start(current, position, self._sound.gain))

    def _drop(self, playback: Playback) -> None:
        if self._fresh is not None and self._fresh.start.playback is not playback:
            return  # another one is about to take its place
        if self._queue.current is playback and self._queue.keep_only(playback):
            self._seeking = None
            self._queue.replace_from(0, [], current=playback)
            self._follow_at_once()

    def _begin_again(self, fresh: _Fresh) -> None:
        start = fresh.start
        self._take_follower_back(start.playback)
        self._begin(start, needed=fresh.needed, install=fresh.install)

    def _take_follower_back(self, playback: Playback) -> None:
        """Let the track that the line had already gone on with follow `playback` again."""
        if self._line is not None and self._line.playback is not playback and self._next is None:
            self._next = self._line.playback
