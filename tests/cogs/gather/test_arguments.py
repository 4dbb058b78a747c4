"""Gather's own arguments mean the same after a prefix and as slash options."""

from typing import Any

import pytest

from bot.kit.converters import Options, Words, WrongArgument, read
from cogs.gather.arguments import Mentionables, Mentioned, Plan, PlanArgument
from tests.cogs.gather.hall import ADA, BEN, ROLE, Members

WHEN = PlanArgument(name="time", description="when", required=False)
WHOM = Mentionables(name="user", description="whom")


def typed(argument: PlanArgument | Mentionables, line: str) -> object:
    return read([argument], Words(line, members=Members()))[argument.name]


def chosen(argument: PlanArgument | Mentionables, **values: Any) -> object:
    resolved = {"roles": {str(ROLE): {"id": str(ROLE)}}}
    options = Options(values=values, members=Members(), resolved=resolved)
    return read([argument], options)[argument.name]


@pytest.mark.parametrize(
    ("line", "values", "plan"),
    [
        ("", {}, Plan(None, None)),
        ("10m", {"time": "10m"}, Plan("10m", None)),
        ("1h 30m min:4", {"time": " 1h 30m", "min": 4}, Plan("1h 30m", 4)),
        ("min: 4", {"min": 4}, Plan(None, 4)),
        ("MIN:4 14:30", {"time": "14:30", "min": 4}, Plan("14:30", 4)),
    ],
)
def test_plan_is_when_and_how_many(line: str, values: dict[str, Any], plan: Plan) -> None:
    assert typed(WHEN, line) == plan
    assert chosen(WHEN, **values) == plan


@pytest.mark.parametrize("line", ["min:", "min:four", "10m min:0", "min:-1", "min:99999"])
def test_plan_with_an_odd_number_is_refused(line: str) -> None:
    with pytest.raises(WrongArgument, match="min"):
        typed(WHEN, line if line != "min:" else "min: x")


def test_mentionables_are_members_and_roles() -> None:
    expected = Mentioned((ADA, BEN), (ROLE,))
    assert typed(WHOM, f"{ADA.mention} <@&{ROLE}> {BEN.id} <@!{ADA.id}>") == expected
    assert chosen(WHOM, user=str(ADA.id), user3=str(ROLE), user5=str(BEN.id)) == expected


@pytest.mark.parametrize("line", ["", "Ada", "<@5>", f"{ADA.mention} and {BEN.mention}"])
def test_mentionables_that_are_nobody_are_refused(line: str) -> None:
    with pytest.raises(WrongArgument):
        typed(WHOM, line)


def test_unknown_choice_and_too_many_are_refused() -> None:
    with pytest.raises(WrongArgument, match="members or roles"):
        chosen(WHOM, user="5")
    with pytest.raises(WrongArgument, match="5 at most"):
        typed(WHOM, " ".join(f"<@&{number}>" for number in range(6)))
    with pytest.raises(WrongArgument, match="missing"):
        chosen(WHOM)


def test_slash_offers_time_min_and_five_mentionables() -> None:
    assert [(o["name"], o["type"], o["required"]) for o in WHEN.options()] == [
        ("time", 3, False),
        ("min", 4, False),
    ]
    offered = [(o["name"], o["type"], o["required"]) for o in WHOM.options()]
    assert offered == [
        ("user", 9, True),
        *((f"user{number}", 9, False) for number in range(2, 6)),
    ]
