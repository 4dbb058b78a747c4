"""Early, stale and foreign clicks: each gets its answer, none changes what it should not."""

from collections.abc import AsyncIterator

import pytest

from bot.kit.clicks import AnswerClient, Clicks
from tests.fakes.manual_clock import settle
from tests.kit.clicks.discord_server import DiscordServer, error
from tests.kit.clicks.hand_lane import InstantLane
from tests.kit.clicks.payloads import MESSAGE, component
from tests.kit.clicks.watched_clock import WatchedClock

OWNER, STRANGER = 1, 2
OLD_MS = 3_600_000


@pytest.fixture
async def clicks(discord: DiscordServer, clock: WatchedClock) -> AsyncIterator[Clicks]:
    answers = AnswerClient(api_url=discord.api_url, ssl_context=None, clock=clock)
    clicks = Clicks(lane=InstantLane(), answers=answers, clock=clock)
    yield clicks
    await clicks.close()


def told(discord: DiscordServer) -> list[str]:
    """The private words that members got."""
    posts = [asked.body for asked in discord.webhooks if asked.method == "POST"]
    assert all(body["flags"] == 64 for body in posts)
    return [body["embeds"][0]["title"] for body in posts]


def stripped(discord: DiscordServer) -> list[dict[str, object]]:
    """The changes to messages."""
    return [asked.body for asked in discord.webhooks if asked.method == "PATCH"]


async def test_click_before_the_menu_was_opened_is_kept_for_it(
    clicks: Clicks, discord: DiscordServer
) -> None:
    clicks.receive(component("first", number=1))
    clicks.receive(component("second", number=2))
    await settle()
    async with clicks.open(MESSAGE, owner_id=OWNER) as stream:
        clicks.receive(component("third", number=3))
        await settle()

        assert [click.custom_id for click in stream.drain()] == ["first", "second", "third"]
    assert discord.webhooks == []


async def test_click_on_a_young_message_waits_five_seconds_for_its_menu(
    clicks: Clicks, clock: WatchedClock, discord: DiscordServer
) -> None:
    clicks.receive(component("early", number=1))
    await clock.advance(4.9)
    assert discord.webhooks == []

    await clock.advance(0.2)
    await discord.until(lambda: len(discord.webhooks) == 2)


async def test_click_on_a_message_of_an_earlier_run_is_answered_as_expired(
    clicks: Clicks, clock: WatchedClock, discord: DiscordServer
) -> None:
    clicks.receive(component("old", number=1, age_ms=OLD_MS))
    await clock.advance(1)
    await discord.until(lambda: len(discord.webhooks) == 2)

    assert told(discord) == ["⌛ This menu has expired, run the command again"]
    assert [body["components"] for body in stripped(discord)] == [[]]


async def test_many_stale_clicks_remove_the_buttons_once_and_tell_each_member_once(
    clicks: Clicks, clock: WatchedClock, discord: DiscordServer
) -> None:
    for number in range(20):
        clicks.receive(component("old", number=number, user=1 + number % 4, age_ms=OLD_MS))
    await clock.advance(1)
    await discord.until(lambda: len(discord.webhooks) >= 5)
    await settle()

    assert len(told(discord)) == 4
    assert len(stripped(discord)) == 1


async def test_buttons_that_could_not_be_removed_are_tried_again_with_the_next_click(
    clicks: Clicks, clock: WatchedClock, discord: DiscordServer
) -> None:
    discord.faults = [error(403, 50001), error(403, 50001)]
    clicks.receive(component("old", number=1, age_ms=OLD_MS))
    await clock.advance(1)
    await discord.until(lambda: len(discord.webhooks) == 2 and not discord.faults)
    while len(stripped(discord)) < 2:
        clicks.receive(component("old", number=2, age_ms=OLD_MS))
        await clock.advance(10)

    assert len(stripped(discord)) == 2


async def test_click_after_the_menu_closed_is_answered_at_once(
    clicks: Clicks, clock: WatchedClock, discord: DiscordServer
) -> None:
    clicks.open(MESSAGE).close()
    await clock.advance(0.1)
    clicks.receive(component("late", number=1))
    await discord.until(lambda: len(discord.webhooks) == 2)

    assert told(discord) == ["⌛ This menu has expired, run the command again"]


async def test_foreign_click_is_refused_privately_and_changes_nothing(
    clicks: Clicks, discord: DiscordServer
) -> None:
    stream = clicks.open(MESSAGE, owner_id=OWNER)
    clicks.receive(component("next", number=1, user=STRANGER))
    clicks.receive(component("next", number=2, user=OWNER))
    await discord.until(lambda: len(discord.webhooks) == 1)
    await settle()

    assert [click.user_id for click in stream.drain()] == [OWNER]
    assert told(discord) == ["🚫 These buttons belong to somebody else"]
    assert stripped(discord) == []


async def test_foreign_member_who_hammers_is_told_once_in_five_seconds(
    clicks: Clicks, clock: WatchedClock, discord: DiscordServer
) -> None:
    clicks.open(MESSAGE, owner_id=OWNER)
    for number in range(10):
        clicks.receive(component("next", number=number, user=STRANGER))
    await discord.until(lambda: len(discord.webhooks) == 1)
    await clock.advance(4.9)
    clicks.receive(component("next", number=11, user=STRANGER))
    await clock.advance(0.1)
    assert len(told(discord)) == 1

    clicks.receive(component("next", number=12, user=STRANGER))
    await discord.until(lambda: len(discord.webhooks) == 2)


async def test_menu_for_everybody_takes_clicks_of_all(clicks: Clicks) -> None:
    stream = clicks.open(MESSAGE)
    clicks.receive(component("a", number=1, user=OWNER))
    clicks.receive(component("b", number=2, user=STRANGER))
    await settle()

    assert [click.user_id for click in stream.drain()] == [OWNER, STRANGER]


async def test_menu_opened_a_second_time_takes_over(clicks: Clicks) -> None:
    first = clicks.open(MESSAGE)
    second = clicks.open(MESSAGE)
    clicks.receive(component("next", number=1))
    await settle()

    assert first.closed
    assert len(second.drain()) == 1


async def test_flood_on_one_unserved_message_is_kept_within_bounds(
    clicks: Clicks, clock: WatchedClock, discord: DiscordServer
) -> None:
    for number in range(150):
        clicks.receive(component("early", number=number))
    await settle()

    assert len(clicks.open(MESSAGE).drain()) == 100
