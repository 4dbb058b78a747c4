"""Pause, skip, stop and volume, as they are read and heard, by prefix and by slash."""

import pytest

from tests.e2e.house import NOW, REFUSED, Room

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_pause_is_silent_and_resume_goes_on(room: Room) -> None:
    await room.plays(440)
    await room.says(room.ada, "!pause", title="Paused")
    await room.guild.silence()
    outcome = await room.ada.slash(room.general, "resume")
    await outcome.answer(title="Resumed")
    await room.guild.hears(440)


async def test_skip_goes_to_the_next_and_then_to_the_end(room: Room) -> None:
    await room.plays(440)
    await room.queues(880)
    skipped = await room.says(room.ada, "!skip", title="Skipped")
    assert "Next: [Tone of 880 Hz" in skipped.text
    await room.general.expect(title=NOW, text="880")
    await room.guild.hears(880)
    outcome = await room.ada.slash(room.general, "skip", count=5)
    assert "end of the queue" in (await outcome.answer(title="Skipped")).text
    await room.guild.silence()


async def test_stop_ends_the_sound_and_the_message_of_what_plays(room: Room) -> None:
    now = await room.plays(440)
    await room.queues(880)
    await room.says(room.ada, "!stop", title="Stopped")
    await room.guild.silence()
    await now.news.until(lambda: now.deleted or None, 5)
    assert now.deleted
    assert room.guild.bot_channel is room.lounge


async def test_next_track_follows_by_itself_and_is_announced(room: Room) -> None:
    first = await room.plays(440, seconds=3)
    await room.queues(880)
    await room.general.expect(title=NOW, text="880", after=first, within=8)
    await room.guild.hears(880)


async def test_track_that_breaks_in_the_middle_is_skipped_with_the_reason(room: Room) -> None:
    await room.ada.join(room.lounge)
    broken = await room.says(
        room.ada, f"!play {room.site.url('/broken/440/20.mp3')}", title=NOW, within=10
    )
    await room.queues(880)
    skipped = await room.general.expect(title="Skipped", after=broken, within=40)
    assert "440" in skipped.text
    assert len(skipped.text.splitlines()) >= 3
    await room.guild.hears(880)


async def test_volume_is_heard_and_shown(room: Room) -> None:
    await room.plays(440)
    loud = await room.guild.ear.loudness(seconds=0.5)
    await room.says(room.ada, "!vol 20", title="Volume 20 %")
    quiet = await room.guild.ear.loudness(seconds=0.5)
    assert quiet < loud - 6
    outcome = await room.ada.slash(room.general, "volume")
    await outcome.answer(title="Volume 20 %")


@pytest.mark.parametrize("command", ["pause", "resume", "skip", "stop", "leave"])
async def test_commands_with_nothing_to_act_on_are_refused_both_ways(
    room: Room, command: str
) -> None:
    await room.ada.join(room.lounge)
    typed = await room.says(room.ada, f"!{command}", title=REFUSED)
    outcome = await room.ada.slash(room.general, command)
    chosen = await outcome.answer(title=REFUSED)
    assert typed.text == chosen.text


async def test_command_with_a_wrong_argument_reads_its_usage(room: Room) -> None:
    usage = await room.says(room.ada, "!skip many", title="Usage")
    assert "`!skip [count]`" in usage.text


async def test_command_by_mention_works_and_an_unknown_one_is_ignored(room: Room) -> None:
    me = room.guild.me
    await room.ada.say(room.general, "!dance")
    await room.says(room.ada, f"{me.mention} help", title="Commands")
    assert not any("dance" in message.text for message in room.general.messages[1:])
