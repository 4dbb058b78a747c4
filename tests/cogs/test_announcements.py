"""What members read of what the player does by itself, and the bot's status line."""

from services.audio.player_state import Where
from tests.cogs.studio import Studio, track
from tests.fakes.discord_guild import ADA, GUILD, settle
from tests.fakes.outbox import NO_PERMISSION


async def test_announcement_of_the_next_track_replaces_the_one_before(studio: Studio) -> None:
    await studio.start_with("one", "two")
    assert studio.guild.outbox.titles() == ["🎶 Now playing"]
    studio.node.finish(GUILD)
    await settle()
    assert studio.guild.outbox.titles() == ["🎶 Now playing"]
    assert "[two]" in studio.text()
    assert f"<@{ADA.id}>" in studio.text()


async def test_announcement_stands_as_long_as_the_track_plays(studio: Studio) -> None:
    await studio.start_with("one")
    await studio.guild.clock.advance(170)
    assert studio.guild.outbox.titles() == ["🎶 Now playing"]
    studio.node.finish(GUILD)
    await settle()
    assert studio.guild.outbox.titles() == []


async def test_announcement_of_a_skipped_track_names_the_reason(studio: Studio) -> None:
    studio.node.unplayable.add("https://files.example/broken.ogg")
    await studio.start_with("one", "broken", "three")
    studio.node.finish(GUILD)
    await studio.guild.clock.advance(5)
    assert "⏭️ Skipped" in studio.seen
    skipped = next(
        body["embeds"][0]
        for body in studio.guild.outbox.messages.values()
        if body["embeds"][0]["title"] == "⏭️ Skipped"
    )
    assert "broken" in skipped["description"]
    assert skipped["description"].count("\n") == 1
    assert studio.sounding() == "https://files.example/three.ogg"


async def test_announcement_three_failures_in_a_row_stop_with_a_message(studio: Studio) -> None:
    for name in ("b1", "b2", "b3", "b4"):
        studio.node.unplayable.add(f"https://files.example/{name}.ogg")
    await studio.start_with("one", "b1", "b2", "b3", "b4")
    studio.node.finish(GUILD)
    await studio.guild.clock.advance(10)
    assert studio.seen.count("⏹️ Stopped") == 1
    assert studio.sounding() is None


async def test_announcement_in_a_silent_session_is_left_out(studio: Studio) -> None:
    await studio.start_with("one", "two")
    studio.player.set_silent(GUILD, silent=True)
    studio.node.finish(GUILD)
    await settle()
    assert studio.seen == []
    assert studio.lines[-1] == "one"
    await studio.guild.clock.advance(5)
    assert studio.lines[-1] == "two"


async def test_announcement_of_an_interruption_ends_with_it(studio: Studio) -> None:
    await studio.start_with("one")
    studio.node.die()
    await studio.guild.clock.advance(6)
    assert "🔌 Interrupted" in studio.guild.outbox.titles()
    studio.node.come_back()
    await studio.player.restore()
    await studio.guild.clock.advance(6)
    assert studio.guild.outbox.titles() == ["🎶 Now playing"]
    assert studio.sounding() == "https://files.example/one.ogg"


async def test_announcement_that_cannot_be_sent_does_not_stop_the_music(studio: Studio) -> None:
    await studio.start_with("one", "two", "three")
    studio.guild.outbox.failing = NO_PERMISSION
    studio.node.finish(GUILD)
    await settle()
    studio.node.finish(GUILD)
    await settle()
    assert studio.sounding() == "https://files.example/three.ogg"


async def test_presence_says_what_plays_and_how_to_begin(studio: Studio) -> None:
    studio.presence.refresh()
    await settle()
    assert studio.lines == ["!help · waiting for !play"]
    await studio.guild.clock.advance(5)
    await studio.start_with("one")
    assert studio.lines[-1] == "one"
    await studio.guild.clock.advance(5)
    await studio.say("!stop")
    assert studio.lines[-1] == "!help · waiting for !play"


async def test_presence_of_several_servers_names_none(studio: Studio) -> None:
    await studio.start_with("one")
    other = GUILD + 1
    await studio.player.connect(other, 5, text_channel_id=6)
    studio.player.push_track(other, track("else"), Where.END)
    await studio.player.kick_off_playback(other)
    await studio.guild.clock.advance(5)
    assert studio.lines[-1] == "music in 2 servers"


async def test_presence_changes_at_most_every_five_seconds(studio: Studio) -> None:
    await studio.start_with(*(f"song {number}" for number in range(20)))
    for _ in range(10):
        studio.node.finish(GUILD)
        await settle()
    assert len(studio.lines) <= 2
    await studio.guild.clock.advance(5)
    assert studio.lines[-1] == "song 10"
