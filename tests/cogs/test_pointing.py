"""What is suggested while a member types, and what a message offers to play."""

from dataclasses import replace
from typing import Any

import pytest

from bot.kit.clicks.click import AutocompleteRequest
from bot.kit.clicks.payload import autocomplete_from
from bot.kit.converters import Text
from bot.kit.people import AttachedFile, GuildMember, TargetMessage
from cogs.play.pointing import in_message, suggestions
from services.audio.track import Source
from tests.cogs.studio import Studio, track
from tests.fakes.discord_guild import ADA, CARA, settle
from tests.kit.clicks.payloads import autocomplete

SONG = AttachedFile(
    url="https://cdn.example/a.mp3", filename="a.mp3", content_type="audio/mpeg", size_bytes=9
)
PICTURE = AttachedFile(
    url="https://cdn.example/p.png", filename="p.png", content_type="image/png", size_bytes=9
)


def message(text: str = "", **parts: object) -> TargetMessage:
    return replace(TargetMessage(id=1, author_id=2, text=text), **parts)  # type: ignore[arg-type]  # by name


# ── suggestions ─────────────────────────────────────────────────────────────
def test_suggestions_hold_all_words_newest_first_and_each_track_once() -> None:
    history = [track("Blue Moon"), track("Red Moon"), track("Blue Moon"), track("Moon in blue")]
    choices = suggestions(history, "blue MOON")
    assert [choice.name for choice in choices] == ["Blue Moon (3:00)", "Moon in blue (3:00)"]
    assert choices[0].value == "https://files.example/Blue Moon.ogg"


def test_suggestions_for_nothing_typed_are_the_newest() -> None:
    history = [track(f"t{number}") for number in range(40)]
    choices = suggestions(history, " ")
    assert len(choices) == 25
    assert choices[0].name == "t0 (3:00)"


def test_suggestions_keep_to_discords_limits() -> None:
    long_title = replace(track("a"), title="x" * 300, duration_ms=None)
    long_address = replace(track("b"), url="https://files.example/" + "y" * 100)
    nameless = replace(track("c"), title="\u200b", duration_ms=None)
    choices = suggestions([long_title, long_address, nameless], "")
    assert len(choices) == 2
    assert all(0 < len(choice.name) <= 100 for choice in choices)


def test_suggestions_leave_out_files_whose_address_expires() -> None:
    assert suggestions([replace(track("a"), source=Source.ATTACHMENT)], "") == ()


def test_suggestions_for_a_link_are_those_that_it_begins() -> None:
    history = [track("one"), track("two")]
    choices = suggestions(history, "https://files.example/t")
    assert [choice.name for choice in choices] == ["two (3:00)"]
    assert suggestions(history, "files.example") == ()


async def test_play_suggests_from_the_history_of_the_guild(studio: Studio) -> None:
    await studio.start_with("one", "two")
    studio.node.finish(10)
    await settle()
    await studio.player.stored(10)
    bound = studio.commands.on_slash(("play",))
    assert bound is not None
    (field,) = [a for a in bound.spec.arguments if isinstance(a, Text)]
    assert field.autocomplete is not None
    typed = {"type": 3, "name": "query", "value": "o", "focused": True}
    payload = autocomplete("play", [typed])
    payload["guild_id"] = "10"
    names = [choice.name for choice in await field.autocomplete(request_of(payload))]
    assert names == ["two (3:00)", "one (3:00)"]


def request_of(payload: dict[str, Any]) -> AutocompleteRequest:
    return autocomplete_from(payload, number=1, received_at=0.0)


# ── a message ───────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("pointed_at", "played"),
    [
        (message("hear https://a.example/x.mp3 and https://b.example"), "https://a.example/x.mp3"),
        (message("(see <https://a.example/x>)."), "https://a.example/x"),
        (message("[this](https://a.example/x_(live))!"), "https://a.example/x_(live)"),
        (message("so **https://a.example/x**, ok"), "https://a.example/x"),
        (message("never  gonna\ngive you up"), "never gonna give you up"),
        (message("https://a.example", files=(PICTURE, SONG)), SONG),
        (message("look", files=(PICTURE,)), PICTURE),
        (message("", links=("https://a.example/page",)), "https://a.example/page"),
        (message("", embedded="[one](https://a.example/1) `3:00`"), "https://a.example/1"),
        (message(" \n"), None),
    ],
)
def test_message_offers_its_file_link_or_words(
    pointed_at: TargetMessage, played: AttachedFile | str | None
) -> None:
    assert in_message(pointed_at) == played


async def choose_play_this(studio: Studio, target: TargetMessage, *, by: GuildMember = ADA) -> None:
    bound = studio.commands.on_menu("message", "Play this")
    assert bound is not None
    await studio.runner.run_menu(bound, studio.guild.call(by), target)
    await settle()


async def test_play_this_plays_the_link_of_a_message(studio: Studio) -> None:
    url = studio.add_file("tone")
    await choose_play_this(studio, message(f"listen: {url}"))
    assert studio.sounding() == url
    assert studio.seen == ["⏳ Queuing…", "✅ Added to queue", "🎶 Now playing"]


async def test_play_this_on_an_empty_message_is_refused(studio: Studio) -> None:
    await choose_play_this(studio, message())
    assert studio.seen == ["⛔ That cannot be done"]
    assert "nothing to play" in studio.text()


async def test_play_this_from_outside_of_voice_is_refused(studio: Studio) -> None:
    await choose_play_this(studio, message(studio.add_file("tone")), by=CARA)
    assert studio.sounding() is None
