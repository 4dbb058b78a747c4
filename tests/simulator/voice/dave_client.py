"""The minimal client with end-to-end encryption, by the `dave` package."""

from typing import Any

import dave

from tests.simulator.voice.minimal_client import CHANNEL, USER, MinimalClient
from tests.simulator.voice.server import VoiceServer


class DaveClient(MinimalClient):
    """Follows the protocol as far as a test reads its messages."""

    def __init__(self, voice: VoiceServer) -> None:
        super().__init__(voice)
        self.present = {str(USER)}
        self.session = dave.Session()
        self.encryptor = dave.Encryptor()
        self.epochs = 0
        self.executed: list[int] = []
        self._versions: dict[int, int] = {}
        self.encrypts = True

    async def join(self, mode: str, **changed: Any) -> dict[str, Any]:
        """Go through the handshake and offer a key package."""
        description = await super().join(mode, **{"max_dave_protocol_version": 1, **changed})
        self.encryptor.assign_ssrc_to_codec(self.ssrc, dave.Codec.opus)
        if description["dave_protocol_version"]:
            await self.begin_group()
        return description

    async def begin_group(self) -> None:
        """Make a local group and offer a key package."""
        self.session.init(1, CHANNEL, str(USER))
        package = self.session.get_marshalled_key_package()
        assert package is not None
        await self.send_binary(26, package)

    async def until_epoch(self, count: int) -> None:
        """Follow the protocol until `count` groups or epochs were entered."""
        while self.epochs < count:
            await self.follow()

    async def until_executed(self, transition_id: int) -> None:
        """Follow the protocol until a transition was executed."""
        while transition_id not in self.executed:
            await self.follow()

    async def follow(self) -> int:
        """Take one message; return its op."""
        op, data = await self.receive_any()
        if op == -1:
            raise ConnectionError(f"closed with {data}")
        if isinstance(data, bytes):
            await self._take_binary(op, data)
        elif op == 11:
            self.present |= set(data["user_ids"])
        elif op == 13:
            self.present.discard(data["user_id"])
        elif op == 21:
            self._prepare(data["transition_id"], data["protocol_version"])
            if data["transition_id"]:
                await self.send(23, {"transition_id": data["transition_id"]})
        elif op == 22:
            self._execute(data["transition_id"])
        elif op == 24 and data["epoch"] == 1:
            await self.begin_group()
        return op

    def seal(self, frame: bytes) -> bytes:
        """Make the next RTP packet, end-to-end encrypted once there is a key."""
        if self.encrypts and self.encryptor.has_key_ratchet():
            encrypted = self.encryptor.encrypt(dave.MediaType.audio, self.ssrc, frame)
            assert encrypted is not None
            frame = encrypted
        return super().seal(frame)

    async def _take_binary(self, op: int, payload: bytes) -> None:
        if op == 25:
            self.session.set_external_sender(payload)
        elif op == 27:
            commit = self.session.process_proposals(payload, self.present)
            if commit is not None:
                await self.send_binary(28, commit)
        elif op == 29:
            await self._enter(payload, self.session.process_commit(payload[2:]))
        elif op == 30:
            await self._enter(payload, self.session.process_welcome(payload[2:], self.present))

    async def _enter(self, payload: bytes, roster: Any) -> None:
        transition_id = int.from_bytes(payload[:2])
        if not isinstance(roster, dict):
            await self.send(31, {"transition_id": transition_id})
            await self.begin_group()
            return
        self.epochs += 1
        self._prepare(transition_id, 1)
        if transition_id:
            await self.send(23, {"transition_id": transition_id})

    def _prepare(self, transition_id: int, version: int) -> None:
        self._versions[transition_id] = version
        if transition_id == 0:
            self._execute(0)

    def _execute(self, transition_id: int) -> None:
        version = self._versions.pop(transition_id)
        self.executed.append(transition_id)
        ratchet = self.session.get_key_ratchet(str(USER)) if version else None
        self.encryptor.set_key_ratchet(ratchet)
