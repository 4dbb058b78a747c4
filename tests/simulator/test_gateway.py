"""The gateway refuses, replays and filters as Discord's does (gateway v10)."""

from typing import Any

import pytest

from tests.simulator.application import PRIVILEGED
from tests.simulator.conftest import Club
from tests.simulator.raw_bot import RawGateway

MESSAGE_CONTENT = 1 << 15
GUILDS, GUILD_MESSAGES = 1, 1 << 9


async def test_first_frame_is_hello_with_every_key(club: Club) -> None:
    async with club.bot.connect() as gateway:
        frame = await gateway.frame()
    assert frame["op"] == 10
    assert frame["d"]["heartbeat_interval"] == 41250
    assert frame["s"] is None
    assert frame["t"] is None


async def test_heartbeat_before_identify_is_acknowledged(club: Club) -> None:
    async with club.bot.connect() as gateway:
        await gateway.send(1, None)
        await gateway.op(10)
        assert await gateway.frame() == {"op": 11, "d": None, "s": None, "t": None}


async def test_identify_brings_ready_and_the_guilds(club: Club) -> None:
    async with club.bot.connect() as gateway:
        await gateway.identify()
        ready = await gateway.event("READY")
        guild = await gateway.event("GUILD_CREATE")
    assert ready["guilds"] == [{"id": str(club.guild.id), "unavailable": True}]
    assert ready["application"]["id"] == str(club.discord.bot.id)
    assert guild["name"] == "Music Club"
    assert {channel["name"] for channel in guild["channels"]} == {"general", "Lounge"}
    assert guild["member_count"] == 3


async def test_zlib_stream_is_one_context_for_the_connection(club: Club) -> None:
    async with club.bot.connect("?v=10&encoding=json&compress=zlib-stream") as gateway:
        await gateway.identify()
        await gateway.event("READY")
        assert (await gateway.event("GUILD_CREATE"))["id"] == str(club.guild.id)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"token": "wrong"}, 4004),
        ({"intents": 1 << 30}, 4013),
        ({"intents": None}, 4013),
        ({"shard": [2, 2]}, 4010),
        ({"shard": [0]}, 4010),
        ({"properties": None}, 4002),
    ],
)
async def test_wrong_identify_is_closed(club: Club, changes: dict[str, Any], code: int) -> None:
    async with club.bot.connect() as gateway:
        await gateway.identify(**changes)
        assert await gateway.closed() == code


async def test_intent_that_the_portal_denies_is_closed_4014(club: Club) -> None:
    club.discord.application.privileged_intents = PRIVILEGED & ~MESSAGE_CONTENT
    async with club.bot.connect() as gateway:
        await gateway.identify()
        assert await gateway.closed() == 4014


async def test_wrong_version_is_closed_4012(club: Club) -> None:
    async with club.bot.connect("?v=5&encoding=json") as gateway:
        assert await gateway.closed() == 4012


async def test_payload_before_identify_is_closed_4003(club: Club) -> None:
    async with club.bot.connect() as gateway:
        await gateway.send(4, {"guild_id": "1"})
        assert await gateway.closed() == 4003


async def test_second_identify_is_closed_4005(gateway: RawGateway) -> None:
    await gateway.identify()
    assert await gateway.closed() == 4005


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", 4002), ("[]", 4002), ('{"op":99,"d":{}}', 4001), ('{"op":3,"d":null}', 4002)],
)
async def test_nonsense_is_closed(gateway: RawGateway, text: str, code: int) -> None:
    await gateway.send_text(text)
    assert await gateway.closed() == code


async def test_payload_over_4096_bytes_is_closed_4002(gateway: RawGateway) -> None:
    await gateway.send(3, {"status": "online", "activities": [], "padding": "x" * 4096})
    assert await gateway.closed() == 4002


async def test_121st_payload_in_a_minute_is_closed_4008(gateway: RawGateway) -> None:
    for _ in range(120):
        await gateway.send(1, 1)
    assert await gateway.closed() == 4008


async def test_missed_heartbeats_are_closed_and_the_session_kept(club: Club) -> None:
    club.discord.gateway.heartbeat_interval = 0.05
    async with club.bot.connect() as gateway:
        await gateway.identify()
        await gateway.event("READY")
        assert await gateway.closed() == 4009
    club.discord.gateway.heartbeat_interval = 40
    async with club.bot.connect() as again:
        await again.resume(gateway.session_id, gateway.sequence)
        await again.event("RESUMED")


async def test_identify_too_soon_is_an_invalid_session(club: Club) -> None:
    club.discord.gateway.identify_every = 5
    async with club.bot.connect() as first, club.bot.connect() as second:
        await first.identify()
        await first.event("READY")
        await second.identify()
        assert await second.op(9) is False
        club.discord.clock.skip(5)
        await second.identify()
        await second.event("READY")


# ── resuming ────────────────────────────────────────────────────────────────


async def test_resume_replays_what_was_missed_in_order(club: Club, gateway: RawGateway) -> None:
    club.discord.faults.drop_gateway()
    await gateway.closed()
    first = await club.ada.say(club.general, "one")
    second = await club.ada.say(club.general, "two")
    async with club.bot.connect() as again:
        await again.resume(gateway.session_id, gateway.sequence)
        assert (await again.event("MESSAGE_CREATE"))["id"] == str(first.id)
        assert (await again.event("MESSAGE_CREATE"))["id"] == str(second.id)
        assert isinstance(await again.event("RESUMED"), dict)


