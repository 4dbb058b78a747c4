"""Autocomplete is answered within a second, whatever the provider does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from bot.kit.clicks import AnswerClient, AutocompleteRequest, Choice, Clicks
from tests.fakes.manual_clock import settle
from tests.kit.clicks.discord_server import DiscordServer
from tests.kit.clicks.hand_lane import InstantLane
from tests.kit.clicks.payloads import autocomplete
from tests.kit.clicks.watched_clock import WatchedClock


@pytest.fixture
def lane() -> InstantLane:
    return InstantLane()


@pytest.fixture
async def clicks(
    lane: InstantLane, discord: DiscordServer, clock: WatchedClock
) -> AsyncIterator[Clicks]:
    answers = AnswerClient(api_url=discord.api_url, ssl_context=None, clock=clock)
    clicks = Clicks(lane=lane, answers=answers, clock=clock)
    yield clicks
    await clicks.close()


def typed(value: str) -> list[dict[str, Any]]:
    return [{"type": 3, "name": "query", "value": value, "focused": True}]


def choices(lane: InstantLane) -> list[Any]:
    [callback] = lane.callbacks
    assert callback["type"] == 8
    found: list[Any] = callback["data"]["choices"]
    return found


async def test_request_names_command_field_and_the_fields_filled_in(
    clicks: Clicks, lane: InstantLane
) -> None:
    asked: list[AutocompleteRequest] = []

    async def provide(request: AutocompleteRequest) -> Sequence[Choice]:
        asked.append(request)
        return [Choice("Tone 440", "tone-440"), Choice("Second", 2)]

    clicks.autocomplete(provide)
    nested = [{"type": 4, "name": "speed", "value": 2}, *typed("to")]
    clicks.receive(autocomplete("local", [{"type": 1, "name": "play", "options": nested}]))
    await settle()

    [request] = asked
    assert (request.command, request.option, request.typed) == ("local play", "query", "to")
    assert dict(request.options) == {"speed": 2}
    assert (request.guild_id, request.user_id) == (10, 1)
    assert choices(lane) == [
        {"name": "Tone 440", "value": "tone-440"},
        {"name": "Second", "value": 2},
    ]


async def test_slow_provider_gives_no_choices_in_time(
    clicks: Clicks, lane: InstantLane, clock: WatchedClock
) -> None:
    async def provide(request: AutocompleteRequest) -> Sequence[Choice]:
        await asyncio.Event().wait()
        raise AssertionError

    clicks.autocomplete(provide)
    clicks.receive(autocomplete("play", typed("to")))
    await clock.advance(0.5)
    assert lane.callbacks == []
    await clock.advance(0.2)

    assert choices(lane) == []


async def test_failing_provider_gives_no_choices(
    clicks: Clicks, lane: InstantLane, caplog: pytest.LogCaptureFixture
) -> None:
    async def provide(request: AutocompleteRequest) -> Sequence[Choice]:
        raise RuntimeError("broken on purpose")

    clicks.autocomplete(provide)
    clicks.receive(autocomplete("play", typed("to")))
    await settle()

    assert choices(lane) == []
    assert "broken on purpose" in caplog.text


async def test_choices_are_cut_to_discords_limits(clicks: Clicks, lane: InstantLane) -> None:
    async def provide(request: AutocompleteRequest) -> Sequence[Choice]:
        many = [Choice("x" * 150, number) for number in range(40)]
        return [Choice("", "nameless"), Choice("too long a value", "v" * 101), *many]

    clicks.autocomplete(provide)
    clicks.receive(autocomplete("play", typed("")))
    await settle()

    assert len(choices(lane)) == 25
    assert {len(choice["name"]) for choice in choices(lane)} == {100}


async def test_without_a_provider_there_are_no_choices(clicks: Clicks, lane: InstantLane) -> None:
    clicks.receive(autocomplete("play", typed("to")))
    await settle()

    assert choices(lane) == []
