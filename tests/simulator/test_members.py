"""Members are moved, renamed and ranked under Discord's rights and hierarchy."""

from typing import Any

import pytest

from tests.simulator import Permission as Right
from tests.simulator.conftest import Club
from tests.simulator.raw_bot import RawGateway, Reply


async def patch(club: Club, **body: Any) -> Reply:
    path = f"/guilds/{club.guild.id}/members/{club.ada.id}"
    return await club.bot.ask("PATCH", path, body)


# ── voice ───────────────────────────────────────────────────────────────────


async def test_member_is_disconnected_by_a_null_channel(club: Club, gateway: RawGateway) -> None:
    await club.ada.join(club.lounge)
    assert (await gateway.event("VOICE_STATE_UPDATE"))["channel_id"] == str(club.lounge.id)
    assert (await patch(club, channel_id=None)).status == 200
    assert (await gateway.event("VOICE_STATE_UPDATE"))["channel_id"] is None
    assert club.ada.voice is None


async def test_who_is_not_in_voice_cannot_be_moved_or_muted(club: Club) -> None:
    club.guild.bot_role.permissions |= Right.MUTE_MEMBERS
    for body in ({"channel_id": None}, {"channel_id": str(club.lounge.id)}, {"mute": True}):
        reply = await patch(club, **body)
        assert (reply.status, reply.code) == (400, 40032)


async def test_moving_needs_the_right_and_connect_to_the_target(club: Club) -> None:
    cellar = club.guild.add_voice_channel("Cellar")
    cellar.deny(club.guild.bot_role, Right.CONNECT)
    await club.ada.join(club.lounge)
    assert (await patch(club, channel_id=str(cellar.id))).code == 50001
    club.guild.bot_role.permissions &= ~Right.MOVE_MEMBERS
    assert (await patch(club, channel_id=str(club.lounge.id))).code == 50013


async def test_server_mute_shows_in_the_voice_state(club: Club, gateway: RawGateway) -> None:
    club.guild.bot_role.permissions |= Right.MUTE_MEMBERS
    await club.ada.join(club.lounge)
    await patch(club, mute=True)
    assert (await gateway.event("VOICE_STATE_UPDATE"))["mute"] is False
    assert (await gateway.event("VOICE_STATE_UPDATE"))["mute"] is True


# ── names and ranks ─────────────────────────────────────────────────────────


async def test_nick_is_set_trimmed_and_reset(club: Club, gateway: RawGateway) -> None:
    assert (await patch(club, nick="  Countess ")).body["nick"] == "Countess"
    assert (await gateway.event("GUILD_MEMBER_UPDATE"))["nick"] == "Countess"
    assert (await patch(club, nick="")).body["nick"] is None
    assert (await patch(club, nick="x" * 33)).complaint("nick") == "BASE_TYPE_MAX_LENGTH"


async def test_higher_members_and_the_owner_cannot_be_renamed(club: Club) -> None:
    boss = club.guild.add_role("Boss")
    club.guild.set_roles(club.ada, boss)
    assert (await patch(club, nick="x")).code == 50013
    path = f"/guilds/{club.guild.id}/members/{club.guild.owner.id}"
    assert (await club.bot.ask("PATCH", path, {"nick": "x"})).code == 50013


async def test_own_nick_has_routes_of_its_own(club: Club) -> None:
    path = f"/guilds/{club.guild.id}/members/@me"
    assert (await club.bot.ask("PATCH", path, {"nick": "DJ"})).body["nick"] == "DJ"
    assert (await club.bot.ask("PATCH", path + "/nick", {"nick": ""})).body == {"nick": None}


async def test_role_above_the_bot_cannot_be_granted(club: Club) -> None:
    club.guild.bot_role.permissions |= Right.MANAGE_ROLES
    low, high = club.guild.add_role("DJ", below_bot=True), club.guild.add_role("Boss")
    base = f"/guilds/{club.guild.id}/members/{club.ada.id}/roles"
    assert (await club.bot.ask("PUT", f"{base}/{low.id}")).status == 204
    assert (await club.bot.ask("PUT", f"{base}/{high.id}")).code == 50013
    assert (await club.bot.ask("PUT", f"{base}/5")).code == 10011
    assert club.ada.roles == [low]


