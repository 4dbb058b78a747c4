"""Nodes that go and come, bots that are killed: what plays afterwards, and from where."""

import asyncio

import pytest

from services.audio.errors import NodeUnavailable
from services.audio.player_events import (
    NowPlaying,
    PlaybackInterrupted,
    PlaybackStopped,
    PlaybackWentOn,
    StopCause,
)
from services.audio.player_state import LoopMode, Where
from services.audio.ports import VoiceSocketClosed
from services.db.errors import StorageUnavailable
from tests.fakes.manual_clock import settle
from tests.services.audio.player_world import CHANNEL, GUILD, TEXT, PlayerWorld
from tests.services.audio.tracks import track


# ── the node ────────────────────────────────────────────────────────────────
async def test_node_that_dies_and_comes_back_goes_on_where_it_was(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.clock.advance(30)
    world.node.die()
    await world.clock.advance(3)
    assert world.player.view(GUILD).position_ms == 30_000
    world.node.come_back()
    await settle()
    assert world.node.starts[-1] == ("a", 30_000)
    assert len(world.voice.joins) == 2
    await world.finish()
    assert world.heard == "b"
    assert [event.entry.track.title for event in world.told(NowPlaying)] == ["a", "b"]


async def test_node_that_resumes_is_not_told_to_play_again(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.clock.advance(30)
    world.node.lose_sight()
    await world.clock.advance(3)
    world.node.come_back(resumed=True)
    await settle()
    assert world.node.starts == [("a", 0)]
    assert world.player.view(GUILD).position_ms == 33_000
    await world.finish()
    assert world.heard == "b"


async def test_node_that_went_on_out_of_sight_is_followed(world: PlayerWorld) -> None:
    if not world.node.gapless:
        pytest.skip("this node does not go on by itself")
    await world.play("a", "b", "c")
    world.node.lose_sight()
    world.node.finish(GUILD)
    await settle()
    world.node.come_back(resumed=True)
    await settle()
    assert (world.current, world.heard, world.queue) == ("b", "b", ["c"])
    await world.finish()
    assert world.heard == "c"


async def test_track_that_ended_out_of_sight_is_not_played_again(world: PlayerWorld) -> None:
    await world.play("a")
    world.node.lose_sight()
    world.node.finish(GUILD)
    await settle()
    world.node.come_back(resumed=True)
    await settle()
    assert world.current is None
    assert world.heard is None
    assert world.node.heard == ["a"]


async def test_node_that_stays_away_is_announced_once_and_its_return_too(
    world: PlayerWorld,
) -> None:
    await world.play("a")
    world.node.die()
    await world.clock.advance(60)
    assert len(world.told(PlaybackInterrupted)) == 1
    world.node.come_back()
    await settle()
    assert [event.entry.track.title for event in world.told(PlaybackWentOn)] == ["a"]


async def test_node_that_is_back_at_once_is_not_worth_a_message(world: PlayerWorld) -> None:
    await world.play("a")
    world.node.die()
    await world.clock.advance(2)
    world.node.come_back()
    await world.clock.advance(60)
    assert world.told(PlaybackInterrupted) == []


async def test_pause_while_the_node_is_away_holds_when_it_is_back(world: PlayerWorld) -> None:
    await world.play("a")
    await world.clock.advance(10)
    world.node.die()
    await settle()
    await world.player.pause(GUILD, by=7)
    world.node.come_back()
    await settle()
    assert world.node.sounds[GUILD].paused
    assert world.player.view(GUILD).position_ms == 10_000


async def test_pause_that_finds_the_node_dead_holds_when_it_is_back(world: PlayerWorld) -> None:
    await world.play("a")
    world.node.turns = 3
    pausing = asyncio.create_task(world.player.pause(GUILD, by=7))
    await asyncio.sleep(0)
    world.node.die()
    await pausing
    world.node.come_back()
    await settle()
    assert world.player.view(GUILD).paused
    assert world.node.sounds[GUILD].paused


async def test_skip_while_the_node_is_away_plays_the_next_when_it_is_back(
    world: PlayerWorld,
) -> None:
    await world.play("a", "b", "c")
    world.node.die()
    await settle()
    await world.player.skip(GUILD)
    world.node.come_back()
    await settle()
    assert (world.heard, world.current, world.queue) == ("b", "b", ["c"])


async def test_play_while_the_node_is_away_fails_with_a_sentence(world: PlayerWorld) -> None:
    await world.play("a")
    world.node.die()
    await settle()
    queued = world.player.push_track(GUILD, track("b"), Where.END)
    with pytest.raises(NodeUnavailable):
        await world.player.kick_off_playback(GUILD)
    assert world.player.take_back(GUILD, queued.entry_id)
    world.node.come_back()
    await settle()
    assert world.heard == "a"


async def test_voice_connection_that_discord_ended_is_made_anew(world: PlayerWorld) -> None:
    await world.play("a")
    await world.clock.advance(20)
    world.player_hears(VoiceSocketClosed(GUILD, 4006, "session invalid"))
    await world.clock.advance(2)
    assert len(world.voice.joins) == 2
    assert world.heard == "a"
    assert 20_000 <= world.player.view(GUILD).position_ms <= 22_000


# ── the bot ─────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("resumed", [True, False], ids=["node outlives", "node is gone too"])
async def test_bot_that_is_killed_goes_on_with_everything(
    world: PlayerWorld, *, resumed: bool
) -> None:
    await world.play("a", "b", "c")
    await world.player.set_volume(GUILD, 30)
    await world.player.set_loop(GUILD, LoopMode.QUEUE)
    world.player.set_silent(GUILD, silent=True)
    await world.clock.advance(42)
    await world.kill()
    await world.start_again(resumed=resumed)
    view = world.player.view(GUILD)
    assert (world.current, world.heard, world.queue) == ("a", "a", ["b", "c"])
    assert (view.volume, view.loop, view.silent) == (30, LoopMode.QUEUE, True)
    assert (view.voice_channel_id, view.text_channel_id) == (CHANNEL, TEXT)
    assert world.node.sounds[GUILD].volume == 30
    # the position is stored every five seconds
    assert 37_000 <= view.position_ms <= 43_000
    assert len(world.node.starts) == (1 if resumed else 2)
    assert len(world.told(NowPlaying)) == 1
    await world.finish()
    assert (world.heard, world.queue) == ("b", ["c", "a"])


@pytest.mark.parametrize("resumed", [True, False])
async def test_bot_that_is_killed_while_paused_stays_paused(
    world: PlayerWorld, *, resumed: bool
) -> None:
    await world.play("a")
    await world.clock.advance(12)
    await world.player.pause(GUILD, by=7)
    await settle()
    await world.kill()
    await world.start_again(resumed=resumed)
    view = world.player.view(GUILD)
    assert (view.paused, view.paused_by, view.position_ms) == (True, 7, 12_000)
    assert world.node.sounds[GUILD].paused
    await world.player.resume(GUILD)
    assert not world.node.sounds[GUILD].paused


async def test_bot_that_is_killed_while_its_node_goes_on_catches_up(world: PlayerWorld) -> None:
    if not world.node.gapless:
        pytest.skip("this node does not go on by itself")
    await world.play("a", "b", "c")
    await world.kill()
    world.node.finish(GUILD)
    await world.start_again(resumed=True)
    assert (world.current, world.heard, world.queue) == ("b", "b", ["c"])
    await world.finish()
    assert (world.heard, world.queue) == ("c", [])


async def test_bot_that_is_killed_before_the_start_was_stored_adopts_it(
    world: PlayerWorld,
) -> None:
    await world.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
    world.player.push_track(GUILD, track("a"), Where.END)
    await world.player.stored(GUILD)
    world.store.failing = True
    await world.player.kick_off_playback(GUILD)
    await world.kill()
    await world.start_again(resumed=True)
    assert (world.current, world.heard, world.queue) == ("a", "a", [])
    assert world.node.heard == ["a"]


async def test_bot_whose_channel_is_closed_after_the_restart_keeps_the_queue(
    world: PlayerWorld,
) -> None:
    await world.play("a", "b")
    await world.kill()
    world.voice.closed[CHANNEL] = "I may not join there any more."
    await world.start_again(resumed=False)
    assert world.heard is None
    assert [event.cause for event in world.told(PlaybackStopped)] == [StopCause.VOICE]
    world.voice.closed.clear()
    await world.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
    assert await world.player.kick_off_playback(GUILD) is not None
    assert (world.current, world.queue) == ("a", ["b"])


async def test_bot_with_a_new_gateway_session_rejoins_and_plays_on(world: PlayerWorld) -> None:
    await world.play("a")
    world.voice.channels.clear()
    await world.player.restore()
    await settle()
    assert world.voice.channels == {GUILD: CHANNEL}
    assert world.node.starts == [("a", 0)]


async def test_guild_that_was_at_rest_is_at_rest_after_the_restart(world: PlayerWorld) -> None:
    await world.play("a")
    await world.player.set_volume(GUILD, 55)
    await world.player.leave(GUILD)
    await world.player.stored(GUILD)
    joins = len(world.voice.joins)
    await world.kill()
    await world.start_again(resumed=False)
    assert (world.current, world.queue, len(world.voice.joins)) == (None, [], joins)
    assert world.player.view(GUILD).volume == 55


# ── the disk ────────────────────────────────────────────────────────────────
async def test_disk_that_is_full_is_told_and_what_was_changed_is_stored_later(
    world: PlayerWorld,
) -> None:
    await world.play("a")
    world.store.failing = True
    world.player.push_track(GUILD, track("b"), Where.END)
    with pytest.raises(StorageUnavailable, match="full"):
        await world.player.stored(GUILD)
    assert (world.heard, world.queue) == ("a", ["b"])
    world.store.failing = False
    await world.clock.advance(5)
    await world.player.stored(GUILD)
    await world.kill()
    await world.start_again(resumed=False)
    assert (world.current, world.queue) == ("a", ["b"])


async def test_disk_that_is_full_does_not_silence_the_music(world: PlayerWorld) -> None:
    await world.play("a", "b")
    world.store.failing = True
    await world.finish()
    await world.clock.advance(10)
    assert world.heard == "b"
    assert [event.entry.track.title for event in world.told(NowPlaying)] == ["a", "b"]


async def test_now_playing_is_told_after_it_is_stored(world: PlayerWorld) -> None:
    await world.play("a", "b")
    stored_when_told = [
        guild.record.current_entry_id
        for guild in world.store.guilds.values()
        if guild.record.guild_id == GUILD
    ]
    assert stored_when_told == [int(world.told(NowPlaying)[-1].entry.entry_id)]


# ── at the worst moment ─────────────────────────────────────────────────────
@pytest.mark.parametrize("back_at_once", [True, False])
async def test_node_that_dies_while_it_starts_a_track_plays_it_when_it_is_back(
    world: PlayerWorld, *, back_at_once: bool
) -> None:
    await world.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
    world.player.push_tracks(GUILD, [track("a"), track("b")], Where.END)
    world.node.turns = 2
    starting = asyncio.create_task(world.player.kick_off_playback(GUILD))
    await world.node.until_started()
    world.node.die()
    if back_at_once:
        world.node.come_back()
    with pytest.raises(NodeUnavailable):
        await starting
    if not back_at_once:
        world.node.come_back()
    await settle()
    assert (world.heard, world.current, world.queue) == ("a", "a", ["b"])


async def test_looped_queue_that_went_on_while_the_bot_was_away_keeps_every_track(
    world: PlayerWorld,
) -> None:
    if not world.node.gapless:
        pytest.skip("this node does not go on by itself")
    await world.play("a", "b", "c")
    await world.player.set_loop(GUILD, LoopMode.QUEUE)
    await settle()
    await world.kill()
    world.node.finish(GUILD)
    await world.start_again(resumed=True)
    assert (world.heard, world.queue) == ("b", ["c", "a"])


async def test_pause_that_the_disk_knows_holds_for_a_node_that_plays_on(
    world: PlayerWorld,
) -> None:
    await world.play("a")
    await world.player.pause(GUILD, by=7)
    await settle()
    world.store.failing = True
    await world.player.resume(GUILD)
    await world.kill()
    await world.start_again(resumed=True)
    assert world.player.view(GUILD).paused
    assert world.node.sounds[GUILD].paused


async def test_voice_connection_that_breaks_for_ever_is_given_up(world: PlayerWorld) -> None:
    await world.play("a", "b")
    for _ in range(6):
        world.player_hears(VoiceSocketClosed(GUILD, 4017, "no encryption"))
        await world.clock.advance(3)
    assert len(world.voice.joins) == 4
    assert [event.cause for event in world.told(PlaybackStopped)] == [StopCause.VOICE]
    assert (world.voice.channels, world.queue) == ({}, ["b"])
