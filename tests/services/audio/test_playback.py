"""What a guild hears: starting, following, skipping, failing."""

import asyncio

import pytest

from services.audio.errors import (
    ExtractionFailed,
    ExtractionReason,
    NodeUnavailable,
    NothingPlaying,
    TrackUnplayable,
    VoiceJoinRefused,
)
from services.audio.player_events import (
    NowPlaying,
    QueueFinished,
    TrackSkipped,
)
from services.audio.player_state import LoopMode, Where
from services.errors import Refusal
from tests.fakes.manual_clock import settle
from tests.services.audio.player_world import CHANNEL, GUILD, TEXT, PlayerWorld
from tests.services.audio.tracks import track

GONE = ExtractionFailed("The video is gone.", reason=ExtractionReason.NOT_FOUND)


# ── starting ────────────────────────────────────────────────────────────────
async def test_play_on_an_idle_player_starts_the_track_and_announces_it(world: PlayerWorld) -> None:
    started = await world.play("a")
    assert started is not None
    assert started.track.title == "a"
    assert world.heard == "a"
    assert [event.entry.track.title for event in world.told(NowPlaying)] == ["a"]
    assert world.told(NowPlaying)[0].text_channel_id == TEXT


async def test_play_while_something_plays_only_queues(world: PlayerWorld) -> None:
    await world.play("a")
    assert await world.play("b") is None
    assert (world.heard, world.queue) == ("a", ["b"])


async def test_play_into_a_closed_channel_is_refused_before_anything_is_queued(
    world: PlayerWorld,
) -> None:
    world.voice.closed[CHANNEL] = "I may not join there."
    with pytest.raises(VoiceJoinRefused, match="may not join"):
        await world.play("a")
    assert world.queue == []


async def test_start_without_a_node_fails_and_leaves_the_track_to_be_taken_back(
    world: PlayerWorld,
) -> None:
    await world.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
    world.node.available = False
    queued = world.player.push_track(GUILD, track("a"), Where.END)
    with pytest.raises(NodeUnavailable):
        await world.player.kick_off_playback(GUILD)
    assert world.player.take_back(GUILD, queued.entry_id)
    assert (world.queue, world.current) == ([], None)


async def test_start_of_the_only_track_that_fails_raises_and_can_be_taken_back(
    world: PlayerWorld,
) -> None:
    world.node.unplayable.add("broken")
    with pytest.raises(TrackUnplayable):
        await world.play("broken")
    entry = world.player.page(GUILD, 1).entries[0]
    assert world.player.take_back(GUILD, entry.entry_id)
    assert not world.player.take_back(GUILD, entry.entry_id)
    assert world.told(NowPlaying) == []
    assert await world.play("good") is not None


async def test_start_of_a_playlist_whose_first_track_fails_plays_the_second(
    world: PlayerWorld,
) -> None:
    world.media.missing["broken"] = GONE
    started = await world.play("broken", "good")
    assert started is not None
    assert world.heard == "good"
    assert [event.reason for event in world.told(TrackSkipped)] == ["The video is gone."]


async def test_two_starts_at_once_play_one_track(world: PlayerWorld) -> None:
    await world.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
    world.player.push_tracks(GUILD, [track("a"), track("b")], Where.END)
    started = await asyncio.gather(*(world.player.kick_off_playback(GUILD) for _ in range(5)))
    assert [item.track.title for item in started if item is not None] == ["a"]
    assert (world.heard, world.queue) == ("a", ["b"])


async def test_track_taken_back_while_it_is_being_opened_is_never_heard(
    world: PlayerWorld,
) -> None:
    gate = world.media.slow["a"] = asyncio.Event()
    await world.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
    queued = world.player.push_track(GUILD, track("a"), Where.END)
    starting = asyncio.create_task(world.player.kick_off_playback(GUILD))
    await settle()
    world.player.take_back(GUILD, queued.entry_id)
    gate.set()
    assert await starting is None
    await settle()
    assert (world.heard, world.current, world.told(NowPlaying)) == (None, None, [])


