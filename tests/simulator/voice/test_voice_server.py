"""The voice server refuses what Discord refuses, and hears what is sent to it."""

import random
import time

import aiohttp
import pytest

from tests.simulator.voice import NotHeard, VoiceServer
from tests.simulator.voice.minimal_client import (
    GUILD,
    USER,
    MinimalClient,
    admit,
    opus_frames,
    tone_frames,
)
from tests.simulator.voice.transport import AES_GCM, SILENCE, XCHACHA


@pytest.mark.parametrize("mode", [AES_GCM, XCHACHA])
async def test_tone_through_each_cipher_is_heard_at_its_pitch(mode: str) -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            session = await client.join(mode)
            assert session["dave_protocol_version"] == 0
            client.play([*tone_frames(440, 20), *tone_frames(880, 20)])
            ear = voice.ear(GUILD)
            heard = await ear.hears(440, since=0)
            assert heard.hz == pytest.approx(440, abs=2)
            assert heard.level == pytest.approx(-9, abs=1)
            await ear.hears(880, since=0)
            await ear.packets(40)
            assert ear.gaps().lost == ear.gaps().duplicated == 0
            assert ear.gaps().timestamp_errors == ()
            assert ear.violations == []


async def test_modes_without_aes_offer_xchacha_alone() -> None:
    async with VoiceServer(dave_version=0, aes_gcm=False) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            assert (await client.ready())["modes"] == [XCHACHA]
            await client.send_select(AES_GCM)
            assert await client.closed() == 4016


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"token": "wrong"}, 4004),
        ({"session_id": "wrong"}, 4006),
        ({"user_id": "999"}, 4004),
        ({"server_id": "999"}, 4011),
        ({"server_id": 11}, 4002),
        ({"token": None}, 4002),
        ({"max_dave_protocol_version": 0}, 4017),
    ],
)
async def test_identify_with_wrong_data_is_closed_with_its_code(
    changed: dict[str, object], code: int
) -> None:
    async with VoiceServer(refuse_without_dave=True) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.identify(**{"max_dave_protocol_version": 1, **changed})
            assert await client.closed() == code


async def test_second_identify_is_closed_with_4005() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.ready()
            await client.identify()
            assert await client.closed() == 4005


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{no json", 4002),
        ('{"d": {}}', 4002),
        ('{"op": 99, "d": {}}', 4001),
        ('{"op": 2, "d": {}}', 4001),
        ('{"op": 5, "d": {"speaking": 1, "delay": 0, "ssrc": 1}}', 4003),
        ('{"op": 3, "d": 12345}', 4020),
    ],
)
async def test_broken_first_message_is_closed_with_its_code(text: str, code: int) -> None:
    async with VoiceServer() as voice, MinimalClient(voice) as client:
        await client.socket.send_str(text)
        assert await client.closed() == code


async def test_gateway_of_another_version_is_refused() -> None:
    async with VoiceServer() as voice:
        client = MinimalClient(voice)
        await client.connect("?v=4")
        assert await client.closed() == 4020
        await client.close()


async def test_protocol_other_than_udp_is_closed_with_4012() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.ready()
            await client.send_select(XCHACHA, protocol="webrtc")
            assert await client.closed() == 4012


async def test_speaking_with_a_foreign_ssrc_is_closed_with_4020() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.ready()
            client.ssrc += 1
            await client.speak()
            assert await client.closed() == 4020


async def test_certificate_of_a_foreign_authority_is_refused_by_clients() -> None:
    async with VoiceServer() as voice, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await http.ws_connect(f"wss://{voice.endpoint}/?v=8")


# ── UDP ─────────────────────────────────────────────────────────────────────


async def test_discovery_tells_the_own_address_also_after_lost_requests() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        voice.faults.drop_discovery(1)
        async with MinimalClient(voice) as client:
            await client.ready()
            with pytest.raises(TimeoutError):
                await client.discover(within=0.1)
            host, port = await client.discover()
            assert (host, port) == ("127.0.0.1", client.udp_port)


async def test_sound_before_any_speaking_message_ends_the_connection_unheard() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.ready()
            await client.discover()
            await client.select(XCHACHA)
            client.play(tone_frames(440, 10))
            assert await client.closed() == 4020
            assert voice.ear(GUILD).timeline() == []
            assert "op 5" in voice.ear(GUILD).violations[0]


async def test_sound_that_overtakes_its_speaking_message_is_heard() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.ready()
            await client.select(XCHACHA)
            client.play(tone_frames(440, 10))
            await client.speak()
            await voice.ear(GUILD).hears(440, since=0)


async def test_sound_that_overtakes_the_message_of_a_new_talk_spurt_is_no_fault() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.join(AES_GCM)
            client.play(tone_frames(440, 5))
            await client.speak(0)
            ended = await voice.log(GUILD).happens("speaking 0")
            ear = voice.ear(GUILD)
            await ear.silence(seconds=ended.at + 0.3 - time.monotonic())
            client.play(tone_frames(880, 10))
            await client.speak()
            await ear.hears(880, since=ended.at)
            await voice.log(GUILD).happens("speaking 1", times=2)
            await ear.bell.until(lambda: ear.violations or None, time.monotonic() + 0.4)
            assert ear.violations == []


