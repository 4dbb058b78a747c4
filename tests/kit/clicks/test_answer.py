"""Answers reach Discord by the interaction's token, through faults, and end with its life."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.kit.clicks import AnswerClient, AnswerExpired, InteractionAnswer
from bot.kit.outbox import MessageGone, Undelivered
from tests.kit.clicks.discord_server import (
    DEADLINE_SECONDS,
    DiscordServer,
    error,
    reply,
    reset,
    too_many,
)
from tests.kit.clicks.watched_clock import WatchedClock

QUARTER_OF_AN_HOUR = 900.0


@pytest.fixture
async def answer(discord: DiscordServer, clock: WatchedClock) -> AsyncIterator[InteractionAnswer]:
    client = AnswerClient(api_url=discord.api_url, ssl_context=None, clock=clock)
    yield client.to(application_id=30, token="secret-token", received_at=clock.monotonic())
    await client.close()


async def test_follow_up_for_the_member_alone_is_ephemeral_and_pings_nobody(
    answer: InteractionAnswer, discord: DiscordServer
) -> None:
    message_id = await answer.follow_up({"content": "@everyone"}, private=True)

    [asked] = discord.webhooks
    assert (asked.method, asked.path) == ("POST", "/api/v10/webhooks/30/secret-token")
    assert asked.body["flags"] == 64
    assert asked.body["allowed_mentions"] == {"parse": []}
    assert "Authorization" not in asked.headers
    assert message_id == 7001


async def test_body_that_names_its_mentions_keeps_them(
    answer: InteractionAnswer, discord: DiscordServer
) -> None:
    await answer.follow_up({"content": "<@5>", "allowed_mentions": {"users": ["5"]}})

    assert discord.webhooks[0].body["allowed_mentions"] == {"users": ["5"]}
    assert discord.webhooks[0].body["flags"] == 0


async def test_edits_and_deletions_name_their_message(
    answer: InteractionAnswer, discord: DiscordServer
) -> None:
    await answer.edit_original({"content": "a"})
    await answer.edit(55, {"content": "b"})
    await answer.delete(55)
    await answer.delete_original()

    base = "/api/v10/webhooks/30/secret-token/messages"
    assert [(asked.method, asked.path) for asked in discord.webhooks] == [
        ("PATCH", f"{base}/@original"),
        ("PATCH", f"{base}/55"),
        ("DELETE", f"{base}/55"),
        ("DELETE", f"{base}/@original"),
    ]


async def test_rate_limit_is_waited_out_as_long_as_discord_says(
    answer: InteractionAnswer, discord: DiscordServer, clock: WatchedClock
) -> None:
    discord.faults = [too_many(1.7)]
    sending = asyncio.ensure_future(answer.follow_up({"content": "a"}))
    await clock.pass_pause(1.7)

    async with asyncio.timeout(DEADLINE_SECONDS):
        await sending
    assert len(discord.webhooks) == 2


async def test_server_errors_and_lost_connections_are_tried_again(
    answer: InteractionAnswer, discord: DiscordServer, clock: WatchedClock
) -> None:
    discord.faults = [reply(502), reset, reply(500)]
    sending = asyncio.ensure_future(answer.edit_original({"content": "a"}))
    await clock.pass_pause(0.2)
    await clock.pass_pause(0.5)

    async with asyncio.timeout(DEADLINE_SECONDS):
        await sending
    assert len(discord.webhooks) == 4


async def test_rate_limit_longer_than_anybody_waits_is_given_up(
    answer: InteractionAnswer, discord: DiscordServer
) -> None:
    discord.faults = [too_many(600)]
    with pytest.raises(Undelivered):
        await answer.follow_up({"content": "a"})


async def test_answer_after_fifteen_minutes_is_refused_without_a_request(
    answer: InteractionAnswer, discord: DiscordServer, clock: WatchedClock
) -> None:
    await clock.advance(QUARTER_OF_AN_HOUR)
    with pytest.raises(AnswerExpired):
        await answer.follow_up({"content": "a"})

    assert discord.webhooks == []


@pytest.mark.parametrize(("status", "code"), [(401, 50027), (404, 10015)])
async def test_token_that_discord_does_not_know_any_more_has_expired(
    answer: InteractionAnswer, discord: DiscordServer, status: int, code: int
) -> None:
    discord.faults = [error(status, code)]
    with pytest.raises(AnswerExpired):
        await answer.edit_original({"content": "a"})


async def test_deleted_message_is_told_apart(
    answer: InteractionAnswer, discord: DiscordServer
) -> None:
    discord.faults = [error(404, 10008)]
    with pytest.raises(MessageGone):
        await answer.edit_original({"content": "a"})


async def test_refusal_is_told_without_the_token(
    answer: InteractionAnswer, discord: DiscordServer
) -> None:
    discord.faults = [error(400, 50035)]
    with pytest.raises(Undelivered, match=r"400.*50035") as refused:
        await answer.edit_original({"content": "a"})

    assert "secret-token" not in str(refused.value)
