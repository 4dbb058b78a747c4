"""A command is declared once and found under all its names."""

import pytest

from bot.kit.converters import Integer
from bot.kit.dual_command import CommandSet, CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.slash_payload import payloads, same
from tests.kit.examples import Examples


@pytest.fixture
def commands() -> CommandSet:
    known = CommandSet()
    known.add(Examples(), section="Music")
    return known


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("skip", "skip"),
        ("NEXT", "skip"),
        ("gather start", "gather start"),
        ("addrep", "+rep"),
        ("rep add", "+rep"),
        ("reputation add", "+rep"),
    ],
)
def test_command_is_found_by_name_alias_and_slash_path(
    commands: CommandSet, words: str, name: str
) -> None:
    found = commands.find(words)
    assert found is not None
    assert found.spec.name == name


def test_command_unknown_name_is_not_found(commands: CommandSet) -> None:
    assert commands.find("dance") is None
    assert commands.find("") is None


def test_usage_names_arguments_as_they_are_written(commands: CommandSet) -> None:
    praise = commands.find("+rep")
    assert praise is not None
    assert praise.spec.usage("?") == "?+rep <@who> <reason>"
    assert praise.spec.usage("/") == "/rep add <@who> <reason>"
    skip = commands.find("skip")
    assert skip is not None
    assert skip.spec.usage("!") == "!skip [count]"


def test_command_two_of_one_name_end_the_start(commands: CommandSet) -> None:
    with pytest.raises(ValueError, match="skip"):
        commands.add(Examples())


def test_command_whose_handler_takes_other_arguments_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="seek"):

        @command(
            CommandSpec(
                name="seek", summary="Seek", arguments=(Integer(name="to", description="x"),)
            )
        )
        async def seek(self: object, call: Invocation, position: int) -> None:
            raise NotImplementedError


def test_slash_payload_has_groups_options_and_menus(commands: CommandSet) -> None:
    by_name = {payload["name"]: payload for payload in payloads(commands)}
    assert {"skip", "play", "rep", "gather", "local", "Praise", "Remind me"} <= set(by_name)
    assert by_name["rep"]["description"] == "Reputation"
    assert by_name["gather"]["description"] == "gather: expect, start"
    (add,) = by_name["rep"]["options"]
    assert (add["type"], add["name"]) == (1, "add")
    (count,) = by_name["skip"]["options"]
    assert (count["type"], count["min_value"], count["max_value"]) == (4, 1, 99)
    assert not count["required"]
    assert by_name["Praise"]["type"] == 2
    assert by_name["Remind me"]["type"] == 3
    (play,) = by_name["local"]["options"]
    assert play["options"][0]["autocomplete"]


def test_slash_payload_required_options_come_first_as_discord_demands(
    commands: CommandSet,
) -> None:
    gather = next(payload for payload in payloads(commands) if payload["name"] == "gather")
    expect = next(option for option in gather["options"] if option["name"] == "expect")
    required = [option["required"] for option in expect["options"]]
    assert required == sorted(required, reverse=True)
    assert [option["name"] for option in expect["options"]] == ["user", "mode", "user2", "user3"]


def test_slash_payload_what_discord_adds_makes_no_difference(commands: CommandSet) -> None:
    ours = payloads(commands)
    theirs = [
        {
            **payload,
            "id": "5",
            "version": "6",
            "nsfw": False,
            "name_localizations": None,
            "description": payload.get("description", ""),
        }
        for payload in reversed(ours)
    ]
    assert same(ours, theirs)


def test_slash_payload_any_change_of_ours_is_seen(commands: CommandSet) -> None:
    ours = payloads(commands)
    assert not same(ours, ours[1:])
    changed = [{**ours[0], "description": "something else"}, *ours[1:]]
    assert not same(ours, changed)
    (option,) = ours[0]["options"]
    other_range = {**ours[0], "options": [{**option, "max_value": 5}]}
    assert not same(ours, [other_range, *ours[1:]])
