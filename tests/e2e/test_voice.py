"""The bot in voice channels: joining, being moved and thrown out, being alone and idle."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.house import NOW, House, Room

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    """A bot that loses its patience quickly."""
    async with House(ALONE_LEAVE_SECONDS="1", IDLE_LEAVE_SECONDS="2") as house:
        yield house


async def test_join_and_leave_by_command(room: Room) -> None:
    await room.ada.join(room.lounge)
    await room.says(room.ada, "!join", title="Joined")
    assert room.guild.bot_channel is room.lounge
    outcome = await room.ada.slash(room.general, "leave")
    await outcome.answer(title="Left")
    await room.guild.bot_leaves()


async def test_bot_moved_goes_on_there(room: Room) -> None:
    await room.plays(440)
    await room.ben.join(room.attic)
    await room.guild.move_bot(room.attic)
    moved = await room.general.expect(title="Moved")
    assert room.attic.mention in moved.text
    await room.guild.hears(440)


async def test_bot_thrown_out_says_goodbye_and_can_be_called_again(room: Room) -> None:
    now = await room.plays(440)
    await room.guild.move_bot(None)
    await room.general.expect(title="Goodbye", after=now, within=10)
    assert now.deleted
    await room.plays(880)


async def test_bot_left_alone_says_goodbye_after_its_grace(room: Room) -> None:
    now = await room.plays(440)
    await room.ada.leave()
    goodbye = await room.general.expect(title="Goodbye", after=now, within=8)
    assert "Nobody" in goodbye.text
    await room.guild.bot_leaves()


async def test_bot_idle_says_goodbye_and_a_new_track_keeps_it(room: Room) -> None:
    await room.plays(440, seconds=2)
    again = await room.says(room.ada, f"!play {room.tone(880, 2)}", title=NOW)
    goodbye = await room.general.expect(title="Goodbye", after=again, within=10)
    assert "for a while" in goodbye.text
    await room.guild.bot_leaves()
