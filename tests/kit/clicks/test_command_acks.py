"""Commands are acknowledged on arrival, by the way that they declare."""

import asyncio
from collections.abc import AsyncIterator

import nextcord
import pytest

from bot.kit.clicks import AckPolicy, AnswerClient, Clicks
from bot.kit.clicks.command_acks import CommandInteraction
from bot.kit.clicks.components import modal, text_input
from tests.fakes.manual_clock import settle
from tests.kit.clicks.discord_server import DiscordServer
from tests.kit.clicks.hand_lane import HandLane
from tests.kit.clicks.payloads import command
from tests.kit.clicks.watched_clock import WatchedClock

DEFER = {"type": 5}
DEFER_PRIVATE = {"type": 5, "data": {"flags": 64}}
FORM = modal("rename", "Rename", text_input("name", "Name"))


@pytest.fixture
def lane() -> HandLane:
    return HandLane()


@pytest.fixture
async def clicks(
    lane: HandLane, discord: DiscordServer, clock: WatchedClock
) -> AsyncIterator[Clicks]:
    answers = AnswerClient(api_url=discord.api_url, ssl_context=None, clock=clock)
    clicks = Clicks(lane=lane, answers=answers, clock=clock)
    yield clicks
    await clicks.close()


@pytest.fixture
async def interaction() -> AsyncIterator[CommandInteraction]:
    client = nextcord.Client()
    yield client.get_interaction(data=command("play"))
    await client.close()


async def test_command_is_deferred_before_receive_returns(
    clicks: Clicks, lane: HandLane, interaction: CommandInteraction
) -> None:
    clicks.receive_command(interaction)

    assert lane.callbacks == [DEFER]


async def test_private_command_is_deferred_for_the_member_alone(
    clicks: Clicks, lane: HandLane, interaction: CommandInteraction
) -> None:
    clicks.command_acks(lambda _: AckPolicy.DEFER_PRIVATE)
    clicks.receive_command(interaction)

    assert lane.callbacks == [DEFER_PRIVATE]


async def test_failing_policy_costs_no_acknowledgement(
    clicks: Clicks,
    lane: HandLane,
    interaction: CommandInteraction,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def policy(interaction: CommandInteraction) -> AckPolicy:
        raise RuntimeError("broken on purpose")

    clicks.command_acks(policy)
    clicks.receive_command(interaction)

    assert lane.callbacks == [DEFER]
    assert "broken on purpose" in caplog.text


@pytest.mark.parametrize("arrived", [True, False])
async def test_handler_learns_what_became_of_its_acknowledgement(
    clicks: Clicks, lane: HandLane, interaction: CommandInteraction, *, arrived: bool
) -> None:
    clicks.receive_command(interaction)
    waiting = asyncio.ensure_future(clicks.acknowledged(interaction))
    await settle()
    assert not waiting.done()

    lane.finish(0, arrived=arrived)
    assert await waiting is arrived
    assert await clicks.acknowledged(interaction) is arrived


async def test_cancelled_handler_does_not_cancel_the_acknowledgement(
    clicks: Clicks, lane: HandLane, interaction: CommandInteraction
) -> None:
    clicks.receive_command(interaction)
    waiting = asyncio.ensure_future(clicks.acknowledged(interaction))
    await settle()
    waiting.cancel()
    await settle()
    lane.finish(0)

    assert await clicks.acknowledged(interaction)


async def test_command_with_a_form_is_answered_by_the_form_alone(
    clicks: Clicks, lane: HandLane, interaction: CommandInteraction, clock: WatchedClock
) -> None:
    clicks.command_acks(lambda _: AckPolicy.MODAL)
    clicks.receive_command(interaction)
    assert lane.callbacks == []

    opening = asyncio.ensure_future(clicks.open_modal(interaction, FORM))
    await settle()
    lane.finish(0)
    assert await opening
    await clock.advance(3)
    assert lane.callbacks == [{"type": 9, "data": FORM}]


async def test_form_that_is_not_opened_in_time_is_deferred_in_its_place(
    clicks: Clicks, lane: HandLane, interaction: CommandInteraction, clock: WatchedClock
) -> None:
    clicks.command_acks(lambda _: AckPolicy.MODAL)
    clicks.receive_command(interaction)
    await clock.advance(1.5)

    assert lane.callbacks == [DEFER_PRIVATE]
    assert not await clicks.open_modal(interaction, FORM)


async def test_command_that_refuses_instead_of_opening_its_form_is_deferred_then(
    clicks: Clicks, lane: HandLane, interaction: CommandInteraction
) -> None:
    clicks.command_acks(lambda _: AckPolicy.MODAL)
    clicks.receive_command(interaction)
    waiting = asyncio.ensure_future(clicks.acknowledged(interaction))
    await settle()
    lane.finish(0)

    assert await waiting
    assert lane.callbacks == [DEFER_PRIVATE]


async def test_answer_lives_fifteen_minutes_from_the_commands_arrival(
    clicks: Clicks, interaction: CommandInteraction, clock: WatchedClock
) -> None:
    await clock.advance(7)
    clicks.receive_command(interaction)
    await clock.advance(100)

    assert clicks.answer(interaction).expires_at == pytest.approx(7 + 900)
