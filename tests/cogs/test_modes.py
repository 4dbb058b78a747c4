"""Loop and silence: what plays again, and what is not announced."""

import pytest

from services.audio.player_state import LoopMode
from tests.cogs.studio import Studio
from tests.fakes.discord_guild import GUILD, settle


async def test_loop_track_plays_it_again(studio: Studio) -> None:
    await studio.start_with("one", "two")
    await studio.say("!loop track")
    studio.node.finish(GUILD)
    await settle()
    assert studio.sounding() == "https://files.example/one.ogg"
    assert studio.seen == ["🔂 Looping the track"]


async def test_loop_queue_brings_the_first_back_after_the_last(studio: Studio) -> None:
    await studio.start_with("one", "two")
    await studio.say("!loop queue")
    studio.node.finish(GUILD)
    await settle()
    assert studio.sounding() == "https://files.example/two.ogg"
    assert studio.queued() == ["one"]


async def test_loop_without_a_word_goes_round(studio: Studio) -> None:
    await studio.start_with("one")
    modes = []
    for _ in range(3):
        await studio.say("!loop")
        modes.append(studio.player.view(GUILD).loop)
    assert modes == [LoopMode.TRACK, LoopMode.QUEUE, LoopMode.OFF]


async def test_loop_is_kept_on_disk(studio: Studio) -> None:
    await studio.start_with("one")
    await studio.say("!loop QUEUE")
    assert studio.store.guilds[GUILD].record.loop is LoopMode.QUEUE


@pytest.mark.parametrize("line", ["!loop forever", "!silent maybe"])
async def test_mode_that_is_none_reads_the_usage(studio: Studio, line: str) -> None:
    await studio.start_with("one")
    await studio.say(line)
    assert studio.seen == ["📖 Usage"]


@pytest.mark.parametrize("name", ["silent", "shh", "quiet"])
async def test_silent_session_announces_no_track(studio: Studio, name: str) -> None:
    await studio.start_with("one", "two")
    await studio.say(f"!{name}")
    studio.node.finish(GUILD)
    await settle()
    assert studio.sounding() == "https://files.example/two.ogg"
    assert studio.seen == ["🤫 Silent"]


async def test_silent_again_or_off_announces_tracks_again(studio: Studio) -> None:
    await studio.start_with("one", "two")
    await studio.say("!silent on")
    await studio.say("!silent")
    assert not studio.player.view(GUILD).silent
    await studio.say("!silent off")
    assert studio.seen == ["🤫 Silent", "📣 Not silent", "📣 Not silent"]
    studio.node.finish(GUILD)
    await settle()
    assert studio.seen[-1] == "🎶 Now playing"
