"""Tracks that fail, and changes that come at the worst moment."""

import asyncio

import pytest

from services.audio.errors import ExtractionFailed, ExtractionReason
from services.audio.player_events import PlaybackStopped, StopCause, TrackSkipped
from services.audio.player_state import Where
from services.audio.ports import TrackStuck
from tests.fakes.manual_clock import settle
from tests.services.audio.player_world import CHANNEL, GUILD, TEXT, PlayerWorld
from tests.services.audio.tracks import track

GONE = ExtractionFailed("The video is gone.", reason=ExtractionReason.NOT_FOUND)


async def test_track_that_breaks_off_is_tried_again_where_it_was(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.clock.advance(42)
    world.node.break_off(GUILD)
    await settle()
    assert world.node.starts[-1] == ("a", 42_000)
    assert world.heard == "a"
    assert world.told(TrackSkipped) == []


async def test_track_that_breaks_off_twice_is_skipped_with_the_reason(world: PlayerWorld) -> None:
    await world.play("a", "b")
    for _ in range(2):
        world.node.break_off(GUILD)
        await settle()
    assert (world.heard, world.queue) == ("b", [])
    assert [event.entry.track.title for event in world.told(TrackSkipped)] == ["a"]


async def test_track_that_breaks_off_at_its_very_end_has_ended(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.clock.advance(179)
    world.node.break_off(GUILD)
    await settle()
    assert world.heard == "b"
    assert world.told(TrackSkipped) == []


async def test_track_that_gets_stuck_is_tried_again(world: PlayerWorld) -> None:
    await world.play("a")
    await world.clock.advance(10)
    entry = world.node.sounds[GUILD].track.entry_id
    world.player_hears(TrackStuck(GUILD, entry, 10_000))
    await settle()
    assert world.node.starts[-1] == ("a", 10_000)


async def test_three_failures_in_a_row_stop_with_a_message(world: PlayerWorld) -> None:
    await world.play("a", "x", "y", "z", "b")
    world.node.unplayable |= {"x", "y", "z"}
    await world.finish()
    await world.clock.advance(10)
    assert (world.heard, world.current, world.queue) == (None, None, ["b"])
    assert [event.entry.track.title for event in world.told(TrackSkipped)] == ["x", "y", "z"]
    assert [event.cause for event in world.told(PlaybackStopped)] == [StopCause.FAILURES]


async def test_failures_with_a_good_track_between_do_not_stop(world: PlayerWorld) -> None:
    await world.play("a", "x", "y", "b", "z", "c")
    world.node.unplayable |= {"x", "y", "z"}
    for _ in range(2):
        await world.finish()
        await world.clock.advance(10)
    assert world.heard == "c"
    assert world.told(PlaybackStopped) == []


async def test_track_that_cannot_be_found_is_skipped_before_its_turn(world: PlayerWorld) -> None:
    world.media.missing["x"] = GONE
    await world.play("a", "x", "b")
    await world.clock.advance(30)
    assert (world.heard, world.queue) == ("a", ["b"])
    assert [event.reason for event in world.told(TrackSkipped)] == ["The video is gone."]
    assert world.media.prepared[-1] == "b"


# ── in the moment of a change ───────────────────────────────────────────────
async def test_queue_cleared_before_the_end_is_cleared_on_the_node_too(
    world: PlayerWorld,
) -> None:
    await world.play("a", "b")
    world.player.clear(GUILD)
    await settle()
    await world.finish()
    assert world.node.heard == ["a"]


async def test_track_that_replaces_another_is_followed_without_delay(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.player.play_now(GUILD, track("now"))
    await settle()
    await world.finish()
    assert world.heard == "b"


async def test_track_that_ends_while_another_is_put_in_its_place_is_over(
    world: PlayerWorld,
) -> None:
    await world.play("a", "b", "c")
    world.node.turns = 2
    replacing = asyncio.create_task(world.player.play_now(GUILD, track("now")))
    for _ in range(4):
        await asyncio.sleep(0)
    world.node.finish(GUILD)
    await replacing
    await settle()
    assert (world.heard, world.current) == ("now", "now")
    assert world.queue[-1:] == ["c"]


async def test_node_that_starts_what_was_just_removed_is_corrected(world: PlayerWorld) -> None:
    if not world.node.gapless:
        pytest.skip("this node starts nothing by itself")
    await world.play("a", "b", "c")
    world.node.turns = 3
    world.player.remove(GUILD, 1)
    for _ in range(3):  # c has been handed over, but the node has not heard of it yet
        await asyncio.sleep(0)
    world.node.finish(GUILD)
    assert world.heard == "b"
    await settle()
    assert (world.heard, world.current, world.queue) == ("c", "c", [])


# ── lengths that nobody knew ────────────────────────────────────────────────
async def test_track_of_unknown_length_is_skipped_once_it_has_played_for_too_long(
    world: PlayerWorld,
) -> None:
    await world.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
    world.player.push_track(GUILD, track("endless", duration_ms=None), Where.END)
    world.player.push_track(GUILD, track("b", duration_ms=None), Where.END)
    await world.player.kick_off_playback(GUILD)
    await world.clock.advance(30 * 60)
    await world.player.pause(GUILD, by=7)
    await world.clock.advance(2 * 60 * 60)
    await world.player.resume(GUILD)
    await world.clock.advance(29 * 60)
    assert world.heard == "endless"
    await world.clock.advance(10 * 60)
    assert (world.heard, world.current) == ("b", "b")
    skipped = world.told(TrackSkipped)
    assert [event.entry.track.title for event in skipped] == ["endless"]
    assert "60 min" in skipped[0].reason


async def test_track_of_known_length_is_never_cut(world: PlayerWorld) -> None:
    await world.play("a")
    await world.clock.advance(3 * 60 * 60)
    assert world.heard == "a"
