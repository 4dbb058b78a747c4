"""Application commands are registered and used under Discord's limits."""

from typing import Any

import pytest

from tests.simulator import NotPossible
from tests.simulator.conftest import Club
from tests.simulator.raw_bot import RawGateway, Reply

PLAY = {"name": "play", "description": "plays"}


def option(name: str = "query", kind: int = 3, **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "description": "d", **more}


async def register(club: Club, **body: Any) -> Reply:
    return await club.bot.ask("POST", f"/applications/{club.discord.bot.id}/commands", body)


async def test_new_command_is_created_and_the_same_name_replaced(club: Club) -> None:
    first = await register(club, **PLAY)
    assert first.status == 201
    again = await register(club, **{**PLAY, "description": "plays more"})
    assert (again.status, again.body["id"]) == (200, first.body["id"])
    assert again.body["version"] != first.body["version"]
    listed = await club.bot.ask("GET", f"/applications/{club.discord.bot.id}/commands")
    assert [command["description"] for command in listed.body] == ["plays more"]


async def test_menu_with_empty_description_is_taken(club: Club) -> None:
    reply = await register(club, type=2, name="Wake Up", description="", nsfw=False)
    assert reply.status == 201


OPTIONS_26 = [option(f"o{n}") for n in range(26)]
CHOICES_26 = [{"name": str(n), "value": str(n)} for n in range(26)]


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({**PLAY, "name": "Play"}, "name", "APPLICATION_COMMAND_INVALID_NAME"),
        ({**PLAY, "name": "a b"}, "name", "APPLICATION_COMMAND_INVALID_NAME"),
        ({**PLAY, "name": "x" * 33}, "name", "BASE_TYPE_BAD_LENGTH"),
        ({**PLAY, "description": "x" * 101}, "description", "BASE_TYPE_BAD_LENGTH"),
        ({**PLAY, "description": ""}, "description", "BASE_TYPE_REQUIRED"),
        ({**PLAY, "options": OPTIONS_26}, "options", "BASE_TYPE_MAX_LENGTH"),
        (
            {**PLAY, "options": [option("a"), option("b", required=True)]},
            "options.1.required",
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        ),
        (
            {**PLAY, "options": [option("a"), option("a")]},
            "options.1.name",
            "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
        ),
        (
            {**PLAY, "options": [option(choices=CHOICES_26)]},
            "options.0.choices",
            "BASE_TYPE_MAX_LENGTH",
        ),
        (
            {**PLAY, "options": [option(choices=CHOICES_26[:1], autocomplete=True)]},
            "options.0.autocomplete",
            "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID",
        ),
        (
            {**PLAY, "options": [option("a", 1), option("b", 3)]},
            "options",
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
        ),
        ({**PLAY, "options": [{}]}, "options.0.name", "BASE_TYPE_REQUIRED"),
        (
            {"type": 2, "name": "Menu", "description": "no"},
            "description",
            "APPLICATION_COMMAND_DESCRIPTION_FORBIDDEN",
        ),
    ],
)
async def test_wrong_command_is_refused_by_field(
    club: Club, body: dict[str, Any], path: str, code: str
) -> None:
    reply = await register(club, **body)
    assert (reply.status, reply.code) == (400, 50035)
    assert reply.complaint(*path.split(".")) == code


async def test_command_over_8000_characters_is_refused(club: Club) -> None:
    long = [{"name": "n" * 100, "value": f"{n:0100}"} for n in range(25)]
    options = [option(f"o{n}", choices=long) for n in range(2)]
    reply = await register(club, **PLAY, options=options)
    assert reply.complaint() == "APPLICATION_COMMAND_TOO_LARGE"


async def test_101st_command_is_refused(club: Club) -> None:
    club.discord.api.limiter.enabled = False
    for number in range(100):
        assert (await register(club, **{**PLAY, "name": f"c{number}"})).status == 201
    assert (await register(club, **PLAY)).code == 30032


async def test_bulk_replaces_everything(club: Club) -> None:
    await register(club, **PLAY)
    path = f"/applications/{club.discord.bot.id}/commands"
    reply = await club.bot.ask("PUT", path, [{**PLAY, "name": "stop"}, {**PLAY, "name": "skip"}])
    assert [command["name"] for command in reply.body] == ["stop", "skip"]
    twice = await club.bot.ask("PUT", path, [PLAY, PLAY])
    assert twice.complaint("1", "name") == "APPLICATION_COMMANDS_DUPLICATE_NAME"