@pytest.mark.parametrize("mode", [AES_GCM, XCHACHA])
async def test_packet_with_a_wrong_tag_is_not_heard_and_reported(mode: str) -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.join(mode)
            good, bad, last = (client.seal(frame) for frame in tone_frames(440, 3))
            client.send_datagram(good)
            client.send_datagram(bad[:-6] + bytes([bad[-6] ^ 1]) + bad[-5:])
            client.send_datagram(last)
            ear = voice.ear(GUILD)
            await ear.first_packet(since=0)
            client.play(tone_frames(440, 5))
            await ear.hears(440, since=0)
            assert ear.gaps().lost == 1
            assert [line for line in ear.violations if "authentication tag" in line]


async def test_sound_after_the_end_was_announced_is_heard_but_reported() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.join(AES_GCM)
            frames = tone_frames(440, 20)
            client.play([next(frames) for _ in range(5)])
            await client.speak(0)
            ended = await voice.log(GUILD).happens("speaking 0")
            client.play([SILENCE] * 5)
            ear = voice.ear(GUILD)
            await ear.packets(10)
            assert ear.violations == []
            await ear.silence(seconds=ended.at + 0.3 - time.monotonic())
            client.play(frames)
            await ear.hears(440, since=ended.at)
            await ear.bell.until(lambda: ear.violations or None, time.monotonic() + 2)
            assert len(ear.violations) == 1
            assert "op 5" in ear.violations[0]


async def test_nonce_used_twice_is_reported() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.join(AES_GCM)
            frames = tone_frames(440, 10)
            client.play([next(frames), next(frames)])
            client.nonce = 1
            client.play(frames)
            await voice.ear(GUILD).packets(9)
            assert len(voice.ear(GUILD).violations) == 1
            assert "nonce" in voice.ear(GUILD).violations[0]


async def test_noise_has_a_level_but_no_pitch() -> None:
    dice = random.Random(1)
    noise = [[dice.randint(-12000, 12000) for _ in range(960)] for _ in range(20)]
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.join(AES_GCM)
            client.play(opus_frames(noise))
            ear = voice.ear(GUILD)
            assert await ear.loudness(seconds=0.3, since=0) > -20
            assert all(frame.hz is None for frame in ear.timeline())
            with pytest.raises(NotHeard, match="sound without a single pitch"):
                await ear.hears(440, within=0.05, since=0)


async def test_silence_frames_are_counted_and_end_the_sound() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.join(AES_GCM)
            client.play([*tone_frames(440, 10), *[SILENCE] * 5])
            ear = voice.ear(GUILD)
            await ear.silence(seconds=0.1)
            assert ear.silence_frames() == 5
            assert ear.timeline()[-1].silent


async def test_lost_packets_are_missing_in_the_gaps() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.join(AES_GCM)
            frames = tone_frames(440, 12)
            client.play([next(frames), next(frames)])
            await voice.ear(GUILD).packets(2)
            voice.faults.lose_packets(2)
            client.play(frames)
            await voice.ear(GUILD).packets(10)
            assert voice.ear(GUILD).gaps().lost == 2


async def test_counting_ear_times_packets_without_decoding_but_checks_a_sample() -> None:
    async with VoiceServer(dave_version=0, decode=False) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.join(AES_GCM)
            client.key = bytes(32)
            client.play(tone_frames(440, 1))
            client.play(tone_frames(440, 60))
            ear = voice.ear(GUILD)
            await ear.first_packet(since=0)
            await ear.silence(seconds=0.05)
            assert ear.gaps().packets > 50
            assert all(frame.level is None for frame in ear.timeline())
            assert [line for line in ear.violations if "authentication tag" in line]


# ── staying connected ───────────────────────────────────────────────────────


async def test_heartbeat_is_answered_with_its_time() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            assert client.hello["heartbeat_interval"] == 13750
            await client.ready()
            await client.send(3, {"t": 1234, "seq_ack": client.seq_ack})
            assert await client.receive(6) == {"t": 1234}
            await client.send(3, {"t": 1235, "seq_ack": 77})
            assert await client.closed() == 4020


async def test_heartbeats_are_swallowed_and_ready_comes_late_on_demand() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        voice.faults.leave_heartbeats_unanswered()
        voice.faults.delay_ready(0.2)
        async with MinimalClient(voice) as client:
            await client.identify()
            await client.send(3, {"t": 1, "seq_ack": -1})
            await voice.log(GUILD).happens("heartbeat")
            assert voice.log(GUILD).count("ready") == 0
            assert (await client.receive(2))["ssrc"]
            voice.faults.leave_heartbeats_unanswered(unanswered=False)
            await client.send(3, {"t": 2, "seq_ack": client.seq_ack})
            assert await client.receive(6) == {"t": 2}


