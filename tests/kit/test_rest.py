"""nextcord's REST client, repaired: no channel waits for another one, and faults are survived."""

import asyncio
from collections.abc import AsyncIterator, Callable

import aiohttp
import nextcord
import pytest
from nextcord.errors import HTTPInternalRatelimitLocked
from nextcord.http import HTTPClient, Route

from bot.kit.rest import PatientHTTP
from tests.fakes.manual_clock import ManualClock
from tests.kit.clicks.discord_server import (
    DEADLINE_SECONDS,
    DiscordServer,
    Handler,
    error,
    reply,
    reset,
    running,
)
from tests.kit.clicks.watched_clock import WatchedClock

MESSAGES = "/channels/{channel_id}/messages"
SECRET = "Bot secret"


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    async with running() as server:
        monkeypatch.setattr(Route, "BASE", server.api_url)
        yield server


@pytest.fixture
def clock() -> WatchedClock:
    return WatchedClock()


@pytest.fixture
async def http(discord: DiscordServer, clock: WatchedClock) -> AsyncIterator[PatientHTTP]:
    http = patient(clock)
    http.set_default_auth(SECRET)
    yield http
    await http.close()


def patient(clock: ManualClock) -> PatientHTTP:
    return PatientHTTP(aiohttp.TCPConnector(limit=0), clock=clock, dispatch=lambda *_: None)


def plain(_clock: ManualClock) -> HTTPClient:
    return HTTPClient(aiohttp.TCPConnector(limit=0), dispatch=lambda *_: None)


def limited(remaining: int, *, reset_after: float = 600, status: int = 200) -> Handler:
    """Answer with the window of a route whose bucket has one name in all channels."""
    return reply(
        status,
        {"id": "1"},
        X_RateLimit_Limit="5",
        X_RateLimit_Remaining=str(remaining),
        X_RateLimit_Reset="9999999999",
        X_RateLimit_Reset_After=str(reset_after),
        X_RateLimit_Bucket="one-name-for-all",
        Via="1.1 google",
    )


async def send(http: HTTPClient, channel: int, method: str = "POST") -> object:
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await http.request(
            Route(method, MESSAGES, channel_id=channel), json={"content": "a"}
        )


@pytest.mark.parametrize(
    "make",
    [
        patient,
        pytest.param(
            plain,
            marks=pytest.mark.xfail(
                raises=TimeoutError,
                strict=True,
                reason="nextcord keys its windows by the bucket's name alone",
            ),
        ),
    ],
)
async def test_channel_does_not_wait_for_the_full_window_of_another_channel(
    discord: DiscordServer, clock: WatchedClock, make: Callable[[ManualClock], HTTPClient]
) -> None:
    http = make(clock)
    discord.faults = [limited(4), limited(4), limited(0), limited(3)]
    try:
        async with asyncio.timeout(3):
            await send(http, 3)  # nextcord forgets the very first window of a session
            await send(http, 1)
            await send(http, 2)  # its window is full now; channel 1 has four requests left
            await send(http, 1)
    finally:
        await http.close()


async def test_full_window_is_waited_for(
    discord: DiscordServer, http: PatientHTTP, clock: WatchedClock
) -> None:
    discord.faults = [limited(0, reset_after=5)]
    await send(http, 1)
    second = asyncio.ensure_future(send(http, 1))
    await clock.until_asked(5)
    assert len(discord.asked) == 1

    await clock.advance(5)
    await second


async def test_edits_do_not_wait_for_messages_though_their_bucket_has_one_name(
    discord: DiscordServer, http: PatientHTTP
) -> None:
    discord.faults = [limited(0), limited(4)]
    await send(http, 1)
    await send(http, 1, "PATCH")


async def test_rate_limit_is_waited_out_to_the_millisecond(
    discord: DiscordServer, http: PatientHTTP, clock: WatchedClock
) -> None:
    body = {"message": "slow", "retry_after": 1.3, "global": False}
    discord.faults = [reply(429, body, X_RateLimit_Scope="user", Retry_After="2")]
    sending = asyncio.ensure_future(send(http, 1))
    await clock.pass_pause(1.3)

    await sending
    assert len(discord.asked) == 2


async def test_rate_limit_in_a_known_window_is_waited_out_no_longer_than_discord_says(
    discord: DiscordServer, http: PatientHTTP, clock: WatchedClock
) -> None:
    window = {"X_RateLimit_Limit": "5", "X_RateLimit_Remaining": "4"}
    discord.faults = [reply(200, {"id": "1"}, **window, X_RateLimit_Reset_After="5")]
    await send(http, 1)
    body = {"message": "slow", "retry_after": 0.3, "global": False}
    window["X_RateLimit_Remaining"] = "0"
    discord.faults = [reply(429, body, **window, X_RateLimit_Reset_After="0.3")]
    sending = asyncio.ensure_future(send(http, 1))
    await clock.pass_pause(0.3)

    await sending
    assert len(discord.asked) == 3


