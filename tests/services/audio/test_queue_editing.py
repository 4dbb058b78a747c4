"""What members do to the queue's order, and how they take it back within a minute."""

import asyncio

import pytest

from services.audio.errors import NothingPlaying
from services.audio.player_state import LoopMode, Where
from services.errors import NothingFound, Refusal
from tests.fakes.manual_clock import settle
from tests.services.audio.player_world import CHANNEL, GUILD, TEXT, PlayerWorld
from tests.services.audio.tracks import track


async def test_remove_range_takes_all_between_and_undo_brings_them_back(
    world: PlayerWorld,
) -> None:
    await world.play("now", "a", "b", "c", "d", "e")
    edited = await world.player.remove_range(GUILD, 4, 2)
    assert (edited.count, edited.track.title) == (3, "b")
    assert world.queue == ["a", "e"]
    await world.player.undo(GUILD, edited.undo)
    assert world.queue == ["a", "b", "c", "d", "e"]


async def test_remove_range_beyond_the_end_names_the_valid_positions(world: PlayerWorld) -> None:
    await world.play("now", "a", "b")
    with pytest.raises(Refusal, match=r"number 3 .* 1 to 2"):
        await world.player.remove_range(GUILD, 2, 3)
    assert world.queue == ["a", "b"]


async def test_remove_of_a_member_leaves_the_others(world: PlayerWorld) -> None:
    await world.play("now", "a", "b")
    with pytest.raises(NothingFound):
        await world.player.remove_of(GUILD, 8)
    assert (await world.player.remove_of(GUILD, 7)).count == 2
    assert world.queue == []
    assert world.current == "now"


async def test_remove_duplicates_leaves_the_first_of_each(world: PlayerWorld) -> None:
    await world.play("now", "a", "b", "a", "c", "b", "a")
    assert (await world.player.remove_duplicates(GUILD)).count == 3
    assert world.queue == ["a", "b", "c"]
    with pytest.raises(NothingFound):
        await world.player.remove_duplicates(GUILD)


async def test_undo_takes_the_newest_change_first_and_each_once(world: PlayerWorld) -> None:
    await world.play("now", "a", "b", "c", "d")
    world.player.move(GUILD, 1, to=3)
    world.player.remove(GUILD, 1)
    assert world.queue == ["c", "a", "d"]
    await world.player.undo(GUILD)
    assert world.queue == ["b", "c", "a", "d"]
    await world.player.undo(GUILD)
    assert world.queue == ["a", "b", "c", "d"]
    with pytest.raises(Refusal, match="within a minute"):
        await world.player.undo(GUILD)


async def test_undo_by_number_takes_that_change_alone(world: PlayerWorld) -> None:
    await world.play("now", "a", "b", "c")
    first = world.player.remove(GUILD, 1)
    world.player.remove(GUILD, 1)
    await world.player.undo(GUILD, first.undo)
    assert world.queue == ["a", "c"]
    with pytest.raises(Refusal):
        await world.player.undo(GUILD, first.undo)


async def test_undo_after_a_minute_is_too_late(world: PlayerWorld) -> None:
    await world.play("now", "a", "b")
    first = world.player.remove(GUILD, 1)
    await world.clock.advance(59)
    second = world.player.remove(GUILD, 1)
    await world.clock.advance(2)
    with pytest.raises(Refusal):
        await world.player.undo(GUILD, first.undo)
    await world.player.undo(GUILD, second.undo)
    assert world.queue == ["b"]


async def test_undo_of_clear_keeps_what_was_queued_since_behind(world: PlayerWorld) -> None:
    await world.play("now", "a", "b")
    world.player.clear(GUILD)
    world.player.push_track(GUILD, track("new"), Where.END)
    await world.player.undo(GUILD)
    assert world.queue == ["a", "b", "new"]


async def test_undo_of_clear_plays_on_when_the_last_track_has_ended(world: PlayerWorld) -> None:
    await world.play("now", "a", "b")
    world.player.clear(GUILD)
    await settle()
    await world.finish()
    assert world.current is None
    await world.player.undo(GUILD)
    await settle()
    assert world.heard == "a"
    assert world.queue == ["b"]


async def test_undo_of_clear_is_kept_over_a_restart(world: PlayerWorld) -> None:
    await world.play("now", *(f"t{number}" for number in range(600)))
    before = world.queue
    world.player.clear(GUILD)
    await world.player.stored(GUILD)
    await world.player.undo(GUILD)
    await world.player.stored(GUILD)
    await world.kill()
    await world.start_again(resumed=True)
    assert world.queue == before
    with pytest.raises(Refusal):
        await world.player.undo(GUILD)


async def test_undo_of_shuffle_brings_the_old_order_back(world: PlayerWorld) -> None:
    await world.play("now", *(f"t{number}" for number in range(100)))
    before = world.queue
    edited = await world.player.shuffle(GUILD)
    assert edited.count == 100
    assert world.queue != before
    assert edited.track.title == world.queue[0]
    await world.player.undo(GUILD)
    assert world.queue == before


async def test_undo_of_a_move_whose_track_is_gone_is_refused(world: PlayerWorld) -> None:
    await world.play("now", "a", "b")
    moved = world.player.move(GUILD, 2, to=1)
    world.player.remove(GUILD, 1)
    with pytest.raises(Refusal, match="not queued any more"):
        await world.player.undo(GUILD, moved.undo)


async def test_undo_after_stop_brings_nothing_back(world: PlayerWorld) -> None:
    await world.play("now", "a")
    world.player.remove(GUILD, 1)
    await world.player.stop(GUILD)
    with pytest.raises(Refusal):
        await world.player.undo(GUILD)
    assert world.queue == []


