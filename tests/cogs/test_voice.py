"""Joining and leaving by command, and what happens to the bot in voice channels by others."""

from tests.cogs.studio import Studio
from tests.fakes.discord_guild import BEN, CARA, GUILD, LOUNGE, OTHER_ROOM, in_voice, settle


async def test_join_comes_to_the_author(studio: Studio) -> None:
    await studio.say("!join")
    assert studio.voice.channels == {GUILD: LOUNGE}
    assert studio.seen == ["👋 Joined"]


async def test_join_without_permission_reads_the_refusal(studio: Studio) -> None:
    studio.voice.closed[LOUNGE] = "The channel is full."
    await studio.say("!join")
    assert studio.seen == ["⛔ That cannot be done"]
    assert studio.text() == "The channel is full."


async def test_join_from_elsewhere_does_not_take_the_bot_away(studio: Studio) -> None:
    await studio.say("!join")
    await studio.say("!join", by=in_voice(BEN, OTHER_ROOM))
    assert studio.voice.channels == {GUILD: LOUNGE}
    assert f"<#{LOUNGE}>" in studio.text()


async def test_leave_goes_and_forgets_the_queue(studio: Studio) -> None:
    await studio.start_with("one", "two")
    await studio.say("!leave")
    assert studio.voice.channels == {}
    assert studio.queued() == []
    assert studio.seen == ["👋 Left"]


async def test_leave_when_it_is_nowhere_is_refused(studio: Studio) -> None:
    await studio.say("!leave")
    assert "no voice channel" in studio.text()


async def test_leave_from_outside_is_refused(studio: Studio) -> None:
    await studio.start_with("one")
    await studio.say("!leave", by=CARA)
    assert studio.voice.channels == {GUILD: LOUNGE}


async def test_bot_alone_says_goodbye_after_a_short_grace(studio: Studio) -> None:
    await studio.start_with("one")
    studio.voice.listeners[GUILD] = 0
    await studio.player.listeners_changed(GUILD)
    await studio.guild.clock.advance(29)
    assert studio.voice.channels == {GUILD: LOUNGE}
    await studio.guild.clock.advance(1)
    assert studio.voice.channels == {}
    assert studio.seen == ["👋 Goodbye"]
    assert "Nobody" in studio.text()


async def test_bot_idle_says_goodbye_after_five_minutes(studio: Studio) -> None:
    await studio.start_with("one")
    studio.node.finish(GUILD)
    await studio.guild.clock.advance(299)
    assert studio.voice.channels == {GUILD: LOUNGE}
    await studio.guild.clock.advance(2)
    assert studio.voice.channels == {}
    assert studio.seen == ["👋 Goodbye"]
    assert "for a while" in studio.text()


async def test_bot_thrown_out_says_so_and_cleans_up(studio: Studio) -> None:
    await studio.start_with("one", "two")
    studio.voice.channels.clear()
    await studio.player.voice_changed(GUILD, None)
    await studio.guild.clock.advance(10)
    assert studio.seen == ["👋 Goodbye"]
    assert studio.queued() == []
    assert "🎶 Now playing" not in studio.guild.outbox.titles()


async def test_bot_moved_goes_on_in_the_other_channel(studio: Studio) -> None:
    await studio.start_with("one")
    studio.voice.channels[GUILD] = OTHER_ROOM
    await studio.player.voice_changed(GUILD, OTHER_ROOM)
    await settle()
    assert studio.seen == ["🚚 Moved"]
    assert f"<#{OTHER_ROOM}>" in studio.text()
    assert studio.sounding() == "https://files.example/one.ogg"
    assert "🎶 Now playing" in studio.guild.outbox.titles()
