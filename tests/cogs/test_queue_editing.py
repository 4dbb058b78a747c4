"""Members put the queue in order: what is gone, what is said, which numbers are valid."""

import pytest

from bot.kit.converters import WrongArgument
from cogs.queue_editing import Positions, Which, parse_which
from services.audio.player_state import Where
from tests.cogs.studio import Studio, track
from tests.fakes.discord_guild import BEN, CARA, GUILD, LOUNGE, settle


@pytest.mark.parametrize(
    ("text", "which"),
    [
        ("3", Positions(3, 3)),
        ("3-7", Positions(3, 7)),
        ("7 - 3", Positions(7, 3)),
        ("3\u20137", Positions(3, 7)),
        ("2..4", Positions(2, 4)),
        ("mine", Which.MINE),
        ("DUPLICATES", Which.DUPLICATES),
        ("dupes", Which.DUPLICATES),
    ],
)
def test_which_tracks_is_read(text: str, which: Positions | Which) -> None:
    assert parse_which(text) == which


@pytest.mark.parametrize("text", ["", "-3", "3-", "all", "1,2", "9" * 20, "٣", "1-2-3"])
def test_which_tracks_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(WrongArgument, match="duplicates"):
        parse_which(text)


async def test_clear_drops_what_waits_and_offers_to_undo(studio: Studio) -> None:
    await studio.start_with("one", "two", "three")
    await studio.say("!clear")
    assert studio.queued() == []
    assert studio.sounding() == "https://files.example/one.ogg"
    assert studio.seen == ["🧹 Queue cleared"]
    assert studio.text() == "2 tracks dropped."
    assert studio.guild.labels() == ["Undo"]


async def test_clear_message_with_its_button_goes_after_a_minute(studio: Studio) -> None:
    await studio.start_with("one", "two")
    await studio.say("!clear")
    await studio.guild.clock.advance(59)
    assert "🧹 Queue cleared" in studio.guild.outbox.titles()
    await studio.guild.clock.advance(1)
    assert "🧹 Queue cleared" not in studio.guild.outbox.titles()


async def test_remove_one_range_mine_and_duplicates(studio: Studio) -> None:
    await studio.start_with("now", "a", "b", "c", "d", "b", "e")
    await studio.say("!remove duplicates")
    assert studio.queued() == ["a", "b", "c", "d", "e"]
    await studio.say("!remove 2")
    assert studio.queued() == ["a", "c", "d", "e"]
    assert "[b]" in studio.text()
    await studio.say("!remove 2-3")
    assert studio.queued() == ["a", "e"]
    assert "2 tracks, the first of them [c]" in studio.text()
    await studio.say("!remove mine", by=BEN)
    assert studio.seen[-1] == "🔍 Nothing found"
    await studio.say("!remove mine")
    assert studio.queued() == []
    assert studio.seen.count("🗑️ Removed") == 4


@pytest.mark.parametrize(
    "line", ["!remove 3", "!remove 0", "!remove 1-3", "!move 3 1", "!move 1 -1", "!jump 0"]
)
async def test_wrong_number_is_refused_and_names_the_valid_ones(studio: Studio, line: str) -> None:
    await studio.start_with("now", "a", "b")
    await studio.say(line)
    assert studio.seen == ["⛔ That cannot be done"]
    assert "1 to 2" in studio.text()
    assert studio.queued() == ["a", "b"]


@pytest.mark.parametrize("line", ["!remove 1", "!move 1 1", "!jump 1", "!clear", "!shuffle"])
async def test_editing_an_empty_queue_is_refused(studio: Studio, line: str) -> None:
    await studio.start_with("now")
    await studio.say(line)
    assert studio.seen == ["⛔ That cannot be done"]
    assert studio.sounding() is not None


@pytest.mark.parametrize(
    "line",
    ["!clear", "!remove 1", "!move 1 2", "!shuffle", "!undo", "!jump 1", "!previous"],
)
async def test_editing_from_outside_of_the_channel_is_refused(studio: Studio, line: str) -> None:
    await studio.start_with("now", "a", "b")
    await studio.say(line, by=CARA)
    assert f"<#{LOUNGE}>" in studio.text()
    assert studio.queued() == ["a", "b"]


async def test_move_puts_a_track_there(studio: Studio) -> None:
    await studio.start_with("now", "a", "b", "c")
    await studio.say("!move 3 1")
    assert studio.queued() == ["c", "a", "b"]
    assert "It is number 1 now." in studio.text()


async def test_shuffle_keeps_every_track_and_names_the_next(studio: Studio) -> None:
    await studio.start_with("now", *(f"t{number}" for number in range(9)))
    await studio.say("!shuffle")
    assert sorted(studio.queued()) == [f"t{number}" for number in range(9)]
    assert f"Next: [{studio.queued()[0]}]" in studio.text()
    assert "9 tracks" in studio.text()


