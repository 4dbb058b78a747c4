"""The voice server's end-to-end encrypted calls are real: a member's client opens what is sent."""

import pytest

from tests.simulator.voice import LISTENER, CallRules, VoiceServer
from tests.simulator.voice.dave_client import DaveClient
from tests.simulator.voice.minimal_client import GUILD, MinimalClient, admit, tone_frames
from tests.simulator.voice.transport import AES_GCM, SILENCE, XCHACHA

OTHER_MEMBER = 77


@pytest.mark.parametrize("bot_commits", [True, False])
@pytest.mark.parametrize("first_transition", [0, 5])
async def test_encrypted_tone_is_heard_whoever_makes_the_group(
    *, bot_commits: bool, first_transition: int
) -> None:
    rules = CallRules(bot_commits=bot_commits, first_transition=first_transition)
    async with VoiceServer(rules=rules) as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            description = await client.join(XCHACHA)
            assert description["dave_protocol_version"] == 1
            await client.until_executed(first_transition)
            client.play([*tone_frames(440, 10), *[SILENCE] * 5])
            ear = voice.ear(GUILD)
            await ear.hears(440, since=0)
            await ear.packets(15)
            assert ear.violations == []


async def test_unencrypted_frames_in_an_encrypted_call_are_reported_and_not_heard() -> None:
    async with VoiceServer() as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            await client.join(AES_GCM)
            await client.until_executed(0)
            frames = tone_frames(440, 40)
            client.play([next(frames) for _ in range(10)])
            client.encrypts = False
            client.play([next(frames) for _ in range(10)])
            client.encrypts = True
            client.play(frames)
            ear = voice.ear(GUILD)
            await ear.packets(30)
            assert len(ear.violations) == 10
            assert "not end-to-end encrypted" in ear.violations[0]
            assert ear.gaps().lost == 10


async def test_counting_ear_checks_a_sample_of_the_encryption() -> None:
    async with VoiceServer(decode=False) as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            await client.join(AES_GCM)
            await client.until_executed(0)
            frames = tone_frames(440, 120)
            client.play([next(frames) for _ in range(60)])
            ear = voice.ear(GUILD)
            await ear.packets(60)
            assert ear.violations == []
            client.encrypts = False
            client.play(frames)
            await ear.packets(119)
            assert len(ear.violations) == 1


async def test_frames_before_the_group_exists_are_reported() -> None:
    async with VoiceServer() as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            await client.join(AES_GCM)
            client.play(tone_frames(440, 3))
            await client.until_executed(0)
            client.play(tone_frames(440, 5))
            ear = voice.ear(GUILD)
            await ear.packets(5)
            assert len(ear.violations) == 3


async def test_frames_of_another_key_are_reported_and_not_heard() -> None:
    async with VoiceServer() as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            await client.join(AES_GCM)
            await client.until_executed(0)
            client.encryptor.set_key_ratchet(client.session.get_key_ratchet(str(LISTENER)))
            client.play(tone_frames(440, 3))
            client.play([SILENCE])
            client.encryptor.set_key_ratchet(client.session.get_key_ratchet("33"))
            client.play(tone_frames(440, 1))
            ear = voice.ear(GUILD)
            await ear.packets(1)
            assert len([line for line in ear.violations if "can open" in line]) >= 3


async def test_client_without_encryption_gets_a_plain_call_unless_it_is_refused() -> None:
    async with VoiceServer() as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            assert (await client.join(AES_GCM))["dave_protocol_version"] == 0
            client.play(tone_frames(440, 5))
            await voice.ear(GUILD).hears(440, since=0)


@pytest.mark.parametrize("bot_commits", [True, False])
async def test_members_who_come_and_go_change_the_key_and_the_sound_goes_on(
    *, bot_commits: bool
) -> None:
    async with VoiceServer(rules=CallRules(bot_commits=bot_commits)) as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            await client.join(AES_GCM)
            await client.until_executed(0)
            frames = tone_frames(440, 60)
            client.play([next(frames) for _ in range(20)])
            await voice.call(GUILD).join(OTHER_MEMBER)
            await client.until_executed(1)
            assert str(OTHER_MEMBER) in client.present
            client.play([next(frames) for _ in range(20)])
            await voice.call(GUILD).leave(OTHER_MEMBER)
            await client.until_executed(2)
            assert str(OTHER_MEMBER) not in client.present
            client.play(frames)
            ear = voice.ear(GUILD)
            await ear.packets(60)
            await ear.hears(440, since=0, frames=58)
            assert ear.violations == []


async def test_member_who_leaves_last_resets_the_group_and_can_come_back() -> None:
    async with VoiceServer() as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            await client.join(AES_GCM)
            await client.until_epoch(1)
            await voice.call(GUILD).leave(LISTENER)
            client.executed.clear()
            await client.until_executed(0)
            await voice.call(GUILD).join(LISTENER)
            await client.until_epoch(2)
            client.play(tone_frames(440, 5))
            await voice.ear(GUILD).hears(440, since=0)
            assert voice.ear(GUILD).violations == []


