"""What was played last, queued again by button, by suggestion and from a message."""

import asyncio
import sqlite3

import pytest

from tests.e2e.house import ADDED, NOW, REFUSED, House, Room
from tests.simulator import SimMessage

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def two_played(room: Room) -> None:
    """Let 440 Hz and then 550 Hz be heard."""
    await room.plays(440)
    await room.queues(550)
    await room.says(room.ada, "!skip", title="Skipped")
    await room.guild.hears(550)


async def added(room: Room, after: SimMessage, text: str) -> None:
    await room.general.expect(title=ADDED, text=text, after=after, within=10)


async def test_history_is_kept_over_a_restart_and_queues_again(room: Room, house: House) -> None:
    await two_played(room)
    await house.bot.restart()
    await room.guild.hears(550, within=15)
    history = await room.says(room.ada, "!history", title="Played last", within=15)
    first, second = history.text.splitlines()[1:3]
    assert "550 Hz" in first
    assert "440 Hz" in second
    assert (await room.ada.click(history, "2")).acknowledged
    await added(room, history, "440")
    await room.says(room.ada, "!skip", title="Skipped")
    await room.guild.hears(440)


async def test_history_fast_clicks_are_all_queued_in_their_order(room: Room) -> None:
    await two_played(room)
    outcome = await room.ada.slash(room.general, "history")
    history = await outcome.answer(title="Played last")
    clicks = [room.ada.click_soon(history, label) for label in ("2", "1", "2", "2")]
    assert all(clicked.acknowledged for clicked in await asyncio.gather(*clicks))
    foreign = await room.ben.click(history, "1")
    assert (await foreign.answer()).only_for is room.ben.user
    await room.general.expect(title=ADDED, text="Position 4", after=history, within=10)
    queue = await room.says(room.ada, "!queue", title="Queue")
    waiting = queue.text.partition("Up next")[2]
    pitches = [line.split("Tone of ")[1][:3] for line in waiting.splitlines() if "Tone" in line]
    assert pitches == ["440", "550", "440", "440"]


async def test_history_starts_a_bot_that_has_left(room: Room) -> None:
    await two_played(room)
    await room.says(room.ada, "!leave", title="Left")
    history = await room.says(room.ada, "!history", title="Played last")
    await room.ada.click(history, "1")
    await room.guild.hears(550, within=10)
    titles = [title for title in room.titles(history) if ADDED in title or NOW in title]
    assert [ADDED in title for title in titles] == [True, False]


async def test_history_button_from_outside_of_voice_says_where_to_go(room: Room) -> None:
    await two_played(room)
    history = await room.says(room.ada, "!history", title="Played last")
    await room.ben.join(room.lounge)
    await room.ada.join(room.attic)
    outcome = await room.ada.click(history, "1")
    answer = await outcome.answer()
    assert room.lounge.mention in answer.text
    assert answer.only_for is room.ada.user


async def test_play_suggests_what_was_played(room: Room) -> None:
    await two_played(room)
    choices = await room.ada.autocomplete(room.general, "play", typing="query", text="tone 440")
    assert [choice["value"] for choice in choices] == [room.tone(440)]
    assert await room.ben.autocomplete(room.general, "play", typing="query", text="zzz") == []


async def test_play_suggests_though_the_database_is_being_written(room: Room, house: House) -> None:
    await two_played(room)
    other = sqlite3.connect(house.bot.data_dir / "bot.sqlite3", isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        choices = await room.ada.autocomplete(room.general, "play", typing="query", text="tone")
        assert {choice["value"] for choice in choices} == {room.tone(440), room.tone(550)}
    finally:
        other.execute("ROLLBACK")
        other.close()


async def test_play_this_plays_the_link_in_a_message(room: Room) -> None:
    await room.ada.join(room.lounge)
    hint = await room.ben.say(room.general, f"You must hear this: <{room.tone(660)}>!")
    outcome = await room.ada.message_menu("Play this", hint)
    await outcome.answer(title=ADDED)
    await room.guild.hears(660)
    now = await room.general.expect(title=NOW, after=hint)
    again = await room.ada.message_menu("Play this", now)  # the bot's own embed
    assert "660" in (await again.answer(title=ADDED)).text


async def test_play_this_on_nothing_playable_is_refused(room: Room) -> None:
    await room.ada.join(room.lounge)
    hint = await room.ben.say(room.general, "https://127.0.0.1:9/secret")
    outcome = await room.ada.message_menu("Play this", hint)
    assert REFUSED in (await outcome.answer(title=REFUSED)).title
