"""Voice states and voice servers are told to the bot as on Discord."""

import asyncio
from typing import Any

import pytest

from tests.simulator import NotPossible, Permission, Simulator
from tests.simulator.conftest import Club
from tests.simulator.raw_bot import RawBot, RawGateway


async def join(club: Club, gateway: RawGateway, channel: Any = "lounge", **more: Any) -> None:
    target = club.lounge if channel == "lounge" else channel
    data = {"guild_id": club.guild.id, "channel_id": target and target.id, **more}
    await gateway.send(4, {"self_mute": False, "self_deaf": True, **data})


async def test_joining_brings_state_then_server(club: Club, gateway: RawGateway) -> None:
    await join(club, gateway)
    state = await gateway.frame()
    server = await gateway.frame()
    assert (state["t"], server["t"]) == ("VOICE_STATE_UPDATE", "VOICE_SERVER_UPDATE")
    assert state["d"]["user_id"] == str(club.discord.bot.id)
    assert state["d"]["self_deaf"] is True
    assert server["d"]["token"]
    assert club.lounge.members == [club.guild.me]


async def test_moving_keeps_the_session_and_changes_the_token(
    club: Club, gateway: RawGateway
) -> None:
    other = club.guild.add_voice_channel("Other")
    await join(club, gateway)
    before = await gateway.event("VOICE_STATE_UPDATE")
    token = (await gateway.event("VOICE_SERVER_UPDATE"))["token"]
    await club.guild.move_bot(other)
    after = await gateway.event("VOICE_STATE_UPDATE")
    assert after["session_id"] == before["session_id"]
    assert after["channel_id"] == str(other.id)
    assert (await gateway.event("VOICE_SERVER_UPDATE"))["token"] != token


async def test_muting_oneself_is_no_new_call(club: Club, gateway: RawGateway) -> None:
    await join(club, gateway)
    await gateway.event("VOICE_SERVER_UPDATE")
    await join(club, gateway, self_mute=True)
    assert (await gateway.event("VOICE_STATE_UPDATE"))["self_mute"] is True
    await gateway.send(1, 1)
    assert (await gateway.frame())["op"] == 11


@pytest.mark.parametrize("how", ["leave", "kick", "channel deleted"])
async def test_leaving_has_no_server_update(club: Club, gateway: RawGateway, how: str) -> None:
    await join(club, gateway)
    await gateway.event("VOICE_SERVER_UPDATE")
    if how == "leave":
        await join(club, gateway, None)
    elif how == "kick":
        await club.guild.move_bot(None)
    else:
        club.lounge.delete()
    frame = await gateway.frame()
    assert frame["t"] == "VOICE_STATE_UPDATE"
    assert frame["d"]["channel_id"] is None
    await club.guild.bot_leaves(within=0)


@pytest.mark.parametrize("reason", ["view", "connect", "full", "text", "unknown"])
async def test_refused_join_is_silence(club: Club, gateway: RawGateway, reason: str) -> None:
    if reason == "view":
        club.lounge.deny(club.guild.bot_role, Permission.VIEW_CHANNEL)
    elif reason == "connect":
        club.lounge.deny(club.guild.bot_role, Permission.CONNECT)
    elif reason == "full":
        club.guild.bot_role.permissions &= ~Permission.MOVE_MEMBERS
        await club.ada.join(club.lounge)
        club.lounge.user_limit = 1
    channel = club.general.id if reason == "text" else 5 if reason == "unknown" else club.lounge.id
    await gateway.send(4, {"guild_id": club.guild.id, "channel_id": channel})
    await gateway.send(1, 1)
    assert await gateway.op(11) is None
    assert club.guild.bot_channel is None


async def test_full_channel_opens_to_who_moves_members(club: Club, gateway: RawGateway) -> None:
    await club.ada.join(club.lounge)
    club.lounge.user_limit = 1
    with pytest.raises(NotPossible, match="full"):
        await club.guild.add_member("Bob").join(club.lounge)
    await join(club, gateway)
    await club.guild.bot_joins(club.lounge)


async def test_stage_suppresses_until_it_is_told_otherwise(club: Club, gateway: RawGateway) -> None:
    stage = club.guild.add_stage_channel("Stage")
    await join(club, gateway, stage)
    assert (await gateway.event("VOICE_STATE_UPDATE"))["suppress"] is True
    path = f"/guilds/{club.guild.id}/voice-states/@me"
    assert (await club.bot.ask("PATCH", path, {"suppress": False})).code == 50013
    club.guild.bot_role.permissions |= Permission.MUTE_MEMBERS
    assert (await club.bot.ask("PATCH", path, {"suppress": False})).status == 204
    assert (await gateway.event("VOICE_STATE_UPDATE"))["suppress"] is False


