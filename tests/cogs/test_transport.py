"""Pause, resume, skip and stop: what is heard, and what is said when there is nothing to act on."""

import pytest

from tests.cogs.studio import Studio
from tests.fakes.discord_guild import BEN, CARA, GUILD, LOUNGE, OTHER_ROOM, in_voice


@pytest.mark.parametrize("line", ["!pause", "!resume", "!skip", "!stop"])
async def test_transport_with_nothing_playing_is_refused(studio: Studio, line: str) -> None:
    await studio.say(line)
    assert studio.seen == ["⛔ That cannot be done"]
    assert studio.text()


@pytest.mark.parametrize("line", ["!pause", "!skip", "!stop"])
async def test_transport_from_outside_of_the_channel_is_refused(studio: Studio, line: str) -> None:
    await studio.start_with("first", "second")
    for stranger in (CARA, in_voice(BEN, OTHER_ROOM)):
        await studio.say(line, by=stranger)
        assert f"<#{LOUNGE}>" in studio.text()
    assert studio.sounding() == "https://files.example/first.ogg"


async def test_pause_and_resume_go_on_at_the_very_position(studio: Studio) -> None:
    await studio.start_with("first")
    await studio.guild.clock.advance(10)
    await studio.say("!pause")
    assert studio.seen == ["⏸️ Paused"]
    await studio.guild.clock.advance(60)
    await studio.say("!resume")
    assert studio.seen == ["⏸️ Paused", "▶️ Resumed"]
    assert studio.player.view(GUILD).position_ms == 10_000


async def test_pause_twice_says_so(studio: Studio) -> None:
    await studio.start_with("first")
    await studio.say("!pause")
    await studio.say("!pause")
    assert "paused already" in studio.text()


async def test_skip_plays_the_next_and_names_both(studio: Studio) -> None:
    await studio.start_with("first", "second")
    await studio.say("!skip")
    assert studio.sounding() == "https://files.example/second.ogg"
    said = studio.guild.outbox.messages.values()
    text = next(
        m["embeds"][0]["description"] for m in said if m["embeds"][0]["title"] == "⏭️ Skipped"
    )
    assert "first" in text
    assert "Next: [second]" in text


async def test_skip_several_counts_them(studio: Studio) -> None:
    await studio.start_with("one", "two", "three", "four")
    await studio.say("!skip 3")
    assert studio.sounding() == "https://files.example/four.ogg"
    assert studio.queued() == []


async def test_skip_beyond_the_end_ends_the_music(studio: Studio) -> None:
    await studio.start_with("one", "two")
    await studio.say("!skip 10")
    assert studio.sounding() is None
    assert studio.seen == ["⏭️ Skipped"]
    assert "end of the queue" in studio.text()


@pytest.mark.parametrize("line", ["!skip 0", "!skip -1", "!skip many"])
async def test_skip_wrong_count_reads_the_usage(studio: Studio, line: str) -> None:
    await studio.start_with("one", "two")
    await studio.say(line)
    assert studio.seen == ["📖 Usage"]
    assert studio.sounding() == "https://files.example/one.ogg"


async def test_stop_ends_the_music_and_clears_the_queue(studio: Studio) -> None:
    await studio.start_with("one", "two")
    await studio.say("!stop")
    assert studio.sounding() is None
    assert studio.queued() == []
    assert studio.seen == ["⏹️ Stopped"]
    assert studio.voice.channels == {GUILD: LOUNGE}
