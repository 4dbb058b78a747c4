"""The current track's card."""

from tests.cogs.studio import Studio
from tests.fakes.discord_guild import ADA


async def test_playing_shows_progress_source_and_who_added_it(studio: Studio) -> None:
    await studio.start_with("one")
    await studio.guild.clock.advance(90)
    await studio.say("!np")
    message = studio.guild.outbox.messages[studio.guild.outbox.newest_id()]
    embed = message["embeds"][0]
    assert embed["title"] == "🎶 Now playing"
    assert "`1:30`" in embed["description"]
    assert "`3:00`" in embed["description"]
    bar = embed["description"].split("` ")[1].split(" `")[0]
    assert bar.index("⬤") in (8, 9)
    values = {field["name"]: field["value"] for field in embed["fields"]}
    assert values == {"Source": "direct link", "Added by": f"<@{ADA.id}>", "Volume": "100 %"}


async def test_playing_paused_says_by_whom(studio: Studio) -> None:
    await studio.start_with("one")
    await studio.say("!pause")
    await studio.say("!playing")
    assert studio.seen[-1] == "⏸️ Paused"
    assert f"<@{ADA.id}>" in studio.text()


async def test_playing_nothing_is_refused(studio: Studio) -> None:
    await studio.say("!np")
    assert studio.seen == ["⛔ That cannot be done"]
