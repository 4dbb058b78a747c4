"""Sound stays heard, end to end encrypted, while members of the call come and go."""

import pytest

from tests.node.voice_caller import GUILD, admit, caller
from tests.simulator.voice import LISTENER, CallRules, VoiceServer

OTHER_MEMBER = 77


@pytest.mark.parametrize(
    "rules",
    [
        CallRules(bot_commits=False, first_transition=0),
        CallRules(bot_commits=False, first_transition=7),
        CallRules(bot_commits=True, first_transition=7),
    ],
)
async def test_tone_is_heard_whoever_makes_the_group(rules: CallRules) -> None:
    async with VoiceServer(rules=rules) as server:
        ear = admit(server)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440, frames=5)
            assert ear.violations == []


@pytest.mark.parametrize("bot_commits", [True, False])
async def test_members_who_come_and_go_are_not_noticed_in_the_sound(*, bot_commits: bool) -> None:
    async with VoiceServer(rules=CallRules(bot_commits=bot_commits)) as server:
        ear, log, call = admit(server), server.log(GUILD), server.call(GUILD)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            await call.join(OTHER_MEMBER)
            await log.happens("dave executed 1")
            await ear.hears(440)
            await call.leave(OTHER_MEMBER)
            await log.happens("dave executed 2")
            await ear.hears(440, frames=10)
            assert ear.gaps().lost == 0
            assert ear.gaps().timestamp_errors == ()
            assert ear.violations == []


async def test_member_who_comes_back_to_a_lonely_bot_hears_it() -> None:
    async with VoiceServer() as server:
        ear, log, call = admit(server), server.log(GUILD), server.call(GUILD)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            await call.leave(LISTENER)
            await log.happens("dave group reset")
            await call.join(LISTENER)
            await log.happens("dave epoch 1", times=2)
            await ear.hears(440)
            assert ear.violations == []


async def test_downgrade_and_upgrade_are_not_noticed_in_the_sound() -> None:
    async with VoiceServer(rules=CallRules(first_transition=9)) as server:
        ear, log, call = admit(server), server.log(GUILD), server.call(GUILD)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            await call.downgrade()
            await log.happens("dave executed 10")
            await ear.hears(440)
            await call.upgrade()
            await log.happens("dave executed 9", times=2)
            await ear.hears(440, frames=10)
            assert ear.gaps().lost == 0
            assert ear.gaps().timestamp_errors == ()
            assert ear.violations == []


async def test_group_messages_missed_while_the_websocket_was_down_are_made_up_for() -> None:
    async with VoiceServer(rules=CallRules(bot_commits=False)) as server:
        ear, log, call = admit(server), server.log(GUILD), server.call(GUILD)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            await server.faults.refuse_connections()
            server.faults.cut(GUILD)
            await log.happens("gone 1006")
            await call.join(OTHER_MEMBER)
            await server.faults.accept_connections()
            await log.happens("dave executed 1")
            await ear.hears(440, frames=10)
            assert ear.violations == []


async def test_call_that_needs_encryption_takes_us() -> None:
    async with VoiceServer(refuse_without_dave=True) as server:
        ear = admit(server)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            assert bot.closings == []
