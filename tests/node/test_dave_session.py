"""One member's part in an end-to-end encrypted call, message by message, with a real group."""

import struct

import dave
import pytest

from bot.node.dave_session import DaveSession, Reply
from bot.node.voice_gateway import VoiceOp
from tests.simulator.voice.mls import (
    ExternalSender,
    KeyPackage,
    Reader,
    Welcome,
    appended,
    read_commit,
)

BOT, MEMBER, CHANNEL, SSRC = 33, 44, 22, 4001
FRAME = b"\xfc" + bytes(range(100))


class _Call:
    """The voice server's part: it adds the member to the bot's group, or the other way round."""

    def __init__(self) -> None:
        self.server = ExternalSender()
        self.bot = DaveSession(user_id=BOT, channel_id=CHANNEL)
        self.member = dave.Session()
        self.member.init(1, CHANNEL, str(MEMBER))
        self.member.set_external_sender(self.server.package)
        self.member_package = self.member.get_marshalled_key_package()
        self.decryptor = dave.Decryptor()
        self.bot_package = b""

    def start(self) -> None:
        """Let the bot in: version 1, one other member."""
        (offer,) = self.bot.start(1, SSRC)
        self.bot.joined([str(BOT), str(MEMBER)])
        assert offer.op == VoiceOp.DAVE_KEY_PACKAGE
        assert isinstance(offer.data, bytes)
        self.bot_package = offer.data

    def introduce(self) -> None:
        assert self.bot.receive_binary(25, self.server.package) == ()

    def proposal_for_the_bot(self) -> bytes:
        assert self.member_package is not None
        package = KeyPackage.parse(self.member_package)
        return appended([self.server.propose_add(CHANNEL, 0, package)])

    def add_member(self, *, transition: int) -> tuple[Reply, ...]:
        """Let the bot commit, announce that, and welcome the member."""
        (commit,) = self.bot.receive_binary(27, self.proposal_for_the_bot())
        assert commit.op == VoiceOp.DAVE_COMMIT_WELCOME
        assert isinstance(commit.data, bytes)
        assert self.member_package is not None
        reader = Reader(commit.data)
        announced = read_commit(reader)
        welcome = Welcome.read(reader).only_for(KeyPackage.parse(self.member_package))
        recognised = {str(BOT), str(MEMBER)}
        assert self.member.process_welcome(welcome, recognised) is not None
        return self.bot.receive_binary(29, struct.pack(">H", transition) + announced.message)

    def welcome_for_the_bot(self) -> bytes:
        """Let the member commit and make it welcome the bot."""
        package = KeyPackage.parse(self.bot_package)
        proposal = appended([self.server.propose_add(CHANNEL, 0, package)])
        answer = self.member.process_proposals(proposal, {str(BOT), str(MEMBER)})
        assert answer is not None
        reader = Reader(answer)
        announced = read_commit(reader)
        assert isinstance(self.member.process_commit(announced.message), dict)
        return Welcome.read(reader).only_for(package)

    def hears(self, frame: bytes | None) -> bytes | None:
        """Return what the member's client makes of a frame."""
        assert frame is not None
        ratchet = self.member.get_key_ratchet(str(BOT))
        if ratchet is not None:
            self.decryptor.transition_to_key_ratchet(ratchet)
        return self.decryptor.decrypt(dave.MediaType.audio, frame)


@pytest.fixture
def call() -> _Call:
    return _Call()


def test_call_without_encryption_passes_frames_through(call: _Call) -> None:
    assert call.bot.start(0, SSRC) == ()
    assert call.bot.encrypt(FRAME) == FRAME
    assert call.bot.patience == 0


def test_frames_are_encrypted_from_transition_zero_on_at_once(call: _Call) -> None:
    call.start()
    call.introduce()
    assert call.add_member(transition=0) == ()
    encrypted = call.bot.encrypt(FRAME)
    assert encrypted != FRAME
    assert call.hears(encrypted) == FRAME


def test_new_key_is_used_only_when_the_transition_is_executed(call: _Call) -> None:
    call.start()
    call.introduce()
    (ready,) = call.add_member(transition=7)
    assert ready == Reply(VoiceOp.DAVE_TRANSITION_READY, {"transition_id": 7})
    assert call.bot.encrypt(FRAME) == FRAME
    assert call.bot.receive(22, {"transition_id": 7}) == ()
    assert call.hears(call.bot.encrypt(FRAME)) == FRAME
    assert call.bot.encrypt(FRAME) != FRAME


def test_welcome_by_another_member_gives_a_key(call: _Call) -> None:
    call.start()
    call.introduce()
    assert call.bot.receive_binary(30, b"\0\0" + call.welcome_for_the_bot()) == ()
    assert call.hears(call.bot.encrypt(FRAME)) == FRAME