async def test_undo_of_skip_plays_on_where_the_track_was(world: PlayerWorld) -> None:
    await world.play("one", "two", "three", "four")
    await world.clock.advance(42)
    outcome = await world.player.skip(GUILD, 3)
    assert world.heard == "four"
    await world.player.undo(GUILD, outcome.undo)
    await settle()
    assert world.heard == "one"
    assert world.node.starts[-1] == ("one", 42_000)
    assert world.queue == ["two", "three", "four"]


async def test_undo_of_skip_beyond_the_end_brings_all_back(world: PlayerWorld) -> None:
    await world.play("one", "two", "three")
    await world.player.skip(GUILD, 9)
    assert world.current is None
    await world.player.undo(GUILD)
    await settle()
    assert world.heard == "one"
    assert world.queue == ["two", "three"]


async def test_undo_of_skip_in_a_looped_queue_plays_nothing_twice(world: PlayerWorld) -> None:
    await world.play("one", "two", "three", "four")
    await world.player.set_loop(GUILD, LoopMode.QUEUE)
    await world.player.skip(GUILD, 2)
    assert (world.current, world.queue) == ("three", ["four", "one", "two"])
    await world.player.undo(GUILD)
    assert (world.current, world.queue) == ("one", ["two", "three", "four"])


async def test_undo_of_skip_to_a_track_that_fails_leaves_the_current_one(
    world: PlayerWorld,
) -> None:
    await world.play("one", "two")
    await world.player.skip(GUILD)
    world.node.unplayable.add("one")
    with pytest.raises(Exception, match="cannot be read"):
        await world.player.undo(GUILD)
    await settle()
    assert (world.heard, world.current, world.queue) == ("two", "two", [])


async def test_jump_plays_that_track_and_passes_over_the_ones_before(world: PlayerWorld) -> None:
    await world.play("one", "two", "three", "four", "five")
    outcome = await world.player.jump(GUILD, 3)
    assert (world.heard, world.queue) == ("four", ["five"])
    assert (outcome.skipped.track.title, outcome.count) == ("one", 3)
    with pytest.raises(Refusal, match="valid is only 1"):
        await world.player.jump(GUILD, 2)
    await world.player.undo(GUILD)
    assert (world.current, world.queue) == ("one", ["two", "three", "four", "five"])


async def test_two_jumps_at_once_go_where_each_member_pointed(world: PlayerWorld) -> None:
    await world.play("one", "two", "three", "four", "five")
    world.node.turns = 3
    jumps = (world.player.jump(GUILD, 2), world.player.jump(GUILD, 4))
    await asyncio.gather(world.player.pause(GUILD, by=7), *jumps)
    await settle()
    assert (world.heard, world.queue) == ("five", [])


async def test_find_gives_positions_of_titles_with_all_words(world: PlayerWorld) -> None:
    await world.play("now", "Blue Moon", "Red Moon", "blue sky", "Moonlight in Blue")
    found = await world.player.find(GUILD, "  MOON blue ", limit=1)
    assert found.total == 2
    assert [(place, entry.track.title) for place, entry in found.entries] == [(1, "Blue Moon")]
    assert len(world.queue) == 4


async def test_find_looks_through_a_hundred_thousand_tracks_in_turns(world: PlayerWorld) -> None:
    await world.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
    world.player.push_tracks(GUILD, [track(f"t{n}") for n in range(100_000)], Where.END)
    searching = asyncio.ensure_future(world.player.find(GUILD, "t99999"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not searching.done()
    ((position, _),) = (await searching).entries
    assert position == 100_000


# ── previous ────────────────────────────────────────────────────────────────
async def test_previous_goes_back_track_by_track_and_forward_again(world: PlayerWorld) -> None:
    await world.play("a", "b", "c", "d")
    await world.finish()
    await world.finish()
    await world.player.previous(GUILD)
    await settle()
    assert (world.heard, world.queue) == ("b", ["c", "d"])
    await world.player.previous(GUILD)
    await settle()
    assert (world.heard, world.queue) == ("a", ["b", "c", "d"])
    with pytest.raises(NothingPlaying, match="before this"):
        await world.player.previous(GUILD)
    await world.finish()
    await world.finish()
    assert world.heard == "c"
    await world.player.previous(GUILD)
    assert (world.heard, world.queue) == ("b", ["c", "d"])


async def test_previous_after_the_end_plays_the_last_one(world: PlayerWorld) -> None:
    await world.play("a", "b")
    await world.finish()
    await world.finish()
    assert world.current is None
    await world.player.previous(GUILD)
    assert world.queue == []
    assert world.current == "b"


async def test_previous_knows_what_was_played_before_a_restart(world: PlayerWorld) -> None:
    await world.play("a", "b", "c")
    await world.finish()
    await world.player.stored(GUILD)
    await world.kill()
    await world.start_again(resumed=True)
    await world.player.previous(GUILD)
    await settle()
    assert (world.heard, world.queue) == ("a", ["b", "c"])


async def test_previous_that_cannot_be_played_leaves_the_current_one(world: PlayerWorld) -> None:
    await world.play("a", "b", "c")
    await world.finish()
    world.node.unplayable.add("a")
    with pytest.raises(Exception, match="cannot be read"):
        await world.player.previous(GUILD)
    await settle()
    assert (world.heard, world.queue) == ("b", ["c"])


async def test_previous_in_a_looped_queue_plays_nothing_twice(world: PlayerWorld) -> None:
    await world.play("a", "b", "c")
    await world.player.set_loop(GUILD, LoopMode.QUEUE)
    await world.finish()
    await world.player.previous(GUILD)
    await settle()
    assert world.heard == "a"
    assert world.queue.count("b") == 1
    assert world.queue[0] == "b"
