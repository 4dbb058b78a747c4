"""Pages are turned by their author alone, in click order, with few edits, and end by themselves."""

import asyncio

import pytest

from bot.kit.paging import AtEnd, Jump, Page, Paging
from bot.kit.replies import info
from services.errors import OutsideFailure
from tests.fakes.discord_guild import BEN, FakeGuild, settle
from tests.fakes.outbox import NO_PERMISSION


def read(number: int) -> Page:
    number = min(max(number, 1), 9)
    return Page(info(f"📄 Page {number}"), number, 9)


@pytest.fixture
def guild() -> FakeGuild:
    return FakeGuild()


@pytest.fixture
def paging(guild: FakeGuild) -> Paging:
    return Paging(guild)


async def test_page_first_shows_number_and_only_the_way_forward(
    guild: FakeGuild, paging: Paging
) -> None:
    await paging.show(guild.call(), read)
    assert guild.outbox.titles() == ["📄 Page 1"]
    assert guild.labels() == ["▶"]
    (row,) = guild.outbox.messages[guild.outbox.newest_id()]["components"]
    assert [button["label"] for button in row["components"]] == ["◀", "1/9", "▶"]


async def test_page_clicks_turn_it_forth_and_back(guild: FakeGuild, paging: Paging) -> None:
    await paging.show(guild.call(), read, number=4)
    guild.click("▶")
    await settle()
    assert guild.outbox.titles() == ["📄 Page 5"]
    guild.click("◀")
    await settle()
    assert guild.outbox.titles() == ["📄 Page 4"]


async def test_page_piled_up_clicks_are_all_applied_and_shown_by_one_edit(
    guild: FakeGuild, paging: Paging
) -> None:
    await paging.show(guild.call(), read, number=2)
    for label in ("◀", "◀", "◀", "▶", "▶", "▶", "▶"):
        guild.click(label)
    await settle()
    assert guild.outbox.titles() == ["📄 Page 5"]
    assert guild.outbox.edits == 1


async def test_page_clicked_by_somebody_else_does_not_turn(
    guild: FakeGuild, paging: Paging
) -> None:
    await paging.show(guild.call(), read)
    guild.click("▶", by=BEN)
    await settle()
    assert guild.outbox.titles() == ["📄 Page 1"]


async def test_page_menu_is_deleted_60_seconds_after_the_last_click(
    guild: FakeGuild, paging: Paging
) -> None:
    await paging.show(guild.call(), read)
    await guild.clock.advance(59)
    guild.click("▶")
    await guild.clock.advance(59)
    assert guild.outbox.titles() == ["📄 Page 2"]
    await guild.clock.advance(1)
    assert guild.outbox.titles() == []
    assert guild.serving() == 0


async def test_page_menu_that_is_kept_loses_its_buttons(guild: FakeGuild, paging: Paging) -> None:
    await paging.show(guild.call(), read, idle_seconds=120, at_end=AtEnd.KEEP)
    await guild.clock.advance(120)
    assert guild.outbox.titles() == ["📄 Page 1"]
    assert guild.labels() == []


async def test_page_edits_use_the_clicks_own_token_while_it_is_good(
    guild: FakeGuild, paging: Paging
) -> None:
    await paging.show(guild.call(), read)
    answer = guild.click("▶")
    await settle()
    assert answer.used == 1
    late = guild.click("▶")
    late.expired = True
    await settle()
    assert guild.outbox.titles() == ["📄 Page 3"]


async def test_page_message_deleted_under_its_menu_ends_it(
    guild: FakeGuild, paging: Paging
) -> None:
    await paging.show(guild.call(), read)
    message_id = guild.outbox.newest_id()
    guild.click("▶")
    guild.outbox.messages.clear()
    await guild.clock.advance(60)
    assert message_id not in guild.outbox.messages
    assert guild.serving() == 0


async def test_page_may_take_its_time_to_be_read(guild: FakeGuild, paging: Paging) -> None:
    async def slowly(number: int) -> Page:
        await guild.clock.sleep(1)
        return read(number)

    showing = asyncio.ensure_future(paging.show(guild.call(), slowly))
    await guild.clock.advance(1)
    await showing
    guild.click("▶")
    await settle()
    guild.click("▶")  # comes while page 2 is read
    await guild.clock.advance(2)
    assert guild.outbox.titles() == ["📄 Page 3"]


async def test_page_that_cannot_be_read_now_is_told_and_the_menu_stays(
    guild: FakeGuild, paging: Paging
) -> None:
    failing = False

    def sometimes(number: int) -> Page:
        if failing:
            raise OutsideFailure("The database does not answer.")
        return read(number)

    await paging.show(guild.call(), sometimes)
    failing = True
    answer = guild.click("▶")
    await settle()
    assert answer.private[0]["embeds"][0]["description"] == "The database does not answer."
    assert guild.outbox.titles() == ["📄 Page 1"]
    failing = False
    guild.click("▶")
    await settle()
    assert guild.outbox.titles() == ["📄 Page 2"]


async def test_page_jump_leads_to_where_it_says_and_clicks_go_on_from_there(
    guild: FakeGuild, paging: Paging
) -> None:
    async def find() -> int:
        return 7

    await paging.show(guild.call(), read, jumps=[Jump("page:best", "Best", find)])
    assert guild.labels() == ["▶", "Best"]
    guild.click("Best")
    guild.click("▶")
    await settle()
    assert guild.outbox.titles() == ["📄 Page 8"]
    assert guild.outbox.edits == 1


async def test_page_that_cannot_be_sent_opens_no_menu(guild: FakeGuild, paging: Paging) -> None:
    guild.outbox.failing = NO_PERMISSION
    await paging.show(guild.call(), read)
    assert guild.serving() == 0


async def test_paging_closed_leaves_no_stream_behind(guild: FakeGuild, paging: Paging) -> None:
    await paging.show(guild.call(), read)
    await settle()
    await paging.close()
    assert guild.serving() == 0
