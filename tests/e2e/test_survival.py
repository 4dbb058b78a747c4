"""What members notice when a part is killed, cut off or broken: little, and not for long."""

import asyncio
import os
import signal
import sqlite3

import pytest

from tests.e2e.house import ADDED, NOW, House, Room

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_bot_killed_while_playing_goes_on_where_it_was(room: Room, house: House) -> None:
    await room.plays(440)
    await room.queues(550)
    await room.queues(660)
    await room.says(room.ada, "!vol 50", title="Volume 50 %")
    await house.bot.restart()
    await room.guild.hears(440, within=15)
    queue = await room.says(room.ada, "!queue", title="Queue")
    assert "Tone of 440 Hz" in queue.text.split("Up next")[0]
    assert queue.text.index("550 Hz") < queue.text.index("660 Hz")
    await room.says(room.ada, "!volume", title="Volume 50 %")
    await room.says(room.ada, "!skip", title="Skipped")
    await room.guild.hears(550)


async def test_bot_killed_while_paused_stays_paused(room: Room, house: House) -> None:
    await room.plays(440)
    await room.says(room.ada, "!pause", title="Paused")
    await house.bot.restart()
    await room.says(room.ada, "!np", title="Paused", within=15)
    await room.says(room.ada, "!resume", title="Resumed")
    await room.guild.hears(440, within=10)


async def test_bot_killed_right_after_it_said_added_has_kept_the_track(
    room: Room, house: House
) -> None:
    await room.plays(440)
    await room.queues(990)
    await house.bot.restart()
    queue = await room.says(room.ada, "!queue", title="Queue", within=15)
    assert "990 Hz" in queue.text


async def test_menu_from_before_a_restart_has_expired(room: Room, house: House) -> None:
    await room.ada.join(room.lounge)
    await room.says(room.ada, f"!play {room.site.url('/list/bomb')}", title=ADDED, within=40)
    queue = await room.says(room.ada, "!queue", title="Queue")
    await house.bot.restart()
    outcome = await room.ada.click(queue, "▶")
    assert outcome.acknowledged
    await outcome.answer(text="expired", within=10)  # young messages get some patience
    await queue.news.until(lambda: not queue.buttons or None, 5)
    assert queue.buttons == []


async def test_node_killed_while_playing_is_restarted_and_the_music_goes_on(
    room: Room, house: House
) -> None:
    await room.plays(440)
    pid = house.bot.node_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await room.guild.hears(440, within=20)
    assert house.bot.node_pid != pid


@pytest.mark.parametrize("how", ["cut", "close", "reconnect", "invalidate"])
async def test_gateway_that_breaks_leaves_the_music_and_answers_again(
    room: Room, house: House, how: str
) -> None:
    await room.plays(440)
    faults = house.discord.world.faults
    match how:
        case "cut":
            faults.drop_gateway()
        case "close":
            faults.close_gateway(4000)
        case "reconnect":
            faults.ask_to_reconnect()
        case _:
            gateway = house.discord.gateway
            old = list(gateway.live_sessions)
            faults.invalidate_session()
            # what is said in between is lost for a bot that begins anew, at Discord too
            await gateway.news.until(
                lambda: any(s not in old for s in gateway.live_sessions) or None, 20
            )
    sent = await room.ada.say(room.general, "!np")
    await room.general.expect(title=NOW, after=sent, within=25)
    await room.guild.hears(440)


async def test_database_that_is_locked_lets_the_music_play_and_says_so(
    room: Room, house: House
) -> None:
    await room.ada.join(room.lounge)
    other = sqlite3.connect(house.bot.data_dir / "bot.sqlite3", isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        await room.ada.say(room.general, f"!play {room.tone(440)}")
        await room.guild.hears(440, within=10)
        added = await room.general.expect(title=ADDED, within=20)
        assert "Not saved yet" in added.text
    finally:
        other.execute("ROLLBACK")
        other.close()
    again = await room.says(room.ada, f"!play {room.tone(550)}", title=ADDED, within=15)
    assert "Not saved yet" not in again.text


async def test_bot_asked_to_end_does_so_within_ten_seconds_and_stores_everything(
    room: Room, house: House
) -> None:
    await room.plays(440)
    await room.queues(770)
    async with asyncio.timeout(10):
        assert await house.bot.terminate() == 0
    await house.bot.start()
    await house.bot.ready()
    queue = await room.says(room.ada, "!queue", title="Queue", within=15)
    assert "770 Hz" in queue.text
    await room.guild.hears(440, within=15)
