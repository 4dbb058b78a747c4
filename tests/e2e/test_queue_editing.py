"""The queue put in order, and every change taken back, as it is read, pressed and heard."""

import pytest

from tests.e2e.house import REFUSED, House, Room
from tests.simulator import SimMessage

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def full_queue(room: Room) -> None:
    """Let 440 Hz play and 550, 660 and 770 Hz wait."""
    await room.plays(440)
    for hz in (550, 660, 770):
        await room.queues(hz)


async def waiting(room: Room) -> list[int]:
    """Return the pitches that the queue shows, in order."""
    queue = await room.says(room.ada, "!queue", title="Queue")
    lines = queue.text.partition("Up next")[2].splitlines()
    return [int(line.split("Tone of ")[1].split(" Hz")[0]) for line in lines if "Tone of" in line]


async def undone(room: Room, message: SimMessage) -> None:
    """Let Ben press Undo and wait until the message says so."""
    assert (await room.ben.click(message, "Undo")).acknowledged
    await room.general.expect(where=lambda m: m is message and "Undone" in m.title)
    assert message.buttons == []


async def test_clear_is_taken_back_by_its_button_and_nothing_stops(room: Room) -> None:
    await full_queue(room)
    await room.ben.join(room.lounge)
    cleared = await room.says(room.ada, "!clear", title="Queue cleared")
    assert await waiting(room) == []
    await undone(room, cleared)
    assert await waiting(room) == [550, 660, 770]
    await room.guild.hears(440)


async def test_remove_move_and_shuffle_are_taken_back_by_the_command(room: Room) -> None:
    await full_queue(room)
    await room.says(room.ada, "!remove 1-2", title="Removed")
    assert await waiting(room) == [770]
    await room.says(room.ada, "!undo", title="Undone")
    outcome = await room.ada.slash(room.general, "move", track=3, to=1)
    await outcome.answer(title="Moved")
    assert await waiting(room) == [770, 550, 660]
    outcome = await room.ada.slash(room.general, "undo")
    await outcome.answer(title="Undone")
    assert await waiting(room) == [550, 660, 770]
    await room.says(room.ada, "!shuffle", title="Shuffled")
    assert sorted(await waiting(room)) == [550, 660, 770]
    await room.says(room.ada, "!undo", title="Undone")
    assert await waiting(room) == [550, 660, 770]


async def test_skip_is_taken_back_and_the_track_goes_on(room: Room) -> None:
    await full_queue(room)
    await room.ben.join(room.lounge)
    skipped = await room.says(room.ada, "!skip 3", title="Skipped")
    await room.guild.hears(770)
    await undone(room, skipped)
    await room.guild.hears(440)
    assert await waiting(room) == [550, 660, 770]


async def test_jump_and_previous_are_heard(room: Room) -> None:
    await full_queue(room)
    jumped = await room.says(room.ada, "!jump 2", title="Jumped")
    assert "660" in jumped.text
    await room.guild.hears(660)
    await room.says(room.ada, "!previous", title="Previous")
    await room.guild.hears(440)
    assert await waiting(room) == [660, 770]


async def test_undo_button_from_outside_of_the_channel_changes_nothing(room: Room) -> None:
    await full_queue(room)
    cleared = await room.says(room.ada, "!clear", title="Queue cleared")
    outcome = await room.ben.click(cleared, "Undo")
    answer = await outcome.answer()
    assert answer.only_for is room.ben.user
    assert room.lounge.mention in answer.text
    assert await waiting(room) == []


async def test_undo_button_after_a_restart_says_that_it_is_too_late(
    room: Room, house: House
) -> None:
    await full_queue(room)
    cleared = await room.says(room.ada, "!clear", title="Queue cleared")
    await house.bot.restart()
    await room.guild.hears(440, within=15)
    outcome = await room.ada.click(cleared, "Undo")
    assert outcome.acknowledged
    assert "within a minute" in (await outcome.answer()).text
    await cleared.news.until(lambda: not cleared.buttons or None, 5)


@pytest.mark.parametrize("line", ["!remove 9", "!move 1 9", "!jump 0"])
async def test_wrong_number_names_the_valid_ones(room: Room, line: str) -> None:
    await full_queue(room)
    refusal = await room.says(room.ada, line, title=REFUSED)
    assert "1 to 3" in refusal.text


async def test_search_finds_the_places_of_queued_tracks(room: Room) -> None:
    await full_queue(room)
    outcome = await room.ada.slash(room.general, "search", text="660 tone")
    found = await outcome.answer(title="In the queue")
    assert "\n`2.` [Tone of 660 Hz" in found.text
    assert "550" not in found.text
    await room.says(room.ada, "!search nonsense", title="Nothing found")