async def test_play_now_replaces_what_plays(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.player.play_now(GUILD, track("now"))
    assert (world.heard, world.queue) == ("now", ["b"])


@pytest.mark.parametrize("where", ["media", "node"])
async def test_play_now_of_a_broken_track_changes_nothing(world: PlayerWorld, where: str) -> None:
    await world.play("a", "b")
    if where == "media":
        world.media.missing["broken"] = GONE
    else:
        world.node.unplayable.add("broken")
    with pytest.raises((ExtractionFailed, TrackUnplayable)):
        await world.player.play_now(GUILD, track("broken"))
    await settle()
    assert (world.heard, world.current, world.queue) == ("a", "a", ["b"])


# ── following ───────────────────────────────────────────────────────────────
async def test_track_that_ends_is_followed_by_the_next(world: PlayerWorld) -> None:
    await world.play("a", "b", "c")
    await world.finish()
    await world.finish()
    assert (world.heard, world.queue) == ("c", [])
    assert [event.entry.track.title for event in world.told(NowPlaying)] == ["a", "b", "c"]


async def test_next_track_is_prepared_while_the_current_one_plays(world: PlayerWorld) -> None:
    await world.play("a", "b")
    assert world.media.prepared == ["a", "b"]


async def test_gapless_node_goes_on_by_itself(world: PlayerWorld) -> None:
    if not world.node.gapless:
        pytest.skip("this node takes no next track")
    await world.play("a", "b")
    await world.finish()
    assert world.node.starts == [("a", 0)]
    assert world.heard == "b"


async def test_track_put_to_the_front_is_the_one_that_follows(world: PlayerWorld) -> None:
    await world.play("a", "b")
    world.player.push_track(GUILD, track("top"), Where.FRONT)
    await settle()
    await world.finish()
    assert (world.heard, world.queue) == ("top", ["b"])


async def test_queue_reordered_in_the_moment_of_the_change_loses_nothing(
    world: PlayerWorld,
) -> None:
    await world.play("a", "b")
    world.player.push_track(GUILD, track("top"), Where.FRONT)
    await world.finish()  # the node may have gone on with b: it was told of top too late
    assert world.heard in {"top", "b"}
    assert {world.heard, *world.queue} == {"top", "b"}
    assert world.current == world.heard


async def test_queue_cleared_in_the_moment_of_the_change_falls_silent(world: PlayerWorld) -> None:
    await world.play("a", "b")
    world.player.clear(GUILD)
    await world.finish()
    assert (world.heard, world.current, world.queue) == (None, None, [])


async def test_node_that_breaks_its_promise_is_told_to_play(world: PlayerWorld) -> None:
    await world.play("a", "b")
    world.node.next.clear()
    await world.finish()
    await world.clock.advance(10)
    assert (world.heard, world.current) == ("b", "b")


async def test_last_track_that_ends_finishes_the_queue(world: PlayerWorld) -> None:
    await world.play("a")
    await world.finish()
    assert (world.heard, world.current) == (None, None)
    assert len(world.told(QueueFinished)) == 1


async def test_loop_of_a_track_plays_it_again_and_announces_it_once(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.player.set_loop(GUILD, LoopMode.TRACK)
    await settle()
    await world.finish()
    await world.finish()
    assert world.node.heard == ["a", "a", "a"]
    assert (world.heard, world.queue) == ("a", ["b"])
    assert len(world.told(NowPlaying)) == 1
    assert len(await world.player.history(GUILD)) == 1


async def test_loop_of_the_queue_goes_round(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.player.set_loop(GUILD, LoopMode.QUEUE)
    await settle()
    for _ in range(4):
        await world.finish()
    assert world.node.heard == ["a", "b", "a", "b", "a"]
    assert world.queue == ["b"]


async def test_loop_of_a_queue_with_one_track_plays_it_again(world: PlayerWorld) -> None:
    await world.play("a")
    await world.player.set_loop(GUILD, LoopMode.QUEUE)
    await settle()
    await world.finish()
    assert (world.heard, world.queue) == ("a", [])


# ── skipping and stopping ───────────────────────────────────────────────────
async def test_skip_plays_the_next_track(world: PlayerWorld) -> None:
    await world.play("a", "b", "c")
    outcome = await world.player.skip(GUILD)
    assert outcome.skipped.track.title == "a"
    assert outcome.next is not None
    assert outcome.next.track.title == "b"
    assert (world.heard, world.queue) == ("b", ["c"])


async def test_skip_of_several_leaves_out_the_ones_between(world: PlayerWorld) -> None:
    await world.play("a", "b", "c", "d")
    outcome = await world.player.skip(GUILD, 3)
    assert (outcome.count, world.heard, world.queue) == (3, "d", [])


async def test_skip_beyond_the_end_stops(world: PlayerWorld) -> None:
    await world.play("a", "b")
    outcome = await world.player.skip(GUILD, 9)
    await settle()
    assert (outcome.count, outcome.next) == (2, None)
    assert (world.heard, world.current, world.queue) == (None, None, [])
    assert len(world.told(QueueFinished)) == 1


async def test_skip_in_a_looped_queue_keeps_what_it_skips(world: PlayerWorld) -> None:
    await world.play("a", "b", "c")
    await world.player.set_loop(GUILD, LoopMode.QUEUE)
    await world.player.skip(GUILD, 2)
    assert world.heard == "c"
    assert sorted(world.queue) == ["a", "b"]


async def test_skip_with_nothing_playing_is_refused(world: PlayerWorld) -> None:
    with pytest.raises(NothingPlaying):
        await world.player.skip(GUILD)


async def test_skip_of_a_track_that_is_being_looked_up_does_not_wait_for_it(
    world: PlayerWorld,
) -> None:
    world.media.slow["slow"] = asyncio.Event()
    await world.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
    world.player.push_tracks(GUILD, [track("slow"), track("b")], Where.END)
    starting = asyncio.create_task(world.player.kick_off_playback(GUILD))
    await settle()
    outcome = await world.player.skip(GUILD)
    assert await starting is None
    assert outcome.skipped.track.title == "slow"
    assert (world.heard, world.queue) == ("b", [])


async def test_stop_while_a_track_is_being_looked_up_does_not_wait_for_it(
    world: PlayerWorld,
) -> None:
    world.media.slow["slow"] = asyncio.Event()
    await world.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
    world.player.push_track(GUILD, track("slow"), Where.END)
    starts = [asyncio.create_task(world.player.kick_off_playback(GUILD)) for _ in range(3)]
    await settle()
    await world.player.stop(GUILD)
    assert [await start for start in starts] == [None, None, None]
    assert (world.heard, world.queue) == (None, [])


async def test_stop_clears_the_queue_and_keeps_the_history(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.player.stop(GUILD)
    await world.player.stored(GUILD)
    assert (world.heard, world.current, world.queue) == (None, None, [])
    assert [item.title for item in await world.player.history(GUILD)] == ["a"]
    with pytest.raises(NothingPlaying):
        await world.player.stop(GUILD)


async def test_history_shows_the_newest_first(world: PlayerWorld) -> None:
    await world.play("a", "b", "c")
    await world.finish()
    await world.finish()
    await world.player.stored(GUILD)
    assert [item.title for item in await world.player.history(GUILD, limit=2)] == ["c", "b"]


# ── pause, seek, volume ─────────────────────────────────────────────────────
async def test_pause_holds_the_position_and_names_who_paused(world: PlayerWorld) -> None:
    await world.play("a")
    await world.clock.advance(12)
    await world.player.pause(GUILD, by=7)
    await world.clock.advance(60)
    view = world.player.view(GUILD)
    assert (view.paused, view.paused_by, view.position_ms) == (True, 7, 12_000)
    await world.player.resume(GUILD)
    await world.clock.advance(3)
    view = world.player.view(GUILD)
    assert (view.paused, view.paused_by, view.position_ms) == (False, None, 15_000)


async def test_pause_and_resume_twice_are_refused(world: PlayerWorld) -> None:
    with pytest.raises(NothingPlaying):
        await world.player.pause(GUILD, by=7)
    await world.play("a")
    with pytest.raises(NothingPlaying, match="Nothing is paused"):
        await world.player.resume(GUILD)
    await world.player.pause(GUILD, by=7)
    with pytest.raises(NothingPlaying, match="paused already"):
        await world.player.pause(GUILD, by=8)


async def test_skip_of_a_paused_track_plays_the_next_one_aloud(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.player.pause(GUILD, by=7)
    await world.player.skip(GUILD)
    assert not world.player.view(GUILD).paused
    assert not world.node.sounds[GUILD].paused


async def test_top_track_on_a_paused_player_starts_at_once(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.player.pause(GUILD, by=7)
    world.player.push_track(GUILD, track("top"), Where.FRONT)
    await world.player.kick_off_playback(GUILD, replace=True)
    assert (world.heard, world.queue) == ("top", ["b"])
    assert not world.player.view(GUILD).paused


async def test_seek_moves_and_refuses_what_lies_beyond(world: PlayerWorld) -> None:
    await world.play("a")
    assert await world.player.seek(GUILD, 60_000) == 60_000
    assert world.player.view(GUILD).position_ms == 60_000
    assert await world.player.seek(GUILD, -5) == 0
    with pytest.raises(Refusal, match="beyond the end"):
        await world.player.seek(GUILD, 180_000)


async def test_replay_of_a_paused_track_begins_anew_and_aloud(world: PlayerWorld) -> None:
    await world.play("a")
    await world.clock.advance(20)
    await world.player.pause(GUILD, by=7)
    await world.player.replay(GUILD)
    view = world.player.view(GUILD)
    assert (view.position_ms, view.paused) == (0, False)


async def test_volume_holds_for_this_track_and_for_the_next(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.player.set_volume(GUILD, 30)
    assert world.node.sounds[GUILD].volume == 30
    await world.finish()
    assert world.node.sounds[GUILD].volume == 30
    for wrong in (-1, 501):
        with pytest.raises(Refusal):
            await world.player.set_volume(GUILD, wrong)


# ── guilds ──────────────────────────────────────────────────────────────────
async def test_guild_that_looks_up_a_slow_track_does_not_hold_up_another(
    world: PlayerWorld,
) -> None:
    world.media.slow["slow"] = asyncio.Event()
    other = 2
    await world.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
    world.player.push_track(GUILD, track("slow"), Where.END)
    starting = asyncio.create_task(world.player.kick_off_playback(GUILD))
    await world.player.connect(other, 20, text_channel_id=TEXT)
    world.player.push_track(other, track("quick"), Where.END)
    await world.player.kick_off_playback(other)
    assert world.node.sounding(other) == "quick"
    assert world.player.page(GUILD, 1).total == 1
    starting.cancel()
