"""One connection's sound on its way from the network to the ear."""

import math
from array import array
from collections import deque
from collections.abc import Callable

import av

from tests.simulator.voice.ear import Ear
from tests.simulator.voice.measures import Frame
from tests.simulator.voice.tone import FRAME, is_silent, level_and_pitch
from tests.simulator.voice.transport import SILENCE, BadPacket, RtpPacket, TransportCipher

UDP_OVERTAKES = 0.25
"""Seconds that sound and op 5, sent at the same time over UDP and TCP, may come apart."""

_SAMPLE_EVERY = 50
_SMALLEST_SOUND = 12 + 20 + len(SILENCE) + 8
_NONCES_REMEMBERED = 3000
_HELD_BACK_AT_MOST = 100
_FRAMES_BY_CODE = {0: 1, 1: 2, 2: 2}


class Stream:
    """What belongs to one SSRC; handled in the decoding thread only.

    Args:
        ssrc: The number that the server gave to this connection.
        ear: Who listens.
        unannounced: Called when a packet came before any op 5 (in the decoding thread).
        unexpected: Called when sound came though op 5 says that nothing is sent (there as well).
    """

    def __init__(
        self,
        ssrc: int,
        ear: Ear,
        unannounced: Callable[[], object],
        unexpected: Callable[[], object],
    ) -> None:
        self.ssrc = ssrc
        self.ear = ear
        self.cipher: TransportCipher | None = None
        self.announced = False
        self.quiet_since = math.inf
        """Monotonic time since which op 5 says that nothing is sent."""
        self.unwrap: Callable[[bytes, float], bytes | None] = lambda payload, _arrival: payload
        """Takes the end-to-end encryption off, None when nobody listens; raises `BadPacket`."""
        self._unannounced = unannounced
        self._unexpected = unexpected
        self._held_back: list[tuple[float, RtpPacket]] = []
        self._nonces: deque[bytes] = deque(maxlen=_NONCES_REMEMBERED)
        self._known_nonces: set[bytes] = set()
        self._decoder: av.AudioCodecContext | None = None
        self._packets = 0

    def handle(self, arrival: float, datagram: bytes) -> None:
        """Take a packet to the ear, or report what is wrong with it."""
        try:
            packet = RtpPacket.parse(datagram)
            if self.announced:
                self.release()
                self._listen(arrival, packet)
            else:
                self._hold_back(arrival, packet)
        except BadPacket as refused:
            self.ear.report(f"a packet was refused: {refused}")
        finally:
            self.ear.handled += 1

    def release(self) -> None:
        """Hear what was held back until op 5 came (UDP may overtake the websocket)."""
        held_back, self._held_back = self._held_back, []
        for arrival, packet in held_back:
            try:
                self._listen(arrival, packet)
            except BadPacket as refused:
                self.ear.report(f"a packet was refused: {refused}")

    def _hold_back(self, arrival: float, packet: RtpPacket) -> None:
        if not self._held_back:
            self._unannounced()
        if len(self._held_back) < _HELD_BACK_AT_MOST:
            self._held_back.append((arrival, packet))

    def _listen(self, arrival: float, packet: RtpPacket) -> None:
        if self.cipher is None:
            raise BadPacket("it came before a cipher was chosen (op 1)")
        self._packets += 1
        if self.ear.decode:
            self._hear(arrival, packet, self.cipher)
        else:
            self._count(arrival, packet, self.cipher)

    def _hear(self, arrival: float, packet: RtpPacket, cipher: TransportCipher) -> None:
        payload = packet.open(cipher)
        self._check_nonce(packet.counter)
        opus = self.unwrap(payload, arrival)
        if opus is None:
            unheard = Frame(arrival, packet.timestamp, packet.sequence, None, None, silent=False)
            self.ear.record(unheard, silence_frame=False)
            return
        _check_duration(opus)
        level, hz = level_and_pitch(self._decode(opus))
        frame = Frame(arrival, packet.timestamp, packet.sequence, level, hz, is_silent(level))
        if not frame.silent and arrival > self.quiet_since + UDP_OVERTAKES:
            self._unexpected()
        self.ear.record(frame, silence_frame=opus == SILENCE)

    def _count(self, arrival: float, packet: RtpPacket, cipher: TransportCipher) -> None:
        if self._packets % _SAMPLE_EVERY == 1:
            self.unwrap(packet.open(cipher), arrival)
        silent = len(packet.header) + len(packet.sealed) + 4 < _SMALLEST_SOUND
        frame = Frame(arrival, packet.timestamp, packet.sequence, None, None, silent)
        self.ear.record(frame, silence_frame=silent)

    def _check_nonce(self, counter: bytes) -> None:
        if counter in self._known_nonces:
            raise BadPacket(f"its nonce {counter.hex()} was used before with this key")
        if len(self._nonces) == _NONCES_REMEMBERED:
            self._known_nonces.discard(self._nonces[0])
        self._nonces.append(counter)
        self._known_nonces.add(counter)

    def new_key(self, cipher: TransportCipher) -> None:
        """Go on with another cipher; nonces may start anew."""
        self._known_nonces.clear()
        self._nonces.clear()
        self.cipher = cipher

    def _decode(self, opus: bytes) -> array[int]:
        if self._decoder is None:
            self._decoder = av.AudioCodecContext.create("libopus", "r")
            self._decoder.sample_rate = 48_000
            self._decoder.layout = "stereo"
        samples = array("h")
        try:
            for frame in self._decoder.decode(av.Packet(opus)):
                samples.frombytes(bytes(frame.planes[0])[: frame.samples * 4])
        except av.FFmpegError as error:
            raise BadPacket(f"it is no Opus frame ({error})") from None
        if len(samples) != 2 * FRAME:
            raise BadPacket(f"it holds {len(samples) // 2} samples, not {FRAME}")
        return samples


def _check_duration(opus: bytes) -> None:
    if not opus:
        raise BadPacket("it is empty")
    config, code = opus[0] >> 3, opus[0] & 3
    each: float
    if config < 12:
        each = (10, 20, 40, 60)[config % 4]
    elif config < 16:
        each = (10, 20)[config % 2]
    else:
        each = (2.5, 5, 10, 20)[config % 4]
    count = _FRAMES_BY_CODE.get(code) or (opus[1] & 63 if len(opus) > 1 else 0)
    if each * count != 20:
        raise BadPacket(f"it lasts {each * count:g} ms, not 20")
