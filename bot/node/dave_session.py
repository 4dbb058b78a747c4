"""End-to-end encryption of one voice session (DAVE, protocol versions 0 and 1).

The members of a call form an MLS group; each sender's media keys follow from the group's secret and
change with every *epoch*, that is whenever somebody joins or leaves. The voice server is the
group's *external sender*: it proposes who is added and removed (op 27), every member answers with a
commit (op 28), the server picks one and announces it to the members (op 29) and welcomes the
newcomers (op 30). A change takes effect for what we *send* only with its *transition*: we say that
we are ready (op 23) and change keys when the server says so (op 22); transition 0 takes effect at
once. Version 0 means no end-to-end encryption; a call can go down to it (op 21) and up again with a
new group (op 24, epoch 1).

What cannot be understood yet is kept: proposals, commits and welcomes need the external sender (op
25), which may come after them. What cannot be applied at all is answered by op 31, and we ask to be
added anew with a new key package (op 26).

This class decides; it returns what is to be sent. https://daveprotocol.com, and
https://discord.com/developers/docs/topics/voice-connections#end-to-end-encryption-dave-protocol
"""

import logging
import struct
from dataclasses import dataclass
from functools import partial
from typing import Any

import dave

from bot.node.voice_gateway import VoiceOp

_log = logging.getLogger(__name__)

NEWEST_VERSION: int = dave.get_max_supported_protocol_version()
"""What we offer when we identify."""

_TRANSITION = struct.Struct(">H")
_NEW_GROUP_EPOCH = 1
_FOR_THE_GROUP = 1.5
_FOR_COMPANY = 0.2


@dataclass(frozen=True, slots=True)
class Reply:
    """A message for the voice server: bytes go as a binary frame, anything else as JSON."""

    op: VoiceOp
    data: bytes | dict[str, int]


Replies = tuple[Reply, ...]