async def test_sound_of_a_session_that_ended_is_stray() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.join(AES_GCM)
            voice.faults.close(GUILD, 4006)
            await client.closed()
            client.play(tone_frames(440, 3))
            await client.connect()
            await client.join(AES_GCM)
            client.play(tone_frames(440, 5))
            await voice.ear(GUILD).hears(440, since=0)
            assert voice.strays == 3
            assert voice.ear(GUILD).gaps().packets <= 5


async def test_missing_heartbeats_are_closed_with_4009_and_cannot_be_resumed() -> None:
    async with VoiceServer(dave_version=0, heartbeat_interval=0.1) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.ready()
            assert await client.closed() == 4009
            await client.connect()
            await client.resume()
            assert await client.closed() == 4006


async def test_resume_after_a_cut_replays_what_was_missed_and_the_sound_goes_on() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.join(AES_GCM)
            await voice.log(GUILD).happens("speaking 1")
            frames = list(tone_frames(440, 30))
            client.play(frames[:10])
            voice.faults.cut(GUILD)
            await client.closed()
            client.play(frames[10:20])
            await client.connect()
            await client.resume(seq_ack=1)
            assert await client.receive(9) is None
            missed = await client.receive(4)
            assert bytes(missed["secret_key"]) == client.key
            client.play(frames[20:])
            await voice.ear(GUILD).packets(30)
            await voice.ear(GUILD).hears(440, since=0, frames=28)
            await voice.log(GUILD).happens("resumed 4")


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"token": "wrong"}, 4004), ({"session_id": "x"}, 4006), ({"seq_ack": 99}, 4006)],
)
async def test_resume_with_wrong_data_is_closed_with_its_code(
    changed: dict[str, object], code: int
) -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.ready()
            voice.faults.cut(GUILD)
            await client.closed()
            await client.connect()
            await client.resume(**changed)
            assert await client.closed() == code


@pytest.mark.parametrize(("code", "resumes"), [(1001, True), (4015, True), (4006, False)])
async def test_close_code_decides_whether_a_session_can_be_resumed(
    code: int, *, resumes: bool
) -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.ready()
            voice.faults.close(GUILD, code)
            assert await client.closed() == code
            await client.connect()
            await client.resume()
            assert await client.receive_any() == ((9, None) if resumes else (-1, 4006))


async def test_expelled_client_may_not_come_back() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        async with MinimalClient(voice) as client:
            await client.ready()
            voice.expel(GUILD)
            assert await client.closed() == 4014
            await client.connect()
            await client.identify()
            assert await client.closed() == 4006


async def test_call_that_moves_to_another_server_is_heard_by_the_same_ear() -> None:
    async with VoiceServer(dave_version=0) as first:
        admit(first)
        async with VoiceServer(dave_version=0, ca=first.ca, ears=first.ears) as second:
            first_client, second_client = MinimalClient(first), MinimalClient(second)
            async with first_client, second_client:
                await first_client.join(AES_GCM)
                first_client.play(tone_frames(440, 10))
                await first.ear(GUILD).hears(440, since=0)
                first.faults.move(GUILD, second, token="new-token")
                await second_client.join(XCHACHA, token="new-token")
                second_client.sequence = first_client.sequence
                second_client.timestamp = first_client.timestamp
                second_client.play(tone_frames(880, 10))
                await second.ear(GUILD).hears(880, since=0)
                seam = first.ear(GUILD).seam(440, 880)
                assert (seam.silent_frames, seam.lost, seam.extra_timestamp) == (0, 0, 0)
                assert second.ear(GUILD) is first.ear(GUILD)


async def test_refused_connections_are_accepted_again_on_the_same_port() -> None:
    async with VoiceServer(dave_version=0) as voice:
        admit(voice)
        endpoint = voice.endpoint
        await voice.faults.refuse_connections()
        refused = MinimalClient(voice)
        with pytest.raises(aiohttp.ClientConnectorError):
            await refused.connect()
        await refused.close()
        await voice.faults.accept_connections()
        assert voice.endpoint == endpoint
        async with MinimalClient(voice) as client:
            await client.ready()


async def test_server_answers_a_hundred_calls() -> None:
    async with VoiceServer(dave_version=0, decode=False) as voice:
        clients = []
        for index in range(100):
            admit(voice, guild_id=GUILD + index)
            client = MinimalClient(voice)
            await client.connect()
            await client.join(AES_GCM, server_id=str(GUILD + index), user_id=str(USER))
            clients.append(client)
        frames = list(tone_frames(440, 10))
        for client in clients:
            client.play(frames)
        for index, client in enumerate(clients):
            ear = voice.ear(GUILD + index)
            await ear.silence(seconds=0.02)
            assert ear.gaps().packets == 10
            await client.close()
