"""When the bot leaves its voice channel, and what it forgets then."""

import pytest

from services.audio.errors import NothingPlaying
from services.audio.player_events import (
    LeftAlone,
    LeftIdle,
    PlaybackHalted,
    PlaybackMoved,
    ThrownOut,
)
from services.audio.player_state import LoopMode, Where
from tests.fakes.manual_clock import settle
from tests.services.audio.player_world import ALONE, CHANNEL, GUILD, IDLE, TEXT, PlayerWorld
from tests.services.audio.tracks import track


async def test_bot_leaves_five_minutes_after_the_queue_ran_empty(world: PlayerWorld) -> None:
    await world.play("a")
    await world.finish()
    await world.clock.advance(IDLE - 1)
    assert world.voice.channels == {GUILD: CHANNEL}
    await world.clock.advance(2)
    assert world.voice.channels == {}
    assert [event.text_channel_id for event in world.told(LeftIdle)] == [TEXT]


async def test_bot_leaves_five_minutes_after_stop(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.player.stop(GUILD)
    await world.clock.advance(IDLE + 1)
    assert world.voice.channels == {}


async def test_bot_leaves_five_minutes_after_a_join_without_music(world: PlayerWorld) -> None:
    await world.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
    await world.clock.advance(IDLE + 1)
    assert world.voice.channels == {}


async def test_new_track_cancels_the_goodbye(world: PlayerWorld) -> None:
    await world.play("a")
    await world.finish()
    await world.clock.advance(IDLE - 1)
    await world.play("b")
    await world.clock.advance(IDLE * 2)
    assert world.heard == "b"
    assert world.told(LeftIdle) == []


async def test_track_queued_just_before_the_goodbye_is_not_lost(world: PlayerWorld) -> None:
    await world.play("a")
    await world.finish()
    await world.clock.advance(IDLE - 1)
    world.player.push_track(GUILD, track("b"), Where.END)
    await world.clock.advance(5)
    assert await world.player.kick_off_playback(GUILD) is not None
    assert world.heard == "b"


async def test_paused_bot_does_not_leave(world: PlayerWorld) -> None:
    await world.play("a")
    await world.player.pause(GUILD, by=7)
    await world.clock.advance(IDLE * 3)
    assert world.voice.channels == {GUILD: CHANNEL}


async def test_bot_left_alone_leaves_after_a_short_grace(world: PlayerWorld) -> None:
    await world.play("a", "b")
    world.voice.listeners[GUILD] = 0
    await world.player.listeners_changed(GUILD)
    await world.clock.advance(ALONE + 1)
    assert world.voice.channels == {}
    assert world.heard is None
    assert len(world.told(LeftAlone)) == 1
    assert (world.current, world.queue) == (None, [])


async def test_listener_who_comes_back_keeps_the_bot(world: PlayerWorld) -> None:
    await world.play("a")
    world.voice.listeners[GUILD] = 0
    await world.player.listeners_changed(GUILD)
    await world.clock.advance(ALONE - 1)
    world.voice.listeners[GUILD] = 1
    await world.player.listeners_changed(GUILD)
    await world.clock.advance(ALONE * 2)
    assert world.heard == "a"


async def test_bot_that_finds_itself_alone_after_a_restart_leaves(world: PlayerWorld) -> None:
    await world.play("a")
    await world.kill()
    world.voice.listeners[GUILD] = 0
    await world.start_again(resumed=True)
    assert world.heard == "a"
    await world.clock.advance(ALONE + 1)
    assert world.voice.channels == {}
    assert world.heard is None


async def test_bot_thrown_out_forgets_its_session(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.player.set_loop(GUILD, LoopMode.TRACK)
    world.voice.channels.clear()
    await world.player.voice_changed(GUILD, None)
    await settle()
    view = world.player.view(GUILD)
    assert (world.heard, world.current, world.queue) == (None, None, [])
    assert (view.loop, view.voice_channel_id) == (LoopMode.OFF, None)
    assert len(world.told(ThrownOut)) == 1


async def test_bot_thrown_out_can_be_called_again(world: PlayerWorld) -> None:
    await world.play("a")
    world.voice.channels.clear()
    await world.player.voice_changed(GUILD, None)
    await settle()
    await world.play("b")
    assert world.heard == "b"


async def test_bot_moved_goes_on_in_the_other_channel(world: PlayerWorld) -> None:
    await world.play("a")
    world.voice.channels[GUILD] = CHANNEL + 1
    await world.player.voice_changed(GUILD, CHANNEL + 1)
    await settle()
    assert world.heard == "a"
    assert world.player.view(GUILD).voice_channel_id == CHANNEL + 1
    assert [event.voice_channel_id for event in world.told(PlaybackMoved)] == [CHANNEL + 1]
    await world.kill()
    await world.start_again(resumed=False)
    assert world.voice.channels == {GUILD: CHANNEL + 1}


async def test_leave_ends_the_session_and_keeps_the_volume(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.player.set_volume(GUILD, 20)
    await world.player.leave(GUILD)
    assert (world.voice.channels, world.heard, world.queue) == ({}, None, [])
    assert world.player.view(GUILD).volume == 20
    await settle()
    assert len(world.told(PlaybackHalted)) == 1
    with pytest.raises(NothingPlaying):
        await world.player.leave(GUILD)


async def test_leave_is_not_taken_for_being_thrown_out(world: PlayerWorld) -> None:
    await world.play("a")
    await world.player.leave(GUILD)
    await world.player.voice_changed(GUILD, None)
    await settle()
    assert world.told(ThrownOut) == []