async def test_downgrade_and_upgrade_are_heard_without_a_hole() -> None:
    async with VoiceServer(rules=CallRules(first_transition=9)) as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            await client.join(AES_GCM)
            await client.until_executed(9)
            frames = tone_frames(440, 60)
            client.play([next(frames) for _ in range(20)])
            await voice.call(GUILD).downgrade()
            await client.until_executed(10)
            assert client.executed == [9, 10]
            assert not client.encryptor.has_key_ratchet()
            client.play([next(frames) for _ in range(20)])
            client.executed.clear()
            await voice.call(GUILD).upgrade()
            await client.until_executed(9)
            assert client.encryptor.has_key_ratchet()
            client.play(frames)
            ear = voice.ear(GUILD)
            await ear.packets(60)
            await ear.hears(440, since=0, frames=58)
            assert ear.violations == []


@pytest.mark.parametrize("others", [[], [OTHER_MEMBER]])
async def test_client_that_identifies_anew_joins_the_group_again(others: list[int]) -> None:
    async with VoiceServer() as voice:
        admit(voice)
        async with DaveClient(voice) as first, DaveClient(voice) as second:
            await first.join(AES_GCM)
            await first.until_epoch(1)
            for other in others:
                await voice.call(GUILD).join(other)
                await first.until_epoch(2)
            voice.faults.close(GUILD, 4006)
            assert await first.closed() == 4006
            await second.join(AES_GCM)
            await second.until_epoch(1)
            while others and not second.executed:
                await second.follow()
            second.play(tone_frames(440, 10))
            await voice.ear(GUILD).hears(440, since=0)
            assert voice.ear(GUILD).violations == []


async def test_resumed_client_gets_missed_group_messages_and_is_heard() -> None:
    async with VoiceServer(rules=CallRules(bot_commits=False)) as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            await client.join(AES_GCM)
            await client.until_epoch(1)
            voice.faults.cut(GUILD)
            await client.closed()
            await voice.call(GUILD).join(OTHER_MEMBER)
            await client.connect()
            await client.resume()
            await client.until_executed(1)
            assert client.epochs == 2
            client.play(tone_frames(440, 10))
            await voice.ear(GUILD).hears(440, since=0)
            assert voice.ear(GUILD).violations == []


async def test_client_that_reports_an_invalid_commit_is_added_again() -> None:
    async with VoiceServer() as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            await client.join(AES_GCM)
            await client.until_epoch(1)
            await client.send(31, {"transition_id": 0})
            await client.begin_group()
            await client.until_epoch(2)
            client.play(tone_frames(440, 10))
            await voice.ear(GUILD).hears(440, since=0)
            assert voice.ear(GUILD).violations == []


async def test_commit_that_leaves_out_a_proposal_is_not_announced() -> None:
    async with VoiceServer() as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            await client.join(AES_GCM)
            await client.until_epoch(1)
            await voice.call(GUILD).join(OTHER_MEMBER)
            await voice.call(GUILD).join(OTHER_MEMBER + 1)
            await client.until_executed(1)
            events = [event.what for event in voice.log(GUILD).events]
            assert "dave commit of 33 not used: it leaves out proposals" in events
            client.play(tone_frames(440, 10))
            await voice.ear(GUILD).hears(440, since=0)
            assert voice.log(GUILD).count("dave epoch") == 2


async def test_commit_of_an_unknown_proposal_is_not_announced() -> None:
    async with VoiceServer() as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            await client.join(AES_GCM)
            await client.until_epoch(1)
            await voice.call(GUILD).join(OTHER_MEMBER)
            while await client.follow() != 27:
                pass
            commit = client.session.process_proposals(b"\1\0", client.present)
            assert commit is not None
            await client.send_binary(28, commit)
            await voice.log(GUILD).happens("dave commit of 33 not used")
            assert voice.log(GUILD).count("dave epoch") == 2


@pytest.mark.parametrize(
    ("op", "payload"), [(26, b"junk"), (28, b""), (26, b"\0\1\0\2" + bytes(9))]
)
async def test_malformed_group_message_is_closed_with_4020(op: int, payload: bytes) -> None:
    async with VoiceServer() as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            await client.join(AES_GCM)
            await client.send_binary(op, payload)
            assert await client.closed() == 4020
            assert "malformed" in voice.ear(GUILD).violations[0]


async def test_key_package_with_a_forged_signature_is_closed_with_4020() -> None:
    async with VoiceServer() as voice:
        admit(voice)
        async with DaveClient(voice) as client:
            await client.join(AES_GCM)
            package = client.session.get_marshalled_key_package()
            assert package is not None
            forged = package.replace(package[10:20], package[10:19] + bytes([package[19] ^ 1]))
            await client.send_binary(26, forged)
            assert await client.closed() == 4020
            assert "signature" in voice.ear(GUILD).violations[0]
