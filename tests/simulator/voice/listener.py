"""A member in the call who hears the bot: a real DAVE client, by the `dave` package (libdave).

It takes part in the group like everybody else: key package, commits, welcomes, transitions. So what
it can decrypt is what a person's client could.
"""

import threading
from typing import TYPE_CHECKING, Any

import dave

from tests.simulator.voice.session import Payload

if TYPE_CHECKING:
    from tests.simulator.voice.call import Call

_MARKER = b"\xfa\xfa"
_SMALLEST_ENCRYPTED = 8 + 1 + 1 + len(_MARKER)


def looks_encrypted(frame: bytes) -> bool:
    """Tell whether a frame has the footer of an end-to-end encrypted one."""
    return frame.endswith(_MARKER) and _SMALLEST_ENCRYPTED <= frame[-3] <= len(frame)


class Listener:
    """One listening member.

    Args:
        user_id: Who it is.
        speaker_id: Whose sound it decrypts.
        call: The call that it is in.
    """

    def __init__(self, user_id: int, speaker_id: int, call: "Call") -> None:
        self.user_id = user_id
        self._speaker_id = speaker_id
        self._call = call
        self._present = {str(user_id)}
        self._session = dave.Session(self._note_failure)
        self._decryptor = dave.Decryptor()
        self._decrypting = threading.Lock()
        self._failure = ""

    async def send(self, op: int, data: Payload) -> None:
        """Take a JSON message of the server."""
        content: dict[str, Any] = data or {}
        if op == 11:
            self._present.update(content["user_ids"])
        elif op == 13:
            self._present.discard(content["user_id"])
        elif op == 21 and content["transition_id"]:
            await self._call.ready(self.user_id, content["transition_id"])
        elif op == 24 and content["epoch"] == 1:
            await self._join_anew(content["protocol_version"])

    async def send_binary(self, op: int, payload: bytes) -> None:
        """Take a binary message of the server."""
        if op == 25:
            self._session.set_external_sender(payload)
            await self._join_anew(1)
        elif op == 27:
            commit = self._session.process_proposals(payload, self._present)
            if commit is not None:
                await self._call.commit(self.user_id, commit)
        elif op == 29:
            result = self._session.process_commit(payload[2:])
            if result != dave.RejectType.ignored:
                await self._enter(payload, "commit", joined=isinstance(result, dict))
        elif op == 30:
            roster = self._session.process_welcome(payload[2:], self._present)
            await self._enter(payload, "welcome", joined=roster is not None)

    def decrypt(self, frame: bytes) -> bytes | None:
        """Return the Opus frame, None when this member cannot open it; any thread may."""
        with self._decrypting:
            return self._decryptor.decrypt(dave.MediaType.audio, frame)

    async def _join_anew(self, version: int) -> None:
        self._session.init(version, self._call.channel_id, str(self.user_id))
        package = self._session.get_marshalled_key_package()
        assert package is not None
        await self._call.key_package(self.user_id, package)

    async def _enter(self, payload: bytes, by: str, *, joined: bool) -> None:
        transition_id = int.from_bytes(payload[:2])
        if not joined:
            self._call.report(f"a listener could not use the {by}: {self._failure}")
            await self._call.invalid(self.user_id, transition_id)
            await self._join_anew(1)
            return
        ratchet = self._session.get_key_ratchet(str(self._speaker_id))
        if ratchet is not None:
            with self._decrypting:
                self._decryptor.transition_to_key_ratchet(ratchet)
        if transition_id:
            await self._call.ready(self.user_id, transition_id)

    def _note_failure(self, where: str, reason: str) -> None:
        self._failure = f"{reason} ({where})"