def test_messages_before_the_external_sender_are_kept_for_it(call: _Call) -> None:
    call.start()
    assert call.bot.receive_binary(30, b"\0\5" + call.welcome_for_the_bot()) == ()
    (ready,) = call.bot.receive_binary(25, call.server.package)
    assert ready == Reply(VoiceOp.DAVE_TRANSITION_READY, {"transition_id": 5})


def test_messages_before_the_session_description_are_kept_for_it(call: _Call) -> None:
    call.introduce()
    assert call.bot.receive_binary(27, call.proposal_for_the_bot()) == ()
    call.bot.joined([str(MEMBER)])
    replies = call.bot.start(1, SSRC)
    assert [reply.op for reply in replies] == [
        VoiceOp.DAVE_KEY_PACKAGE,
        VoiceOp.DAVE_COMMIT_WELCOME,
    ]


@pytest.mark.parametrize("op", [29, 30])
def test_message_that_cannot_be_used_is_refused_with_a_new_key_package(
    call: _Call, op: int
) -> None:
    call.start()
    call.introduce()
    call.bot.receive_binary(27, call.proposal_for_the_bot())
    replies = call.bot.receive_binary(op, b"\0\7" + b"nonsense")
    assert replies[0] == Reply(VoiceOp.DAVE_INVALID_COMMIT_WELCOME, {"transition_id": 7})
    assert replies[1].op == VoiceOp.DAVE_KEY_PACKAGE
    assert replies[1].data != call.bot_package


def test_bot_that_refused_a_message_can_be_welcomed_afterwards(call: _Call) -> None:
    call.start()
    call.introduce()
    _, offer = call.bot.receive_binary(30, b"\0\7" + b"nonsense")
    assert isinstance(offer.data, bytes)
    call.bot_package = offer.data
    call.bot.receive_binary(30, b"\0\0" + call.welcome_for_the_bot())
    assert call.hears(call.bot.encrypt(FRAME)) == FRAME


def test_commit_of_a_group_that_we_are_not_in_yet_is_ignored(call: _Call) -> None:
    call.start()
    call.introduce()
    assert call.bot.receive_binary(29, b"\0\7" + b"for others") == ()


def test_stranger_is_not_added_to_the_group(call: _Call) -> None:
    call.start()
    call.introduce()
    call.bot.left(str(MEMBER))
    assert call.bot.receive_binary(27, call.proposal_for_the_bot()) == ()


def test_downgrade_sends_plain_frames_only_when_it_is_executed(call: _Call) -> None:
    call.start()
    call.introduce()
    call.add_member(transition=0)
    (ready,) = call.bot.receive(21, {"transition_id": 8, "protocol_version": 0})
    assert ready == Reply(VoiceOp.DAVE_TRANSITION_READY, {"transition_id": 8})
    assert call.bot.encrypt(FRAME) != FRAME
    call.bot.receive(22, {"transition_id": 8})
    assert call.bot.encrypt(FRAME) == FRAME
    assert call.bot.patience == 0


def test_new_epoch_offers_a_key_package_for_a_new_group(call: _Call) -> None:
    call.bot.start(0, SSRC)
    call.introduce()
    (offer,) = call.bot.receive(24, {"epoch": 1, "protocol_version": 1})
    assert offer.op == VoiceOp.DAVE_KEY_PACKAGE
    assert call.bot.patience == 0, "the call is plain until the transition"
    assert isinstance(offer.data, bytes)
    call.bot.joined([str(MEMBER)])
    (ready,) = call.add_member(transition=3)
    assert ready.data == {"transition_id": 3}
    call.bot.receive(22, {"transition_id": 3})
    assert call.hears(call.bot.encrypt(FRAME)) == FRAME


def test_later_epoch_needs_no_new_group(call: _Call) -> None:
    call.start()
    assert call.bot.receive(24, {"epoch": 5, "protocol_version": 1}) == ()


def test_sound_waits_longer_for_a_key_when_others_would_miss_it(call: _Call) -> None:
    call.bot.start(1, SSRC)
    alone = call.bot.patience
    call.bot.joined([str(MEMBER)])
    in_company = call.bot.patience
    assert 0 < alone < in_company
    call.introduce()
    call.add_member(transition=0)
    assert call.bot.patience == 0


def test_transition_that_was_never_prepared_changes_nothing(call: _Call) -> None:
    call.start()
    assert call.bot.receive(22, {"transition_id": 99}) == ()
    assert call.bot.encrypt(FRAME) == FRAME