async def test_channel_without_the_right_to_speak_suppresses(
    club: Club, gateway: RawGateway
) -> None:
    club.lounge.deny(club.guild.bot_role, Permission.SPEAK)
    await join(club, gateway)
    assert (await gateway.event("VOICE_STATE_UPDATE"))["suppress"] is True


async def test_call_ends_with_the_gateway_session(club: Club, gateway: RawGateway) -> None:
    await join(club, gateway)
    await club.guild.bot_joins()
    await gateway.close(1000)
    await club.guild.bot_leaves()


async def test_call_outlives_a_broken_connection(club: Club, gateway: RawGateway) -> None:
    await join(club, gateway)
    await club.guild.bot_joins()
    club.discord.faults.drop_gateway()
    await gateway.closed()
    assert club.guild.bot_channel is club.lounge


async def test_voice_events_can_be_held_and_swapped(club: Club, gateway: RawGateway) -> None:
    club.discord.faults.voice_server_first = True
    club.discord.faults.hold_voice_events()
    await join(club, gateway)
    await club.guild.bot_joins()
    await gateway.send(1, 1)
    assert (await gateway.frame())["op"] == 11
    club.discord.faults.release_voice_events()
    assert (await gateway.frame())["t"] == "VOICE_SERVER_UPDATE"
    assert (await gateway.frame())["t"] == "VOICE_STATE_UPDATE"


# ── with a voice server ─────────────────────────────────────────────────────


class Ledger:
    """A voice server that only writes down what the main gateway tells it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.ca_file = "/nowhere"
        self.lines: list[str] = []

    def admit(self, *, channel_id: int, token: str, **more: Any) -> None:
        self.lines.append(f"admit {channel_id} {token}")

    def withdraw(self, guild_id: int) -> None:
        self.lines.append("withdraw")

    def expel(self, guild_id: int, code: int = 4014) -> None:
        self.lines.append(f"expel {code}")

    def ear(self, guild_id: int) -> str:
        return f"ear at {self.endpoint}"


async def test_voice_server_hears_of_every_change() -> None:
    first, second = Ledger("localhost:1"), Ledger("localhost:2")
    discord = Simulator(voice=[first, second], identify_every=0)  # type: ignore[list-item]  # a double
    async with discord, RawBot(discord) as bot:
        guild = discord.add_guild("Club")
        lounge, other = guild.add_voice_channel("Lounge"), guild.add_voice_channel("Other")
        async with bot.connect() as gateway:
            await gateway.identify()
            await gateway.send(4, {"guild_id": guild.id, "channel_id": lounge.id})
            one = await gateway.event("VOICE_SERVER_UPDATE")
            await gateway.send(4, {"guild_id": guild.id, "channel_id": other.id})
            two = await gateway.event("VOICE_SERVER_UPDATE")
            await guild.move_bot(lounge)
            back = await gateway.event("VOICE_SERVER_UPDATE")
            await guild.change_voice_server(second)  # type: ignore[arg-type]  # a double
            three = await gateway.event("VOICE_SERVER_UPDATE")
            assert guild.ear == "ear at localhost:2"
            await guild.change_voice_server(None)
            lost = await gateway.event("VOICE_SERVER_UPDATE")
    assert one["endpoint"] == two["endpoint"] == "localhost:1"
    assert three["endpoint"] == "localhost:2"
    assert lost["endpoint"] is None
    assert first.lines == [
        f"admit {lounge.id} {one['token']}",
        "expel 4014",
        f"admit {other.id} {two['token']}",
        "expel 4014",
        f"admit {lounge.id} {back['token']}",
        "withdraw",
    ]
    assert second.lines == [f"admit {lounge.id} {three['token']}", "withdraw"]


async def test_real_voice_server_admits_the_bot() -> None:
    async with Simulator(identify_every=0) as discord, RawBot(discord) as bot:
        guild = discord.add_guild("Club")
        lounge = guild.add_voice_channel("Lounge")
        assert discord.environment()["SSL_CERT_FILE"]
        async with bot.connect() as gateway:
            await gateway.identify()
            await gateway.send(4, {"guild_id": guild.id, "channel_id": lounge.id})
            update = await gateway.event("VOICE_SERVER_UPDATE")
            assert update["endpoint"].startswith("localhost:")
            await asyncio.wait_for(guild.silence(), 10)