async def test_global_rate_limit_holds_back_every_route(
    discord: DiscordServer, http: PatientHTTP, clock: WatchedClock
) -> None:
    body = {"message": "slow", "retry_after": 3.0, "global": True}
    discord.faults = [reply(429, body, X_RateLimit_Global="true")]
    first = asyncio.ensure_future(send(http, 1))
    await clock.until_asked(3.0)
    second = asyncio.ensure_future(send(http, 2))
    await asyncio.sleep(0)
    assert len(discord.asked) == 1

    await clock.advance(3)
    await asyncio.gather(first, second)


async def test_ban_by_the_proxy_is_not_hammered(discord: DiscordServer, http: PatientHTTP) -> None:
    discord.faults = [reply(429)]
    with pytest.raises(nextcord.HTTPException):
        await send(http, 1)

    assert len(discord.asked) == 1


async def test_rate_limit_of_ten_minutes_is_an_error_at_once(
    discord: DiscordServer, http: PatientHTTP
) -> None:
    discord.faults = [reply(429, {"message": "slow", "retry_after": 600, "global": False})]
    with pytest.raises(nextcord.HTTPException):
        await send(http, 1)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_server_error_costs_a_fifth_of_a_second(
    discord: DiscordServer, http: PatientHTTP, clock: WatchedClock, status: int
) -> None:
    discord.faults = [reply(status)]
    sending = asyncio.ensure_future(send(http, 1))
    await clock.pass_pause(0.2)

    await sending
    assert len(discord.asked) == 2


async def test_server_errors_without_end_are_an_error(
    discord: DiscordServer, http: PatientHTTP, clock: WatchedClock
) -> None:
    discord.faults = [reply(502)] * 10
    sending = asyncio.ensure_future(send(http, 1))
    for pause in (0.2, 0.5, 1.0, 2.0, 4.0):
        await clock.pass_pause(pause)

    with pytest.raises(nextcord.DiscordServerError):
        await sending
    assert len(discord.asked) == 6


async def test_lost_connection_is_repeated_where_that_cannot_act_twice(
    discord: DiscordServer, http: PatientHTTP, clock: WatchedClock
) -> None:
    discord.faults = [reset]
    sending = asyncio.ensure_future(send(http, 1, "PATCH"))
    await clock.pass_pause(0.2)

    await sending
    assert len(discord.asked) == 2


async def test_lost_connection_while_sending_a_message_is_told(
    discord: DiscordServer, http: PatientHTTP
) -> None:
    discord.faults = [reset]
    with pytest.raises(aiohttp.ClientConnectionError):
        await send(http, 1)

    assert len(discord.asked) == 1


async def test_message_with_an_enforced_nonce_is_sent_again(
    discord: DiscordServer, http: PatientHTTP, clock: WatchedClock
) -> None:
    discord.faults = [reset]
    body = {"content": "a", "nonce": "n", "enforce_nonce": True}
    route = Route("POST", MESSAGES, channel_id=1)
    sending = asyncio.ensure_future(http.request(route, json=body))
    await clock.pass_pause(0.2)

    await sending
    assert [asked.body for asked in discord.asked] == [body, body]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, nextcord.HTTPException),
        (401, nextcord.errors.Unauthorized),
        (403, nextcord.Forbidden),
        (404, nextcord.NotFound),
    ],
)
async def test_refusal_is_nextcords_error_with_discords_code(
    discord: DiscordServer, http: PatientHTTP, status: int, kind: type[nextcord.HTTPException]
) -> None:
    discord.faults = [error(status, 10008)]
    with pytest.raises(kind) as refused:
        await send(http, 1)

    assert (refused.value.status, refused.value.code) == (status, 10008)


async def test_request_is_authorized_and_names_its_reason(
    discord: DiscordServer, http: PatientHTTP
) -> None:
    await http.request(Route("DELETE", "/guilds/{guild_id}/members/5", guild_id=1), reason="äh")

    [asked] = discord.asked
    assert asked.headers["Authorization"] == SECRET
    assert asked.headers["X-Audit-Log-Reason"] == "%C3%A4h"
    assert asked.headers["User-Agent"].startswith("DiscordBot")


async def test_impatient_request_does_not_wait_for_a_full_window(
    discord: DiscordServer, http: PatientHTTP
) -> None:
    discord.faults = [limited(0)]
    await send(http, 1)
    with pytest.raises(HTTPInternalRatelimitLocked):
        await http.request(Route("POST", MESSAGES, channel_id=1), retry_request=False)


async def test_two_hundred_requests_are_under_way_at_the_same_time(
    discord: DiscordServer, http: PatientHTTP, clock: WatchedClock
) -> None:
    discord.gate = asyncio.Event()
    sending = [asyncio.ensure_future(send(http, channel)) for channel in range(200)]
    for _ in range(4):
        await clock.advance(1.1)
    await discord.until(lambda: len(discord.asked) == 200)

    discord.gate.set()
    await asyncio.gather(*sending)
