"""The history: what is shown, who may queue from it, for how long."""

import pytest

from services.audio.errors import ExtractionFailed, ExtractionReason
from tests.cogs.studio import Studio
from tests.fakes.discord_guild import ADA, BEN, GUILD, LOUNGE, OTHER_ROOM, settle

HISTORY = "🕘 Played last"
GONE = ExtractionFailed("It is gone.", reason=ExtractionReason.NOT_FOUND)


async def played(studio: Studio, *names: str) -> None:
    """Let these tracks play to their end, silently."""
    studio.player.set_silent(GUILD, silent=True)
    await studio.start_with(*names)
    for _ in names:
        studio.node.finish(GUILD)
        await settle()
    await studio.player.stored(GUILD)
    studio.seen.clear()


async def test_history_of_a_new_guild_is_empty(studio: Studio) -> None:
    await studio.say("!history")
    assert studio.seen == ["🕳️ No history yet"]


async def test_history_shows_ten_newest_first_with_a_button_each(studio: Studio) -> None:
    await played(studio, *(f"song {number}" for number in range(12)))
    await studio.say("!history")
    lines = studio.text().splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("`1.` [song 11]")
    assert lines[9].startswith("`10.` [song 2]")
    assert studio.guild.labels() == [str(number) for number in range(1, 11)]


async def test_history_button_plays_the_track_again(studio: Studio) -> None:
    await played(studio, "one", "two")
    await studio.say("!history")
    studio.guild.click("2")
    await settle()
    assert studio.sounding() == "https://files.example/one.ogg"
    assert studio.seen == [HISTORY, "✅ Added to queue"]


async def test_history_buttons_queue_in_click_order_for_who_clicked(studio: Studio) -> None:
    await played(studio, "one", "two", "three")
    await studio.start_with("now")
    await studio.say("!history", by=BEN)
    menu = studio.guild.outbox.newest_id()
    for label in ("4", "2", "4"):
        studio.guild.click(label, by=BEN, on=menu)
    studio.guild.click("3", by=ADA, on=menu)
    await settle()
    assert studio.queued() == ["one", "three", "one"]
    entries = studio.player.page(GUILD, 1).entries
    assert {entry.track.requested_by for entry in entries} == {BEN.id}


async def test_history_menu_goes_two_minutes_after_the_last_click(studio: Studio) -> None:
    await played(studio, "one")
    await studio.start_with("now")
    await studio.say("!history")
    menu = studio.guild.outbox.newest_id()
    await studio.guild.clock.advance(119)
    studio.guild.click("2", on=menu)
    await settle()
    await studio.guild.clock.advance(119)
    assert HISTORY in studio.guild.outbox.titles()
    await studio.guild.clock.advance(1)
    assert HISTORY not in studio.guild.outbox.titles()
    assert studio.guild.serving() == 0


@pytest.mark.parametrize("channel", [None, OTHER_ROOM])
async def test_history_button_from_outside_of_the_channel_is_refused(
    studio: Studio, channel: int | None
) -> None:
    await played(studio, "one")
    await studio.start_with("now")
    await studio.say("!history")
    studio.places.channels[ADA.id] = channel or 0
    if channel is None:
        del studio.places.channels[ADA.id]
    answer = studio.guild.click("2")
    await settle()
    assert studio.queued() == []
    (private,) = answer.private
    assert f"<#{LOUNGE}>" in private["embeds"][0]["description"]


async def test_history_track_that_is_gone_says_why_and_the_menu_stays(studio: Studio) -> None:
    await played(studio, "one", "two")
    await studio.say("!history")
    menu = studio.guild.outbox.newest_id()
    studio.media.missing["https://files.example/two.ogg"] = GONE
    studio.guild.click("1", on=menu)
    await settle()
    assert studio.seen[-1] == "⚠️ That did not work"
    studio.guild.click("2", on=menu)
    await settle()
    assert studio.sounding() == "https://files.example/one.ogg"