async def test_title_that_a_site_made_up_is_shown_harmlessly(studio: Studio) -> None:
    await studio.start_with("now", "@everyone **loud** [x](y)")
    await studio.say("!remove 1")
    shown = studio.text().split("](")[0]
    assert "@everyone" not in shown
    assert "**loud**" not in shown


async def test_search_shows_numbers_and_turns_pages(studio: Studio) -> None:
    await studio.start_with("now", *(f"Blue song {number}" for number in range(12)), "other")
    await studio.say("!search BLUE")
    assert studio.seen == ["🔎 In the queue"]
    assert "`1.` [Blue song 0]" in studio.text()
    studio.guild.click("▶")
    await settle()
    assert "`12.` [Blue song 11]" in studio.text()
    assert "other" not in studio.text()


async def test_search_for_what_is_not_queued_says_so(studio: Studio) -> None:
    await studio.start_with("now", "a")
    await studio.say("!search `@here`")
    assert studio.seen == ["🔍 Nothing found"]
    assert "``" not in studio.text()


# ── undo ────────────────────────────────────────────────────────────────────
async def test_undo_by_command_brings_the_queue_back(studio: Studio) -> None:
    await studio.start_with("now", "a", "b")
    await studio.say("!clear")
    studio.player.push_track(GUILD, track("c"), Where.END)
    await studio.say("!undo", by=BEN)
    assert studio.queued() == ["a", "b", "c"]
    assert studio.seen[-1] == "↩️ Undone"
    assert "2 tracks are back" in studio.text()
    await studio.say("!undo")
    assert studio.seen[-1] == "⛔ That cannot be done"


@pytest.mark.parametrize(
    "line", ["!clear", "!remove 2", "!remove 1-3", "!move 3 1", "!shuffle", "!skip 2", "!jump 3"]
)
async def test_undo_button_stands_under_everything_that_reorders(studio: Studio, line: str) -> None:
    await studio.start_with("now", "a", "b", "c", "d")
    await studio.say("!silent on")
    await studio.say(line)
    click, _ = studio.guild.clicked("Undo", by=BEN)
    await studio.undo.consume(click)
    await settle()
    assert studio.queued() == ["a", "b", "c", "d"]
    assert studio.sounding() == "https://files.example/now.ogg"
    assert studio.guild.outbox.titles()[-1] == "↩️ Undone"
    assert studio.guild.labels() == []


async def test_undo_button_is_for_those_in_the_channel(studio: Studio) -> None:
    await studio.start_with("now", "a")
    await studio.say("!clear")
    click, answer = studio.guild.clicked("Undo", by=CARA)
    await studio.undo.consume(click)
    assert studio.queued() == []
    (private,) = answer.private
    assert f"<#{LOUNGE}>" in private["embeds"][0]["description"]
    assert studio.guild.labels() == ["Undo"]


async def test_undo_button_pressed_twice_undoes_once(studio: Studio) -> None:
    await studio.start_with("now", "a")
    await studio.say("!clear")
    click, answer = studio.guild.clicked("Undo", by=BEN)
    await studio.undo.consume(click)
    await studio.undo.consume(click)
    assert studio.queued() == ["a"]
    assert "within a minute" in answer.private[0]["embeds"][0]["description"]


async def test_undo_button_of_an_older_message_undoes_that_one(studio: Studio) -> None:
    await studio.start_with("now", "a", "b", "c")
    await studio.say("!remove 1")
    click, _ = studio.guild.clicked("Undo", by=BEN)
    await studio.say("!remove 1")
    await studio.undo.consume(click)
    assert studio.queued() == ["a", "c"]


# ── previous and jump ───────────────────────────────────────────────────────
async def test_previous_plays_what_was_played_before(studio: Studio) -> None:
    await studio.start_with("one", "two")
    await studio.say("!skip")
    await studio.say("!prev")
    assert studio.sounding() == "https://files.example/one.ogg"
    assert studio.queued() == ["two"]
    assert "⏮️ Previous" in studio.seen


async def test_previous_with_nothing_before_is_refused(studio: Studio) -> None:
    await studio.start_with("one")
    await studio.say("!previous")
    assert studio.seen == ["⛔ That cannot be done"]
    assert "before this" in studio.text()


async def test_jump_names_the_track_and_counts_what_it_passes(studio: Studio) -> None:
    await studio.start_with("one", "two", "three", "four")
    await studio.say("!silent on")
    await studio.say("!jump 3")
    assert studio.sounding() == "https://files.example/four.ogg"
    assert "[four]" in studio.text()
    assert "2 queued tracks were passed over" in studio.text()
