"""The queue's pages: what plays on top, ten tracks each, turned by their author."""

from tests.cogs.studio import Studio
from tests.fakes.discord_guild import GUILD, settle


async def test_queue_with_nothing_says_it_is_empty(studio: Studio) -> None:
    await studio.say("!queue")
    assert studio.seen == ["🕳️ The queue is empty"]


async def test_queue_shows_what_plays_and_ten_tracks(studio: Studio) -> None:
    await studio.start_with(*(f"song {number}" for number in range(26)))
    await studio.guild.clock.advance(62)
    await studio.say("!queue")
    text = studio.text()
    assert text.startswith("**Now Playing**\n[song 0](https://files.example/song%200.ogg) `3:00`")
    assert "at `1:02`" in text
    assert "`1.` [song 1]" in text
    assert "`10.` [song 10]" in text
    assert "song 11" not in text
    assert studio.guild.labels() == ["▶"]
    message = studio.guild.outbox.messages[studio.guild.outbox.newest_id()]
    assert message["components"][0]["components"][1]["label"] == "1/3"
    assert "25 tracks · 1:15:00" in message["embeds"][0]["footer"]["text"]


async def test_queue_pages_are_turned_and_follow_the_queue(studio: Studio) -> None:
    await studio.start_with(*(f"song {number}" for number in range(26)))
    await studio.say("!queue")
    studio.guild.click("▶")
    await settle()
    assert "`11.` [song 11]" in studio.text()
    studio.player.clear(GUILD)
    studio.guild.click("▶")
    await settle()
    assert "Nothing comes after this" in str(
        studio.guild.outbox.messages[studio.guild.outbox.newest_id()]
    )


async def test_queue_page_that_does_not_exist_shows_the_last(studio: Studio) -> None:
    await studio.start_with(*(f"song {number}" for number in range(26)))
    await studio.say("!queue 99")
    assert "`21.` [song 21]" in studio.text()


async def test_queue_is_deleted_a_minute_after_the_last_click(studio: Studio) -> None:
    await studio.start_with(*(f"song {number}" for number in range(26)))
    await studio.say("!queue")
    await studio.guild.clock.advance(59)
    assert "📜 Queue" in studio.guild.outbox.titles()
    await studio.guild.clock.advance(1)
    assert "📜 Queue" not in studio.guild.outbox.titles()


async def test_queue_of_ten_thousand_long_titles_fits_into_a_message(studio: Studio) -> None:
    await studio.start_with(*("x_*" * 60 + str(number) for number in range(10_000)))
    await studio.say("!queue")
    text = studio.text()
    assert len(text) <= 4096
    assert "`10.`" in text


async def test_queue_says_when_it_is_paused(studio: Studio) -> None:
    await studio.start_with("one")
    await studio.say("!pause")
    await studio.say("!queue")
    assert "paused" in studio.text()