async def test_guild_command_is_known_there_only(club: Club, gateway: RawGateway) -> None:
    path = f"/applications/{club.discord.bot.id}/guilds/{club.guild.id}/commands"
    created = await club.bot.ask("POST", path, PLAY)
    assert created.body["guild_id"] == str(club.guild.id)
    other = club.discord.add_guild("Other")
    bob = other.add_member("Bob")
    with pytest.raises(NotPossible, match="no command"):
        await bob.slash(other.add_text_channel("x"), "play")
    club.ada.slash_soon(club.general, "play")
    event = await gateway.event("INTERACTION_CREATE")
    assert event["data"] == {
        "id": created.body["id"],
        "name": "play",
        "type": 1,
        "guild_id": str(club.guild.id),
    }


async def test_deleted_command_is_unknown(club: Club) -> None:
    created = await register(club, **PLAY)
    path = f"/applications/{club.discord.bot.id}/commands/{created.body['id']}"
    assert (await club.bot.ask("DELETE", path)).status == 204
    assert (await club.bot.ask("GET", path)).code == 10063
    with pytest.raises(NotPossible, match="no command"):
        await club.ada.slash(club.general, "play")


# ── using them ──────────────────────────────────────────────────────────────


async def test_options_arrive_with_what_they_refer_to(club: Club, gateway: RawGateway) -> None:
    options = [
        option("who", 6, required=True),
        option("where", 7),
        option("times", 4, min_value=1, max_value=5),
    ]
    group = [{"type": 1, "name": "add", "description": "d", "options": options}]
    await register(club, name="rep", description="d", options=group)
    bob = club.guild.add_member("Bob")
    club.ada.slash_soon(club.general, "rep add", who=bob, where=club.lounge, times=2)
    data = (await gateway.event("INTERACTION_CREATE"))["data"]
    assert data["options"] == [
        {
            "name": "add",
            "type": 1,
            "options": [
                {"name": "who", "type": 6, "value": str(bob.id)},
                {"name": "where", "type": 7, "value": str(club.lounge.id)},
                {"name": "times", "type": 4, "value": 2},
            ],
        }
    ]
    assert data["resolved"]["users"][str(bob.id)]["username"] == "bob"
    assert "user" not in data["resolved"]["members"][str(bob.id)]
    assert data["resolved"]["channels"][str(club.lounge.id)]["name"] == "Lounge"
    with pytest.raises(NotPossible, match="does not take 9"):
        club.ada.slash_soon(club.general, "rep add", who=bob, times=9)
    with pytest.raises(NotPossible, match="needs the option 'who'"):
        club.ada.slash_soon(club.general, "rep add")
    with pytest.raises(NotPossible, match="needs a subcommand"):
        club.ada.slash_soon(club.general, "rep")


async def test_command_for_admins_is_hidden_from_others(club: Club, gateway: RawGateway) -> None:
    await register(club, **PLAY, default_member_permissions="32")
    with pytest.raises(NotPossible, match="does not see"):
        await club.ada.slash(club.general, "play")
    boss = club.guild.add_member("Boss", administrator=True)
    boss.slash_soon(club.general, "play")
    await gateway.event("INTERACTION_CREATE")


async def test_menus_name_their_target(club: Club, gateway: RawGateway) -> None:
    await register(club, type=2, name="Wake Up")
    await register(club, type=3, name="Quote")
    club.discord.world.invoking.user_menu(club.ada, club.general, "Wake Up", club.guild.owner)
    data = (await gateway.event("INTERACTION_CREATE"))["data"]
    assert data["target_id"] == str(club.guild.owner.id)
    assert data["target_id"] in data["resolved"]["members"]
    said = await club.ada.say(club.general, "wise words")
    club.discord.world.invoking.message_menu(club.ada, "Quote", said)
    data = (await gateway.event("INTERACTION_CREATE"))["data"]
    assert data["resolved"]["messages"][str(said.id)]["content"] == "wise words"
