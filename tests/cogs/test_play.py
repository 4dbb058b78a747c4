"""From `!play` to music: what members read, in which order, and what they never read."""

import asyncio

import pytest

from bot.kit.people import AttachedFile
from services.audio.errors import NodeUnavailable, TrackRefused
from services.audio.extraction import FoundList
from services.audio.ports import Probe
from tests.cogs.studio import Studio, found
from tests.fakes.discord_guild import ADA, BEN, CARA, GUILD, LOUNGE, OTHER_ROOM, in_voice, settle
from tests.fakes.outbox import NO_PERMISSION


async def test_play_url_on_an_idle_player_reads_queuing_added_now_playing(studio: Studio) -> None:
    url = studio.add_file("tone")
    await studio.say(f"!play {url}")
    assert studio.seen == ["⏳ Queuing…", "✅ Added to queue", "🎶 Now playing"]
    assert studio.sounding() == url
    assert studio.voice.channels == {GUILD: LOUNGE}
    assert len(studio.first_sounds) == 1


async def test_play_added_comes_before_now_playing_however_slow_discord_is(
    studio: Studio,
) -> None:
    url = studio.add_file("tone")
    studio.guild.outbox.held = asyncio.Event()
    saying = asyncio.create_task(studio.say(f"!play {url}"))
    await settle()
    assert studio.sounding() == url
    assert studio.seen == []
    studio.guild.outbox.held.set()
    await saying
    assert studio.seen[-2:] == ["✅ Added to queue", "🎶 Now playing"]


async def test_play_on_a_playing_player_only_queues(studio: Studio) -> None:
    await studio.start_with("first")
    await studio.say(f"!play {studio.add_file('second')}")
    assert studio.seen == ["⏳ Queuing…", "✅ Added to queue"]
    assert "Position 1" in studio.text()
    assert studio.queued() == ["second"]
    assert studio.sounding() == "https://files.example/first.ogg"


async def test_play_whose_start_fails_reads_the_error_instead_of_added(studio: Studio) -> None:
    url = studio.add_file("broken")
    studio.node.unplayable.add(url)
    await studio.say(f"!play {url}")
    assert studio.seen == ["⏳ Queuing…", "⚠️ That did not work"]
    assert studio.queued() == []
    assert studio.player.view(GUILD).current is None


async def test_play_refused_at_start_reads_the_reason(studio: Studio) -> None:
    url = studio.add_file("long")
    studio.media.missing[url] = TrackRefused("That track is 10 h long.")
    await studio.say(f"!play {url}")
    assert studio.seen == ["⏳ Queuing…", "⛔ That cannot be done"]
    assert "10 h" in studio.text()
    assert studio.queued() == []


async def test_play_dead_link_reads_the_sites_failure(studio: Studio) -> None:
    await studio.say("!play https://files.example/gone.ogg")
    assert studio.seen == ["⏳ Queuing…", "⚠️ That did not work"]
    assert studio.sounding() is None


async def test_play_in_a_channel_closed_to_the_bot_reads_the_refusal_only(
    studio: Studio,
) -> None:
    studio.voice.closed[LOUNGE] = f"I may not join <#{LOUNGE}>. Give me the permission *Connect*."
    await studio.say(f"!play {studio.add_file('tone')}")
    assert studio.seen == ["⏳ Queuing…", "⛔ That cannot be done"]
    assert "Connect" in studio.text()
    assert studio.queued() == []


async def test_play_that_may_not_join_gives_the_search_for_the_link_up(studio: Studio) -> None:
    studio.voice.closed[LOUNGE] = "The channel is full."
    studio.site.held = asyncio.Event()  # the site never answers
    await studio.say(f"!play {studio.add_file('tone')}")
    assert studio.seen[-1] == "⛔ That cannot be done"
    assert studio.site.under_way == 0


async def test_play_without_a_node_reads_that_and_queues_nothing(studio: Studio) -> None:
    studio.node.available = False
    await studio.say(f"!play {studio.add_file('tone')}")
    assert studio.seen[-1] == "⚠️ That did not work"
    assert "Added" not in " ".join(studio.seen)
    assert studio.queued() == []
    assert NodeUnavailable.__name__ not in studio.text()


async def test_play_outside_of_voice_is_refused(studio: Studio) -> None:
    await studio.say(f"!play {studio.add_file('tone')}", by=CARA)
    assert studio.seen == ["⛔ That cannot be done"]
    assert "Join a voice channel" in studio.text()


async def test_play_from_another_channel_is_refused_with_a_link(studio: Studio) -> None:
    await studio.start_with("first")
    await studio.say(f"!play {studio.add_file('second')}", by=in_voice(BEN, OTHER_ROOM))
    assert studio.seen == ["⛔ That cannot be done"]
    assert f"<#{LOUNGE}>" in studio.text()


