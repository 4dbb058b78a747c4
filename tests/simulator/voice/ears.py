"""The ears of all guilds, and the one thread that decodes for them."""

import threading
from queue import SimpleQueue

from tests.simulator.voice.ear import Ear
from tests.simulator.voice.stream import Stream


class Ears:
    """Ears by guild; several voice servers may share them.

    Decoding stands in one thread, so that an ear is written by nobody else, and so that neither the
    test's event loop nor the receiving thread waits for it.

    Args:
        decode: Whether new ears decode sound, or only count and time packets.
    """

    def __init__(self, *, decode: bool = True) -> None:
        self._decode = decode
        self._ears: dict[int, Ear] = {}
        self._arrived: SimpleQueue[tuple[Stream, float, bytes] | None] = SimpleQueue()
        self._users = 0
        self._thread: threading.Thread | None = None

    def of(self, guild_id: int) -> Ear:
        """Return the guild's ear; it is made when it is first asked for."""
        if guild_id not in self._ears:
            self._ears[guild_id] = Ear(guild_id, decode=self._decode)
        return self._ears[guild_id]

    def take(self, stream: Stream, arrival: float, datagram: bytes) -> None:
        """Hand a packet to the decoding thread; an empty one only releases what was held back."""
        self._arrived.put((stream, arrival, datagram))

    def start(self) -> None:
        """Begin decoding; a server calls this when it starts."""
        self._users += 1
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="ears", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End decoding when the last server has stopped; what has arrived is heard first."""
        self._users -= 1
        if self._users == 0 and self._thread is not None:
            self._arrived.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (arrived := self._arrived.get()) is not None:
            stream, arrival, datagram = arrived
            try:
                if datagram:
                    stream.handle(arrival, datagram)
                else:
                    stream.release()
            except Exception as error:  # noqa: BLE001  # one packet must not end all hearing
                stream.ear.report(f"the ear itself failed: {error!r}")
