"""One player's packets: what is sent in each 20 ms slot, and what RTP says about it.

**RTP time** goes on by 960 samples a packet. A hole of up to 100 ms (a starved player, a new voice
session, a machine that stood still) is late delivery: the sound behind it follows without a step,
so listeners' jitter buffers can hide the hole. A longer one is a real pause: RTP time then tells
its true length, as in discontinuous transmission (RFC 7587). Sequence numbers count packets only.
All of it outlives websockets, sessions and moves, and so does the nonce counter.

**A talk spurt** begins with speaking on (op 5), which must have left before the first packet, and
ends with five frames of silence (so that decoders do not stretch the last sound) and speaking off.
The announcement happens on the event loop; until it is made no frame is taken off.

`tick` runs in the sender thread, everything else on the event loop; the few attributes that both
touch are single assignments.
"""

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.node.transport_cipher import Seal

SILENCE = b"\xf8\xff\xfe"
"""An Opus frame of 20 ms of nothing."""

_SILENT_FRAMES = 5
_BRIEF_SLOTS = 5
"""100 ms: what a listener's jitter buffer can bridge; then silence is sent instead of nothing."""
_KEEP_ALIVE_SLOTS = 250
"""5 s: well within the life of an address translation in a home router."""

_FRAME_SAMPLES = 960
_VERSION, _OPUS = 0x80, 0x78
_HEADER = struct.Struct(">BBHII")
_KEEP_ALIVE = struct.Struct("<Q")


class FrameQueue(Protocol):
    """A player's next sound, as the sender thread sees it.

    Both members are used from the sender thread and must not block: a lock that another thread may
    hold for long delays every player.
    """

    @property
    def idle(self) -> bool:
        """Whether nothing is meant to be heard: paused, stopped, no track.

        Asked when `pop()` had nothing, and between talk spurts; from the event loop, too. True
        closes the talk spurt at once (five silence frames, speaking off). False means "starved":
        silence is sent after 100 ms, and speaking is announced already while the first frame is
        still being decoded.
        """
        ...

    def pop(self) -> bytes | None:
        """Take the next 20 ms Opus frame (48 kHz stereo) off; None: nothing to send now.

        Called only while voice is ready; a frame that was taken is sent in the same instant.
        """
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """Where and how packets go in one voice session."""

    ssrc: int
    seal: Seal
    encrypt: Callable[[bytes], bytes | None]
    """End-to-end encryption of a frame; None when it failed."""
    send: Callable[[bytes], object]


@dataclass(slots=True)
class SlotCounts:
    """What became of a player's slots."""

    sent: int = 0
    """A frame of sound was sent."""
    nulled: int = 0
    """The player had no frame though it should have."""
    idle: int = 0
    """Nothing was meant to be heard."""


class RtpStream:
    """The packets of one player, over all of its voice sessions.

    Args:
        frames: the player's sound.
        announce: asks for speaking on or off (op 5); called in the sender thread.
    """

    def __init__(self, frames: FrameQueue, announce: Callable[[bool], None]) -> None:
        self.route: Route | None = None
        """None while voice is not ready: no frame is taken off."""
        self.announced = False
        """Whether the voice server has been told that we speak; set by who tells it."""
        self.ending = False
        """True: take no more frames, finish the talk spurt."""
        self.counts = SlotCounts()
        self._frames = frames
        self._announce = announce
        self._speaking = False
        self._silent_frames_left = 0
        self._starved = 0
        self._sequence = random.getrandbits(16)
        self._timestamp = random.getrandbits(32)
        self._counter = 0
        self._last_slot = 0
        self._kept_alive = 0

    @property
    def speaking(self) -> bool:
        """Whether a talk spurt is going on, or is about to begin."""
        return not self.ending and (self._speaking or not self._frames.idle)

    @property
    def ended(self) -> bool:
        """Whether no talk spurt is going on: everything that was begun has been sent."""
        return not self._speaking

    def owes(self, slot: int) -> bool:
        """Whether nothing was sent in `slot`, though a talk spurt is going on."""
        return self._speaking and self._last_slot < slot

    def tick(self, slot: int) -> None:
        """Send what belongs into `slot`; slots rise, and may leave some out."""
        route = self.route
        if route is None:
            return
        if not self.announced:
            self._begin_spurt(route, slot)
            return
        self._speaking = True
        frame = None if self.ending else self._frames.pop()
        if frame is None:
            self._without_frame(route, slot)
            return
        self._silent_frames_left = _SILENT_FRAMES
        self._starved = 0
        encrypted = route.encrypt(frame)
        if encrypted is not None:
            self.counts.sent += 1
            self._transmit(route, slot, encrypted)

    def _begin_spurt(self, route: Route, slot: int) -> None:
        if self.ending or self._frames.idle:
            self.counts.idle += 1
            self._keep_alive(route, slot)
            if self._speaking:  # it was asked for, and is not wanted any more
                self._end_spurt()
        elif not self._speaking:
            self._speaking = True
            self._announce(True)  # noqa: FBT003 - speaking "on" is what the argument says

    def _without_frame(self, route: Route, slot: int) -> None:
        idle = self.ending or self._frames.idle
        if idle:
            self.counts.idle += 1
        else:
            self.counts.nulled += 1
            self._starved += 1
        if self._silent_frames_left and (idle or self._starved > _BRIEF_SLOTS):
            self._silent_frames_left -= 1
            self._transmit(route, slot, SILENCE)
        elif not idle:
            self._keep_alive(route, slot)
        if idle and not self._silent_frames_left:
            self._end_spurt()

    def _end_spurt(self) -> None:
        self._starved = 0
        self._speaking = self.announced = False
        self._announce(False)  # noqa: FBT003 - speaking "off" is what the argument says

    def _transmit(self, route: Route, slot: int, payload: bytes) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._counter = (self._counter + 1) & 0xFFFFFFFF
        slots = slot - self._last_slot
        self._last_slot = slot
        if slots <= _BRIEF_SLOTS + 1:
            slots = 1
        self._timestamp = (self._timestamp + slots * _FRAME_SAMPLES) & 0xFFFFFFFF
        header = _HEADER.pack(_VERSION, _OPUS, self._sequence, self._timestamp, route.ssrc)
        route.send(route.seal(header, payload, self._counter))

    def _keep_alive(self, route: Route, slot: int) -> None:
        if slot - max(self._last_slot, self._kept_alive) >= _KEEP_ALIVE_SLOTS:
            self._kept_alive = slot
            route.send(_KEEP_ALIVE.pack(slot))