async def test_play_from_two_channels_at_once_serves_the_first_and_refuses_the_other(
    studio: Studio,
) -> None:
    studio.site.held = asyncio.Event()
    one = asyncio.create_task(studio.say(f"!play {studio.add_file('one')}"))
    two = asyncio.create_task(
        studio.say(f"!play {studio.add_file('two')}", by=in_voice(BEN, OTHER_ROOM))
    )
    await settle()
    studio.site.held.set()
    await asyncio.gather(one, two)
    assert studio.voice.joins == [(GUILD, LOUNGE)]
    assert studio.sounding() == "https://files.example/one.ogg"
    assert studio.seen.count("⛔ That cannot be done") == 1


async def test_play_without_argument_reads_the_usage(studio: Studio) -> None:
    await studio.say("!play")
    assert studio.seen == ["📖 Usage"]
    assert "`!play [query] [file attached]`" in studio.text()


async def test_play_attachment_is_played(studio: Studio) -> None:
    url = "https://cdn.discordapp.com/attachments/1/2/voice.ogg"
    studio.site.files[url] = studio.site.files[studio.add_file("x")]
    file = AttachedFile(url=url, filename="voice.ogg", content_type="audio/ogg", size_bytes=9)
    await studio.say("!play", file=file)
    assert studio.seen == ["⏳ Queuing…", "✅ Added to queue", "🎶 Now playing"]
    assert "voice" in studio.text()


async def test_play_attachment_that_is_no_audio_is_refused(studio: Studio) -> None:
    file = AttachedFile(
        url="https://cdn.discordapp.com/attachments/1/2/cat.png",
        filename="cat.png",
        content_type="image/png",
        size_bytes=9,
    )
    await studio.say("!play", file=file)
    assert studio.seen == ["⏳ Queuing…", "⚠️ That did not work"]


async def test_play_private_scheme_is_refused_at_once(studio: Studio) -> None:
    await studio.say("!play file:///etc/passwd")
    assert studio.seen == ["⛔ That cannot be done"]


async def test_play_on_a_paused_player_queues_and_resumes(studio: Studio) -> None:
    await studio.start_with("first")
    await studio.say("!pause")
    await studio.say(f"!play {studio.add_file('second')}")
    assert studio.seen[-1] == "✅ Added to queue"
    assert not studio.player.view(GUILD).paused
    assert not studio.node.sounds[GUILD].paused
    assert studio.queued() == ["second"]


async def test_playtop_on_a_paused_player_starts_the_new_track_at_once(studio: Studio) -> None:
    await studio.start_with("first", "later")
    await studio.say("!pause")
    await studio.say(f"!playtop {studio.add_file('second')}")
    assert studio.sounding() == "https://files.example/second.ogg"
    assert studio.seen[-2:] == ["✅ Added to queue", "🎶 Now playing"]
    assert not studio.player.view(GUILD).paused


async def test_playtop_on_a_playing_player_queues_in_front(studio: Studio) -> None:
    await studio.start_with("first", "later")
    await studio.say(f"!playtop {studio.add_file('second')}")
    assert studio.queued() == ["second", "later"]
    assert "Plays next" in studio.text()
    assert studio.sounding() == "https://files.example/first.ogg"


async def test_playnow_replaces_what_plays(studio: Studio) -> None:
    await studio.start_with("first", "later")
    await studio.say(f"!playnow {studio.add_file('second')}")
    assert studio.sounding() == "https://files.example/second.ogg"
    assert studio.queued() == ["later"]
    assert studio.seen[-2:] == ["✅ Added to queue", "🎶 Now playing"]


async def test_playnow_that_fails_leaves_everything_as_it_was(studio: Studio) -> None:
    await studio.start_with("first", "later")
    url = studio.add_file("broken")
    studio.node.unplayable.add(url)
    await studio.say(f"!playnow {url}")
    assert studio.seen == ["⏳ Queuing…", "⚠️ That did not work"]
    assert studio.sounding() == "https://files.example/first.ogg"
    assert studio.queued() == ["later"]


async def test_play_stopped_before_it_could_start_reads_no_success(studio: Studio) -> None:
    url = studio.add_file("slow")
    studio.media.slow[url] = asyncio.Event()
    saying = asyncio.create_task(studio.say(f"!play {url}"))
    await settle()
    await studio.say("!stop", by=BEN)
    await saying
    assert "✅ Added to queue" not in studio.seen
    assert studio.sounding() is None


async def test_play_while_the_database_is_down_plays_and_says_that_it_is_not_saved(
    studio: Studio,
) -> None:
    studio.store.failing = True
    url = studio.add_file("tone")
    await studio.say(f"!play {url}")
    assert studio.sounding() == url
    added = [
        message["embeds"][0]
        for message in studio.guild.outbox.messages.values()
        if message["embeds"][0]["title"] == "✅ Added to queue"
    ]
    assert "Not saved yet" in added[0]["footer"]["text"]
    studio.store.failing = False


