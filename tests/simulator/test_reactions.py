"""Reactions and webhooks keep Discord's rules."""

from urllib.parse import quote

import pytest

from tests.simulator import Permission
from tests.simulator.conftest import Club
from tests.simulator.emoji import is_emoji
from tests.simulator.raw_bot import RawGateway

NOTE, FIRE = "🎵", "🔥"


@pytest.fixture
def unlimited(club: Club) -> None:
    club.discord.api.limiter.enabled = False


@pytest.mark.usefixtures("unlimited")
async def test_reaction_is_added_once(club: Club, gateway: RawGateway) -> None:
    said = await club.ada.say(club.general, "x")
    path = f"{club.messages}/{said.id}/reactions/{quote(NOTE)}/@me"
    for _ in range(2):
        assert (await club.bot.ask("PUT", path)).status == 204
    assert (await gateway.event("MESSAGE_REACTION_ADD"))["emoji"] == {"id": None, "name": NOTE}
    assert said.reactions == {NOTE: [club.discord.bot]}
    assert (await club.bot.ask("DELETE", path)).status == 204
    assert (await gateway.frame())["t"] == "MESSAGE_REACTION_REMOVE"
    assert said.reactions == {}


@pytest.mark.usefixtures("unlimited")
async def test_new_emoji_needs_the_right_and_an_old_one_does_not(club: Club) -> None:
    said = await club.ada.say(club.general, "x")
    club.general.deny(club.guild.bot_role, Permission.ADD_REACTIONS)
    path = f"{club.messages}/{said.id}/reactions/{quote(NOTE)}/@me"
    assert (await club.bot.ask("PUT", path)).code == 50013
    await club.ada.react(said, NOTE)
    assert (await club.bot.ask("PUT", path)).status == 204


@pytest.mark.usefixtures("unlimited")
@pytest.mark.parametrize("emoji", ["x", "note", "a:5", "🎵🎵x"])
async def test_what_is_no_emoji_is_refused(club: Club, emoji: str) -> None:
    said = await club.ada.say(club.general, "x")
    reply = await club.bot.ask("PUT", f"{club.messages}/{said.id}/reactions/{quote(emoji)}/@me")
    assert (reply.status, reply.code) == (400, 10014)


@pytest.mark.usefixtures("unlimited")
async def test_21st_emoji_is_refused(club: Club) -> None:
    said = await club.ada.say(club.general, "x")
    for number in range(20):
        await club.ada.react(said, chr(0x1F400 + number))
    reply = await club.bot.ask("PUT", f"{club.messages}/{said.id}/reactions/{quote(FIRE)}/@me")
    assert reply.code == 30010


@pytest.mark.usefixtures("unlimited")
async def test_others_reactions_need_the_right(club: Club) -> None:
    said = await club.ada.say(club.general, "x")
    await club.ada.react(said, NOTE)
    path = f"{club.messages}/{said.id}/reactions"
    club.general.deny(club.guild.bot_role, Permission.MANAGE_MESSAGES)
    assert (await club.bot.ask("DELETE", path)).code == 50013
    club.general.allow(club.guild.bot_role, Permission.MANAGE_MESSAGES)
    assert (await club.bot.ask("DELETE", path)).status == 204
    assert said.reactions == {}


@pytest.mark.parametrize("text", ["🎵", "◀", "▶️", "1️⃣", "🇩🇪", "👨‍👩‍👧", "👍🏽", "⏭️", "✖️", "®"])
def test_emoji_is_known(text: str) -> None:
    assert is_emoji(text)


@pytest.mark.parametrize("text", ["", "a", "1", "●", "→", "x🎵", "\ufe0f"])
def test_other_character_is_no_emoji(text: str) -> None:
    assert not is_emoji(text)


# ── webhooks ────────────────────────────────────────────────────────────────


async def test_webhook_writes_by_its_token_alone(club: Club) -> None:
    path = f"/channels/{club.general.id}/webhooks"
    assert (await club.bot.ask("POST", path, {"name": "News"})).code == 50013
    club.guild.bot_role.permissions |= Permission.MANAGE_WEBHOOKS
    wrong = await club.bot.ask("POST", path, {"name": "my discord"})
    assert wrong.complaint("name") == "USERNAME_INVALID_CONTAINS"
    hook = (await club.bot.ask("POST", path, {"name": "News"})).body
    execute = f"/webhooks/{hook['id']}/{hook['token']}"
    silent = await club.bot.ask("POST", execute, {"content": "one"}, authorized=False)
    assert silent.status == 204
    loud = await club.bot.ask("POST", f"{execute}?wait=true", {"content": "two"}, authorized=False)
    assert loud.body["author"]["id"] == loud.body["webhook_id"] == hook["id"]
    edit = f"{execute}/messages/{loud.body['id']}"
    await club.bot.ask("PATCH", edit, {"content": "three"}, authorized=False)
    assert [message.content for message in club.general.messages] == ["one", "three"]
    stolen = await club.bot.ask("POST", f"/webhooks/{hook['id']}/wrong", {"content": "x"})
    assert (stolen.status, stolen.code) == (401, 50027)