class DaveSession:
    """The group as one member, ourselves, sees it; used on the event loop.

    Only `encrypt` is called in another thread (libdave locks what both touch).

    Args:
        user_id: our own id.
        channel_id: the voice channel's id, which is the group's.
    """

    def __init__(self, *, user_id: int, channel_id: int) -> None:
        self._user_id = str(user_id)
        self._channel_id = channel_id
        self._others: set[str] = set()
        self._mls = dave.Session(_failed)
        self._version = 0
        self._version_in_use = 0
        self._encryptor = dave.Encryptor()
        self._encryptor.set_passthrough_mode(True)
        self._external_sender_known = self._has_group = False
        self._kept: list[tuple[int, bytes]] = []
        self._transitions: dict[int, tuple[int, dave.IKeyRatchet | None]] = {}
        self.encrypt = partial(self._encryptor.encrypt, dave.MediaType.audio, 0)
        """Encrypt an Opus frame, or pass it through; None when that failed."""

    @property
    def patience(self) -> float:
        """For how many seconds sound should wait for a key; 0 when there is nothing to wait for.

        What is sent before others can decrypt it is lost to them. Who the others are (op 11) is
        told only after the session is described; a member who is alone gets no key at all.
        """
        if not self._version_in_use or not self._encryptor.is_passthrough_mode():
            return 0.0
        return _FOR_THE_GROUP if self._others else _FOR_COMPANY

    def start(self, version: int, ssrc: int) -> Replies:
        """Take the protocol `version` and our own `ssrc` that the server chose (ops 4 and 2)."""
        self._encryptor.assign_ssrc_to_codec(ssrc, dave.Codec.opus)
        self.encrypt = partial(self._encryptor.encrypt, dave.MediaType.audio, ssrc)
        self._version_in_use = version
        return self._join_new_group(version) if version else ()

    def joined(self, user_ids: list[str]) -> None:
        """Recognise members who came (op 11): only they may be added to the group."""
        self._others.update(user_id for user_id in user_ids if user_id != self._user_id)

    def left(self, user_id: str) -> None:
        """Recognise a member no longer (op 13)."""
        self._others.discard(user_id)

    # ── JSON ────────────────────────────────────────────────────────────────
    def receive(self, op: int, data: dict[str, Any]) -> Replies:
        """Answer a JSON message (ops 21, 22, 24)."""
        match op:
            case VoiceOp.DAVE_PREPARE_TRANSITION:
                return self._prepare(data["transition_id"], data["protocol_version"])
            case VoiceOp.DAVE_EXECUTE_TRANSITION:
                self._execute(data["transition_id"])
            case VoiceOp.DAVE_PREPARE_EPOCH if int(data["epoch"]) == _NEW_GROUP_EPOCH:
                return self._join_new_group(data["protocol_version"])
        return ()

    def _join_new_group(self, version: int) -> Replies:
        self._version = version
        self._mls.init(version, self._channel_id, self._user_id)
        self._has_group = True
        package = self._mls.get_marshalled_key_package()
        offer = (Reply(VoiceOp.DAVE_KEY_PACKAGE, package),) if package else ()
        return offer + self._take_up_kept()

    def _prepare(self, transition: int, version: int) -> Replies:
        """Remember what to send with from `transition` on, and say that we are ready for it."""
        ratchet = self._mls.get_key_ratchet(self._user_id) if version else None
        self._transitions[transition] = version, ratchet
        if transition == 0:
            self._execute(transition)
            return ()
        return (Reply(VoiceOp.DAVE_TRANSITION_READY, {"transition_id": transition}),)

    def _execute(self, transition: int) -> None:
        if transition not in self._transitions:
            return
        self._version_in_use, ratchet = self._transitions.pop(transition)
        self._encryptor.set_key_ratchet(ratchet)
        self._encryptor.set_passthrough_mode(ratchet is None)

    # ── binary ──────────────────────────────────────────────────────────────
    def receive_binary(self, op: int, payload: bytes) -> Replies:
        """Answer a binary message (ops 25, 27, 29, 30)."""
        if op == VoiceOp.DAVE_EXTERNAL_SENDER:
            self._mls.set_external_sender(payload)
            self._external_sender_known = True
        else:
            self._kept.append((op, payload))
        return self._take_up_kept()

    def _take_up_kept(self) -> Replies:
        replies: Replies = ()
        while self._kept and self._external_sender_known and self._has_group:
            replies += self._mls_message(*self._kept.pop(0))
        return replies

    def _mls_message(self, op: int, payload: bytes) -> Replies:
        match op:
            case VoiceOp.DAVE_PROPOSALS:
                answer = self._mls.process_proposals(payload, self._recognised())
                return (Reply(VoiceOp.DAVE_COMMIT_WELCOME, answer),) if answer else ()
            case VoiceOp.DAVE_ANNOUNCE_COMMIT:
                return self._commit(*_split(payload))
            case VoiceOp.DAVE_WELCOME:
                return self._welcome(*_split(payload))
        return ()

    def _commit(self, transition: int, commit: bytes) -> Replies:
        result = self._mls.process_commit(commit)
        if result is dave.RejectType.ignored:  # it is for members, and we are not one yet
            return ()
        if result is dave.RejectType.failed:
            return self._recover(transition)
        return self._prepare(transition, self._version)

    def _welcome(self, transition: int, welcome: bytes) -> Replies:
        if self._mls.process_welcome(welcome, self._recognised()) is None:
            return self._recover(transition)
        return self._prepare(transition, self._version)

    def _recover(self, transition: int) -> Replies:
        """Ask to be removed and added anew; what we send keeps its old keys meanwhile."""
        refusal = Reply(VoiceOp.DAVE_INVALID_COMMIT_WELCOME, {"transition_id": transition})
        return (refusal, *self._join_new_group(self._version))

    def _recognised(self) -> set[str]:
        return self._others | {self._user_id}


def _split(payload: bytes) -> tuple[int, bytes]:
    (transition,) = _TRANSITION.unpack_from(payload)
    return transition, payload[_TRANSITION.size :]


def _failed(source: str, reason: str) -> None:
    _log.warning("an encryption group message was refused: %s: %s", source, reason)
