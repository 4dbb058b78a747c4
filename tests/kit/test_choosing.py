"""A picker takes one choice of its author and disappears."""

import asyncio

import pytest

from bot.kit.choosing import Choosing
from bot.kit.replies import info
from tests.fakes.discord_guild import BEN, FakeGuild, settle
from tests.fakes.outbox import NO_PERMISSION

QUESTION = info("🔎 Which one?")


@pytest.fixture
def guild() -> FakeGuild:
    return FakeGuild()


async def ask(guild: FakeGuild, labels: list[str]) -> "asyncio.Task[int | None]":
    choosing = Choosing(guild)
    asking = asyncio.create_task(choosing.choose(guild.call(), QUESTION, labels))
    await settle()
    return asking


async def test_picker_numbered_button_chooses_and_the_message_disappears(guild: FakeGuild) -> None:
    asking = await ask(guild, ["a", "b", "c"])
    assert guild.labels() == ["1", "2", "3", "Cancel"]
    guild.click("2")
    assert await asking == 1
    await settle()
    assert guild.outbox.titles() == []
    assert guild.serving() == 0


async def test_picker_cancel_chooses_nothing_and_disappears(guild: FakeGuild) -> None:
    asking = await ask(guild, ["a", "b"])
    guild.click("Cancel")
    assert await asking is None
    await settle()
    assert guild.outbox.titles() == []


async def test_picker_ends_after_two_minutes(guild: FakeGuild) -> None:
    asking = await ask(guild, ["a", "b"])
    await guild.clock.advance(119)
    assert not asking.done()
    await guild.clock.advance(1)
    assert await asking is None
    await settle()
    assert guild.outbox.titles() == []


async def test_picker_takes_no_choice_of_others(guild: FakeGuild) -> None:
    asking = await ask(guild, ["a", "b"])
    guild.click("1", by=BEN)
    guild.click("2")
    assert await asking == 1


async def test_picker_first_click_decides(guild: FakeGuild) -> None:
    asking = await ask(guild, ["a", "b", "c"])
    guild.click("3")
    guild.click("1")
    assert await asking == 2


async def test_picker_of_many_things_is_a_list(guild: FakeGuild) -> None:
    asking = await ask(guild, [f"song {number}" for number in range(25)])
    list_row, cancel_row = guild.outbox.messages[guild.outbox.newest_id()]["components"]
    assert len(list_row["components"][0]["options"]) == 25
    assert cancel_row["components"][0]["label"] == "Cancel"
    asking.cancel()
    await settle()
    assert guild.serving() == 0


async def test_picker_that_cannot_be_shown_chooses_nothing(guild: FakeGuild) -> None:
    guild.outbox.failing = NO_PERMISSION
    asking = await ask(guild, ["a"])
    assert await asking is None