async def test_roles_are_replaced_only_below_the_bot(club: Club) -> None:
    club.guild.bot_role.permissions |= Right.MANAGE_ROLES
    low, high = club.guild.add_role("DJ", below_bot=True), club.guild.add_role("Boss")
    assert (await patch(club, roles=[str(low.id), str(high.id)])).code == 50013
    assert (await patch(club, roles=["5"])).code == 10011
    assert (await patch(club, roles=[str(low.id)])).body["roles"] == [str(low.id)]


async def test_guild_that_the_bot_left_is_out_of_reach(club: Club) -> None:
    club.guild.remove_bot()
    for path in (f"/guilds/{club.guild.id}", club.messages):
        reply = await club.bot.ask("GET", path)
        assert (reply.status, reply.code) == (403, 50001)


async def test_kick_and_ban_need_rights_and_rank(club: Club, gateway: RawGateway) -> None:
    path = f"/guilds/{club.guild.id}/members/{club.ada.id}"
    assert (await club.bot.ask("DELETE", path)).code == 50013
    club.guild.bot_role.permissions |= Right.KICK_MEMBERS
    assert (await club.bot.ask("DELETE", path)).status == 204
    assert (await gateway.event("GUILD_MEMBER_REMOVE"))["user"]["id"] == str(club.ada.id)
    assert (await club.bot.ask("GET", path)).code == 10007


async def test_timed_out_member_keeps_only_reading(club: Club) -> None:
    club.guild.bot_role.permissions |= Right.MODERATE_MEMBERS
    far, near = "2999-01-01T00:00:00+00:00", None
    assert (await patch(club, communication_disabled_until=far)).code == 50035
    club.ada.timed_out_until = club.discord.clock.wall() + 60
    assert club.ada.permissions_in(club.general) == Right.VIEW_CHANNEL | Right.READ_MESSAGE_HISTORY
    await patch(club, communication_disabled_until=near)
    assert club.ada.permissions_in(club.general) & Right.SEND_MESSAGES


async def test_member_list_needs_the_portal_switch(club: Club) -> None:
    path = f"/guilds/{club.guild.id}/members?limit=10"
    assert len((await club.bot.ask("GET", path)).body) == 3
    club.discord.application.privileged_intents = 0
    assert (await club.bot.ask("GET", path)).code == 50001


# ── channel rights ──────────────────────────────────────────────────────────


async def test_overwrites_apply_in_discords_order(club: Club) -> None:
    role = club.guild.add_role("DJ", below_bot=True)
    club.guild.set_roles(club.ada, role)
    club.general.deny(club.guild.everyone, Right.SEND_MESSAGES)
    assert not club.ada.permissions_in(club.general) & Right.EMBED_LINKS
    club.general.allow(role, Right.SEND_MESSAGES)
    assert club.ada.permissions_in(club.general) & Right.SEND_MESSAGES
    club.general.deny(club.ada, Right.VIEW_CHANNEL)
    assert not club.ada.permissions_in(club.general)
    club.guild.set_roles(club.ada, role, club.guild.add_role("Admin", Right.ADMINISTRATOR))
    assert club.ada.permissions_in(club.general) & Right.VIEW_CHANNEL


@pytest.mark.parametrize(("body", "code"), [({"name": "x" * 101}, 50035), ({"name": "ok"}, 50013)])
async def test_channel_edit_needs_rights_and_keeps_limits(
    club: Club, body: dict[str, Any], code: int
) -> None:
    if code == 50035:
        club.guild.bot_role.permissions |= Right.MANAGE_CHANNELS
    reply = await club.bot.ask("PATCH", f"/channels/{club.general.id}", body)
    assert reply.code == code


async def test_voice_status_needs_presence_or_management(club: Club, gateway: RawGateway) -> None:
    path = f"/channels/{club.lounge.id}/voice-status"
    assert (await club.bot.ask("PUT", path, {"status": "music"})).code == 50013
    await gateway.send(4, {"guild_id": club.guild.id, "channel_id": club.lounge.id})
    await club.guild.bot_joins(club.lounge)
    assert (await club.bot.ask("PUT", path, {"status": "x" * 501})).code == 50035
    assert (await club.bot.ask("PUT", path, {"status": "music"})).status == 204
    assert club.lounge.status == "music"