async def test_play_in_a_channel_where_the_bot_may_not_write_still_plays(studio: Studio) -> None:
    studio.guild.outbox.failing = NO_PERMISSION
    url = studio.add_file("tone")
    await studio.say(f"!play {url}")
    assert studio.sounding() == url
    assert studio.seen == []


async def test_play_title_with_markdown_and_mentions_is_only_text(studio: Studio) -> None:
    evil = "**@everyone** <@1> [x](http://evil) `\u202egpj"
    url = studio.add_file("evil")
    studio.site.files[url] = Probe(title=evil, artist=None, duration_ms=None)
    await studio.say(f"!play {url}")
    shown = studio.text()
    assert "**" not in shown
    assert "@everyone" not in shown
    assert "\u202e" not in shown
    assert r"\[x\]" in shown


async def test_play_playlist_adds_all_and_starts_the_first(studio: Studio) -> None:
    tracks = tuple(found(f"song {number}") for number in range(120))
    url = "https://www.youtube.com/playlist?list=PL1"
    studio.site.pages[url] = FoundList(url=url, title="Mix", tracks=tracks, total=130)
    await studio.say(f"!play {url}")
    assert studio.seen == ["⏳ Queuing…", "✅ Added to queue", "🎶 Now playing"]
    assert studio.player.view(GUILD).queue_length == 119
    assert studio.sounding() == "https://site.example/watch/song 0"


async def test_play_playlist_whose_node_is_gone_is_taken_back_whole(studio: Studio) -> None:
    tracks = tuple(found(f"song {number}") for number in range(500))
    url = "https://www.youtube.com/playlist?list=PL1"
    studio.site.pages[url] = FoundList(url=url, title="Mix", tracks=tracks, total=500)
    studio.node.available = False
    await studio.say(f"!play {url}")
    assert "✅ Added to queue" not in studio.seen
    assert studio.player.view(GUILD).queue_length == 0


# ── search ──────────────────────────────────────────────────────────────────
async def searching(studio: Studio, line: str = "!play some words") -> "asyncio.Task[None]":
    studio.site.results = tuple(found(name) for name in ("a", "b", "c", "d", "e", "f"))
    saying = asyncio.create_task(studio.say(line))
    await settle()
    return saying


async def test_play_words_shows_a_picker_with_five_results(studio: Studio) -> None:
    saying = await searching(studio)
    assert studio.guild.outbox.titles() == ["🔎 Choose a track"]
    assert studio.guild.labels() == ["1", "2", "3", "4", "5", "Cancel"]
    assert studio.text().count("\n") == 4
    studio.guild.click("Cancel")
    await saying


async def test_play_picked_result_is_added_and_the_picker_disappears(studio: Studio) -> None:
    saying = await searching(studio)
    studio.guild.click("2")
    await saying
    assert studio.sounding() == "https://site.example/watch/b"
    assert "🔎 Choose a track" not in studio.guild.outbox.titles()
    added = studio.seen.index("✅ Added to queue")
    assert studio.seen[added:] == ["✅ Added to queue", "🎶 Now playing"]


async def test_play_cancelled_picker_adds_nothing_and_stays_out_of_voice(studio: Studio) -> None:
    saying = await searching(studio)
    studio.guild.click("Cancel")
    await saying
    assert studio.guild.outbox.titles() == []
    assert studio.voice.joins == []
    assert studio.queued() == []


async def test_play_picked_result_that_fails_reads_the_error(studio: Studio) -> None:
    saying = await searching(studio)
    studio.node.unplayable.add("https://site.example/watch/a")
    studio.guild.click("1")
    await saying
    assert studio.guild.outbox.titles() == ["⚠️ That did not work"]


async def test_play_words_without_result_finds_nothing(studio: Studio) -> None:
    await studio.say("!play gibberish")
    assert studio.seen == ["🔎 Searching…", "🔍 Nothing found"]


async def test_play_pick_after_the_bot_went_elsewhere_is_refused(studio: Studio) -> None:
    saying = await searching(studio)
    await studio.say(f"!play {studio.add_file('x')}", by=in_voice(BEN, OTHER_ROOM))
    picker = next(
        message_id
        for message_id, body in studio.guild.outbox.messages.items()
        if body["embeds"][0]["title"] == "🔎 Choose a track"
    )
    studio.guild.click("1", on=picker)
    await saying
    assert studio.seen[-1] == "⛔ That cannot be done"
    assert studio.voice.joins == [(GUILD, OTHER_ROOM)]


@pytest.mark.parametrize("line", ["!playtop some words", "!playnow some words"])
async def test_play_variants_search_too(studio: Studio, line: str) -> None:
    saying = await searching(studio, line)
    studio.guild.click("3", by=ADA)
    await saying
    assert studio.sounding() == "https://site.example/watch/c"
