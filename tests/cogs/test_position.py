"""Seek and replay: how times are written, where the music goes, and what is refused."""

import pytest

from bot.kit.converters import WrongArgument
from cogs.position import Target, parse_target
from tests.cogs.studio import Studio
from tests.fakes.discord_guild import CARA, GUILD, LOUNGE


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1:23", 83),
        ("0:05", 5),
        ("1:02:03", 3723),
        ("90", 90),
        ("90s", 90),
        ("1m30s", 90),
        ("1h 2m", 3720),
        ("2min", 120),
        ("100:00", 6000),
    ],
)
def test_time_from_the_beginning_is_read(text: str, seconds: int) -> None:
    assert parse_target(text) == Target(seconds * 1000, relative=False)


@pytest.mark.parametrize(
    ("text", "seconds"), [("+30s", 30), ("-10s", -10), ("+1:00", 60), ("- 5", -5), ("+1m", 60)]
)
def test_time_from_here_is_read(text: str, seconds: int) -> None:
    assert parse_target(text) == Target(seconds * 1000, relative=True)


@pytest.mark.parametrize(
    "text", ["", "+", "soon", "1:60", "1:2:3:4", "--5", "1.5", "9" * 40, "٣", "s", "1:", ":30"]
)
def test_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(WrongArgument, match="1:23"):
        parse_target(text)


async def test_seek_goes_to_the_time(studio: Studio) -> None:
    await studio.start_with("first")
    await studio.say("!seek 1:23")
    assert studio.player.view(GUILD).position_ms == 83_000
    assert studio.seen == ["⏩ Forward"]
    assert "`1:23`" in studio.text()


async def test_seek_with_a_sign_counts_from_here(studio: Studio) -> None:
    await studio.start_with("first")
    await studio.guild.clock.advance(20)
    await studio.say("!seek +30s")
    assert studio.player.view(GUILD).position_ms == 50_000
    await studio.say("!seek -10s")
    assert studio.player.view(GUILD).position_ms == 40_000
    await studio.say("!seek -2:00")
    assert studio.player.view(GUILD).position_ms == 0
    assert studio.seen == ["⏩ Forward", "⏪ Back", "⏪ Back"]


@pytest.mark.parametrize("line", ["!seek 3:00", "!seek 99:59", "!seek +180s"])
async def test_seek_beyond_the_end_names_the_length(studio: Studio, line: str) -> None:
    await studio.start_with("first")
    await studio.say(line)
    assert studio.seen == ["⛔ That cannot be done"]
    assert "3:00 long" in studio.text()
    assert studio.player.view(GUILD).position_ms == 0


@pytest.mark.parametrize("line", ["!seek", "!seek soon"])
async def test_seek_without_a_time_reads_the_usage(studio: Studio, line: str) -> None:
    await studio.start_with("first")
    await studio.say(line)
    assert studio.seen == ["📖 Usage"]
    assert "`!seek <time>`" in studio.text()


@pytest.mark.parametrize("line", ["!seek 5", "!replay"])
async def test_position_with_nothing_playing_is_refused(studio: Studio, line: str) -> None:
    await studio.say(line)
    assert studio.seen == ["⛔ That cannot be done"]
    assert "Nothing is playing" in studio.text()


@pytest.mark.parametrize("line", ["!seek 5", "!replay", "!loop track", "!silent"])
async def test_session_from_outside_of_the_channel_is_left_alone(studio: Studio, line: str) -> None:
    await studio.start_with("first")
    before = studio.player.view(GUILD)
    await studio.say(line, by=CARA)
    assert f"<#{LOUNGE}>" in studio.text()
    assert studio.player.view(GUILD) == before


async def test_replay_begins_again_also_when_paused(studio: Studio) -> None:
    await studio.start_with("first")
    await studio.guild.clock.advance(60)
    await studio.say("!pause")
    await studio.say("!replay")
    view = studio.player.view(GUILD)
    assert (view.position_ms, view.paused) == (0, False)
    assert studio.seen[-1] == "🔁 From the beginning"
