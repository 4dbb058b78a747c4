"""A guild's sound survives what voice servers do, and stops where Discord means it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.node.voice import VoiceFailed
from tests.node.voice_caller import CHANNEL, GUILD, admit, caller
from tests.simulator.voice import VoiceServer


# ── the plain way ───────────────────────────────────────────────────────────
@pytest.mark.parametrize("aes_gcm", [True, False])
@pytest.mark.parametrize("dave_version", [0, 1])
async def test_tone_is_heard_in_every_encryption(*, aes_gcm: bool, dave_version: int) -> None:
    async with VoiceServer(aes_gcm=aes_gcm, dave_version=dave_version) as server:
        ear = admit(server)
        async with caller(server) as bot:
            await bot.connect(server)
            assert bot.connection.connected
            await ear.hears(440, frames=20)
            assert ear.gaps().lost == 0
            assert ear.gaps().timestamp_errors == ()
            assert ear.violations == []


async def test_first_heartbeat_tells_the_ping() -> None:
    async with VoiceServer(dave_version=0, heartbeat_interval=0.05) as server:
        admit(server)
        async with caller(server) as bot:
            assert bot.connection.ping_ms == -1
            await bot.connect(server)
            await server.log(GUILD).happens("heartbeat", times=3)
            assert bot.connection.ping_ms >= 0


async def test_pause_closes_the_talk_spurt_and_resume_opens_another() -> None:
    async with VoiceServer(dave_version=0) as server:
        ear, log = admit(server), server.log(GUILD)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            bot.frames.paused = True
            await log.happens("speaking 0")
            await ear.silence()
            assert ear.silence_frames() == 5
            taken = bot.frames.taken
            bot.frames.paused = False
            await ear.hears(440)
            assert [event.what for event in log.events if "speaking" in event.what] == [
                "speaking 1",
                "speaking 0",
                "speaking 1",
            ]
            assert bot.frames.taken > taken
            assert ear.gaps().lost == 0
            assert ear.violations == []


async def test_close_ends_the_sound_as_discord_wants_it() -> None:
    async with VoiceServer(dave_version=1) as server:
        ear, log = admit(server), server.log(GUILD)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            await bot.connection.close()
            await log.happens("gone 1000")
            await log.happens("speaking 0")
            await ear.silence()
            assert ear.silence_frames() == 5
            assert bot.closings == []
            assert not bot.connection.connected


async def test_same_voice_update_again_changes_nothing() -> None:
    async with VoiceServer(dave_version=0) as server:
        ear = admit(server)
        async with caller(server) as bot:
            await bot.connect(server)
            await bot.connect(server)
            await ear.hears(440)
            assert server.log(GUILD).count("identify") == 1


# ── lost connections that heal ──────────────────────────────────────────────
@pytest.mark.parametrize("dave_version", [0, 1])
@pytest.mark.parametrize("code", [4006, 4009, 4015, 1001, 4000, 1006])
async def test_sound_goes_on_after_a_close_that_can_be_healed(code: int, dave_version: int) -> None:
    async with VoiceServer(dave_version=dave_version) as server:
        ear, log = admit(server), server.log(GUILD)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            if code == 1006:
                server.faults.cut(GUILD)
            else:
                server.faults.close(GUILD, code)
            resumable = code in {1001, 4015, 1006}
            await log.happens("resumed" if resumable else "identify", times=1 + (not resumable))
            await ear.hears(440, frames=10)
            assert bot.closings == []
            assert bot.connection.connected
            assert ear.gaps().restarts == 0
            assert ear.gaps().timestamp_errors == ()
            assert ear.violations == []


async def test_resume_is_not_heard_at_all() -> None:
    async with VoiceServer(dave_version=1) as server:
        ear, log = admit(server), server.log(GUILD)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            server.faults.cut(GUILD)
            await log.happens("resumed")
            await ear.hears(440, frames=10)
            await bot.connection.close()
            await ear.silence()
            sent = len(ear.timeline()) - ear.silence_frames()
            assert ear.gaps().lost == 0
            assert sent == bot.frames.taken


async def test_lost_discovery_packets_are_sent_again() -> None:
    async with VoiceServer(dave_version=0) as server:
        ear = admit(server)
        server.faults.drop_discovery(2)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            assert server.log(GUILD).count("identify") == 1


async def test_heartbeats_without_answer_lead_to_a_resume() -> None:
    async with VoiceServer(dave_version=0, heartbeat_interval=0.1) as server:
        ear, log = admit(server), server.log(GUILD)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            server.faults.leave_heartbeats_unanswered()
            await log.happens("resumed")
            server.faults.leave_heartbeats_unanswered(unanswered=False)
            await ear.hears(440, frames=10)
            assert ear.gaps().lost == 0
            assert bot.closings == []


async def test_server_that_refuses_connections_for_a_moment_is_won_back() -> None:
    async with VoiceServer(dave_version=0) as server:
        ear, log = admit(server), server.log(GUILD)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            await server.faults.refuse_connections()
            server.faults.cut(GUILD)
            await log.happens("gone 1006")
            await server.faults.accept_connections()
            await log.happens("resumed")
            await ear.hears(440)
            assert bot.closings == []


async def test_update_while_the_connection_heals_waits_for_it() -> None:
    async with VoiceServer(dave_version=0) as server:
        admit(server)
        async with caller(server) as bot:
            await bot.connect(server)
            await server.faults.close(GUILD, 4006)
            await server.log(GUILD).happens("gone 4006")
            await bot.connect(server)
            assert bot.connection.connected
            assert server.log(GUILD).count("identify") == 2


# ── lost connections that do not heal ───────────────────────────────────────
@pytest.mark.parametrize("code", [4014, 4022, 4021, 1000, 4004, 4011, 4017])
async def test_close_that_is_meant_is_told_once_and_sound_stands_still(code: int) -> None:
    async with VoiceServer(dave_version=0) as server:
        ear = admit(server)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            server.expel(GUILD, code)
            told = await bot.end()
            assert (told[0], told[2]) == (code, True)
            assert not bot.connection.connected
            taken = bot.frames.taken
            await ear.silence()
            assert bot.frames.taken == taken
            admit(server)
            await bot.connect(server)
            await ear.hears(440)
            assert len(bot.closings) == 1
            assert bot.frames.taken > taken


async def test_session_that_stays_refused_is_told_after_some_attempts() -> None:
    async with VoiceServer(dave_version=0) as server:
        ear = admit(server)
        async with caller(server) as bot:
            await bot.connect(server)
            await ear.hears(440)
            server.expel(GUILD, 4006)
            assert (await bot.end())[0] == 4006
            assert len(bot.closings) == 1


@pytest.mark.parametrize(
    ("wrong", "code"), [({"token": "wrong"}, 4004), ({"session_id": "wrong"}, 4006)]
)
async def test_update_with_wrong_credentials_fails_with_the_close_code(
    wrong: dict[str, str], code: int
) -> None:
    async with VoiceServer(dave_version=0) as server:
        admit(server)
        async with caller(server) as bot:
            values = {"token": "t", "session_id": "s"} | wrong
            with pytest.raises(VoiceFailed) as failed:
                await bot.connection.update(**values, endpoint=server.endpoint, channel_id=CHANNEL)
            assert failed.value.code == code
            assert [told[0] for told in bot.closings] == [code]
            await bot.connect(server)
            await server.ear(GUILD).hears(440)


async def test_update_towards_a_closed_port_fails_with_a_sentence() -> None:
    async with VoiceServer(dave_version=0) as server:
        admit(server)
        await server.faults.refuse_connections()
        async with caller(server) as bot:
            with pytest.raises(VoiceFailed, match="cannot be reached") as failed:
                await bot.connect(server)
            assert failed.value.code == 1006
            assert bot.closings == []
            await server.faults.accept_connections()
            await bot.connect(server)
            await server.ear(GUILD).hears(440)


async def test_update_towards_an_untrusted_server_fails_at_once() -> None:
    async with VoiceServer(dave_version=0) as trusted, VoiceServer(dave_version=0) as foreign:
        admit(foreign)
        async with caller(trusted) as bot:
            with pytest.raises(VoiceFailed, match="TLS"):
                await bot.connect(foreign)


async def test_failure_never_names_the_token() -> None:
    async with VoiceServer(dave_version=0) as server:
        admit(server)
        async with caller(server) as bot:
            with pytest.raises(VoiceFailed) as failed:
                await bot.connect(server, token="very-secret")
            assert "very-secret" not in repr(failed.value)


# ── moves ───────────────────────────────────────────────────────────────────
@asynccontextmanager
async def two_servers(dave_version: int) -> AsyncIterator[tuple[VoiceServer, VoiceServer]]:
    async with (
        VoiceServer(dave_version=dave_version) as old,
        VoiceServer(dave_version=dave_version, ca=old.ca, ears=old.ears) as new,
    ):
        yield old, new


@pytest.mark.parametrize("dave_version", [0, 1])
async def test_move_to_another_server_loses_no_frame(dave_version: int) -> None:
    async with two_servers(dave_version) as (old, new):
        ear = admit(old)
        async with caller(old) as bot:
            await bot.connect(old)
            await ear.hears(440)
            old.faults.move(GUILD, new, token="t2")
            await bot.connect(new, token="t2")
            await old.log(GUILD).happens("gone 1000")
            await ear.hears(440, frames=10)
            await bot.connection.close()
            await ear.silence()
            assert ear.gaps().lost == 0
            assert ear.gaps().timestamp_errors == ()
            assert len(ear.timeline()) - ear.silence_frames() == bot.frames.taken
            assert bot.closings == []
            assert ear.violations == []


@pytest.mark.parametrize("code", [4014, 4022])
async def test_old_server_that_closes_during_a_move_is_not_told(code: int) -> None:
    async with two_servers(0) as (old, new):
        ear = admit(old)
        new.faults.delay_ready(0.2)
        async with caller(old) as bot:
            await bot.connect(old)
            await ear.hears(440)
            old.faults.move(GUILD, new, token="t2")
            moving = asyncio.create_task(bot.connect(new, token="t2"))
            await new.log(GUILD).happens("identify")
            old.expel(GUILD, code)
            await moving
            await ear.hears(440)
            assert bot.closings == []


async def test_move_that_fails_leaves_the_old_connection_sending() -> None:
    async with two_servers(0) as (old, new):
        ear = admit(old)
        admit(new, token="other")
        async with caller(old) as bot:
            await bot.connect(old)
            await ear.hears(440)
            with pytest.raises(VoiceFailed):
                await bot.connect(new, token="t2")
            await ear.hears(440)
            assert bot.connection.connected
            assert bot.closings == []
            assert old.log(GUILD).count("gone") == 0


async def test_newer_update_takes_the_place_of_one_under_way() -> None:
    async with two_servers(0) as (slow, fast):
        ear = admit(slow)
        admit(fast, token="t2")
        slow.faults.delay_ready(30)
        async with caller(slow) as bot:
            first = asyncio.create_task(bot.connect(slow))
            await slow.log(GUILD).happens("identify")
            await bot.connect(fast, token="t2")
            await first
            await slow.log(GUILD).happens("gone 1000")
            await ear.hears(440)
            assert bot.closings == []


async def test_close_while_connecting_ends_everything() -> None:
    async with VoiceServer(dave_version=0) as server:
        admit(server)
        server.faults.delay_ready(30)
        async with caller(server) as bot:
            connecting = asyncio.create_task(bot.connect(server))
            await server.log(GUILD).happens("identify")
            await bot.connection.close()
            with pytest.raises(VoiceFailed):
                await connecting
            with pytest.raises(VoiceFailed):
                await bot.connect(server)
            assert bot.closings == []
