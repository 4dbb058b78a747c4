"""A voice session: who it is, what was sent to it, and what it may still resume."""

import json
import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulator.voice.calllog import CallLog
from tests.simulator.voice.stream import Stream

if TYPE_CHECKING:
    from tests.simulator.voice.call import Call
    from tests.simulator.voice.connection import Connection

_REPLAYED_AT_MOST = 256
_NUMBERS = 1 << 16

type Payload = dict[str, Any] | None


@dataclass(frozen=True)
class Admission:
    """Who may identify, as the main gateway announced it."""

    guild_id: int
    channel_id: int
    user_id: int
    session_id: str
    token: str


class VoiceSession:
    """One identified client; outlives its websocket while it may be resumed.

    Every message except HELLO, heartbeat answers and RESUMED has a number (`seq` in JSON, the first
    two bytes of a binary message) and is kept for a replay.
    """

    def __init__(
        self,
        admission: Admission,
        stream: Stream,
        log: CallLog,
        *,
        dave_version: int,
    ) -> None:
        self.admission = admission
        self.stream = stream
        self.log = log
        self.dave_version = dave_version
        self.connection: Connection | None = None
        self.call: Call | None = None
        self.quiet_checked = math.inf
        """Since when op 5 said that nothing is sent, when that was last doubted."""
        self.last_number = -1
        self._sent: deque[tuple[int, str | bytes]] = deque(maxlen=_REPLAYED_AT_MOST)

    @property
    def user_id(self) -> int:
        """Return who it is."""
        return self.admission.user_id

    async def send(self, op: int, data: Payload) -> None:
        """Send a numbered JSON message; without a websocket it waits for a resume."""
        number = self._next_number()
        await self._send(number, json.dumps({"op": op, "d": data, "seq": number}))

    async def send_binary(self, op: int, payload: bytes) -> None:
        """Send a numbered binary message (DAVE)."""
        number = self._next_number()
        await self._send(number, number.to_bytes(2) + bytes([op]) + payload)

    def knows(self, number: int) -> bool:
        """Tell whether a client can have received this number."""
        if number == -1 or self.last_number == -1:
            return number == -1
        return (self.last_number - number) % _NUMBERS < _NUMBERS // 2

    def missed_after(self, number: int) -> list[str | bytes] | None:
        """Return what followed message `number` (-1: none was received), None when it is gone."""
        numbers = [sent for sent, _ in self._sent]
        if number == self.last_number:
            return []
        if number == -1:
            first = 0 if numbers and numbers[0] == 1 else None
        else:
            first = numbers.index(number) + 1 if number in numbers else None
        return None if first is None else [message for _, message in list(self._sent)[first:]]

    async def _send(self, number: int, message: str | bytes) -> None:
        self._sent.append((number, message))
        if self.connection is not None:
            await self.connection.send_raw(message)

    def _next_number(self) -> int:
        self.last_number = 1 if self.last_number == -1 else (self.last_number + 1) % _NUMBERS
        return self.last_number