async def test_resume_from_the_future_is_closed_4007(club: Club, gateway: RawGateway) -> None:
    await gateway.close(4000)
    async with club.bot.connect() as again:
        await again.resume(gateway.session_id, 10_000)
        assert await again.closed() == 4007


@pytest.mark.parametrize("code", [1000, 1001])
async def test_session_that_the_bot_ended_cannot_be_resumed(
    club: Club, gateway: RawGateway, code: int
) -> None:
    await gateway.close(code)
    await club.discord.gateway.news.until(
        lambda: not club.discord.gateway.sessions or None, within=3
    )
    async with club.bot.connect() as again:
        await again.resume(gateway.session_id, gateway.sequence)
        assert await again.op(9) is False


async def test_server_close_keeps_the_session(club: Club, gateway: RawGateway) -> None:
    club.discord.faults.close_gateway(4000)
    assert await gateway.closed() == 4000
    async with club.bot.connect() as again:
        await again.resume(gateway.session_id, gateway.sequence)
        await again.event("RESUMED")


async def test_op_7_and_op_9_come_on_demand(club: Club, gateway: RawGateway) -> None:
    club.discord.faults.ask_to_reconnect()
    await gateway.op(7)
    club.discord.faults.invalidate_session(resumable=True)
    assert await gateway.op(9) is True
    club.discord.faults.invalidate_session()
    assert await gateway.op(9) is False
    await gateway.identify()
    await gateway.event("READY")


# ── who hears what ──────────────────────────────────────────────────────────


async def test_events_without_their_intent_are_not_sent(club: Club) -> None:
    async with club.bot.connect() as gateway:
        await gateway.identify(intents=GUILDS)
        await gateway.event("GUILD_CREATE")
        await club.ada.say(club.general, "unheard")
        await club.ada.join(club.lounge)
        club.guild.add_text_channel("heard")
        assert (await gateway.frame())["t"] == "CHANNEL_CREATE"


async def test_content_is_hidden_without_its_intent(club: Club) -> None:
    async with club.bot.connect() as gateway:
        await gateway.identify(intents=GUILDS | GUILD_MESSAGES)
        await gateway.event("GUILD_CREATE")
        await club.ada.say(club.general, "secret")
        await club.ada.say(club.general, f"{club.discord.bot.mention} hello")
        assert (await gateway.event("MESSAGE_CREATE"))["content"] == ""
        assert "hello" in (await gateway.event("MESSAGE_CREATE"))["content"]


async def test_guilds_belong_to_one_shard_each(club: Club) -> None:
    guilds = [club.guild, *(club.discord.add_guild(f"Guild {n}") for n in range(3))]
    seen: list[set[str]] = []
    for number in range(2):
        async with club.bot.connect() as gateway:
            await gateway.identify(shard=[number, 2])
            ready = await gateway.event("READY")
            seen.append({guild["id"] for guild in ready["guilds"]})
    assert seen[0] & seen[1] == set()
    assert seen[0] | seen[1] == {str(guild.id) for guild in guilds}
    assert all(seen)


async def test_members_come_in_chunks_with_the_nonce(club: Club, gateway: RawGateway) -> None:
    for number in range(1500):
        club.guild.add_member(f"Member {number}")
    query = {"guild_id": club.guild.id, "query": "", "limit": 0, "nonce": "n1"}
    await gateway.send(8, query)
    first = await gateway.event("GUILD_MEMBERS_CHUNK")
    second = await gateway.event("GUILD_MEMBERS_CHUNK")
    assert (len(first["members"]), len(second["members"])) == (1000, 503)
    assert (first["chunk_index"], second["chunk_index"], second["chunk_count"]) == (0, 1, 2)
    assert first["nonce"] == "n1"
    await gateway.send(8, query)
    assert (await gateway.event("RATE_LIMITED"))["opcode"] == 8


async def test_members_by_id_name_those_that_are_not_found(club: Club, gateway: RawGateway) -> None:
    await gateway.send(8, {"guild_id": str(club.guild.id), "user_ids": [club.ada.id, 5]})
    chunk = await gateway.event("GUILD_MEMBERS_CHUNK")
    assert [member["user"]["id"] for member in chunk["members"]] == [str(club.ada.id)]
    assert chunk["not_found"] == ["5"]


async def test_outage_and_return_of_a_guild(club: Club, gateway: RawGateway) -> None:
    club.guild.goes_down()
    assert (await gateway.event("GUILD_DELETE"))["unavailable"] is True
    club.guild.goes_down(unavailable=False)
    assert (await gateway.event("GUILD_CREATE"))["id"] == str(club.guild.id)
    club.guild.remove_bot()
    assert "unavailable" not in await gateway.event("GUILD_DELETE")


async def test_presence_is_seen(club: Club, gateway: RawGateway) -> None:
    activity = {"type": 2, "name": "music"}
    await gateway.send(3, {"activities": [activity], "status": "online", "since": 0, "afk": False})
    await club.discord.gateway.news.until(
        lambda: club.discord.presence is not None or None, within=3
    )
    assert club.discord.presence["activities"] == [activity]


async def test_gateway_bot_tells_shards_and_remaining_starts(
    club: Club, gateway: RawGateway
) -> None:
    club.discord.application.shards = 4
    reply = await club.bot.ask("GET", "/gateway/bot")
    assert reply.body["shards"] == 4
    assert reply.body["session_start_limit"]["remaining"] == 999
    assert reply.body["url"].startswith("ws://127.0.0.1:")
