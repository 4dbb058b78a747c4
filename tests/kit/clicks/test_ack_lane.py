"""The lane gets an acknowledgement to Discord inside the window, whatever happens on the way."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator

import pytest

from bot.kit.clicks import AckLane
from services.clock import SystemClock
from tests.fakes.manual_clock import settle
from tests.kit.clicks.conftest import CountingMeter
from tests.kit.clicks.discord_server import (
    DEADLINE_SECONDS,
    DiscordServer,
    error,
    reply,
    reset,
    silence,
    too_many,
)
from tests.kit.clicks.watched_clock import WatchedClock


@pytest.fixture
async def lane(
    discord: DiscordServer, clock: WatchedClock, meter: CountingMeter
) -> AsyncIterator[AckLane]:
    lane = AckLane(api_url=discord.api_url, ssl_context=None, clock=clock, meter=meter)
    yield lane
    await lane.close()


def acknowledge(lane: AckLane, clock: WatchedClock, number: int = 1) -> asyncio.Future[bool]:
    return lane.send(
        1000 + number, f"token{number}", callback={"type": 6}, received_at=clock.monotonic()
    )


async def result_of(sent: asyncio.Future[bool]) -> bool:
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await sent


async def test_callback_goes_to_the_interactions_route_without_the_bots_authorization(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane
) -> None:
    assert await result_of(acknowledge(lane, clock))

    [callback] = discord.callbacks
    assert callback.path == "/api/v10/interactions/1001/token1/callback"
    assert callback.body == {"type": 6}
    assert callback.headers["User-Agent"].startswith("DiscordBot (http")
    assert "Authorization" not in callback.headers


async def test_acknowledgement_is_counted_with_its_latency(
    clock: WatchedClock, lane: AckLane, discord: DiscordServer, meter: CountingMeter
) -> None:
    discord.gate = asyncio.Event()
    sent = acknowledge(lane, clock)
    await discord.until(lambda: len(discord.callbacks) == 1)
    await clock.advance(0.3)
    discord.gate.set()

    assert await result_of(sent)
    assert meter.acknowledged == [pytest.approx(0.3)]
    assert meter.missed == []


async def test_callback_leaves_though_the_event_loop_is_busy_right_after(
    meter: CountingMeter,
) -> None:
    """A blocking server in a thread receives the request while the loop stands still."""
    received = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    serving = threading.Thread(target=serve_gateway_then, args=(listener, received))
    serving.start()
    lane = AckLane(
        api_url=f"http://127.0.0.1:{port}",
        ssl_context=None,
        clock=SystemClock(),
        meter=meter,
        warm=1,
    )
    await lane.start()

    lane.send(1, "token", callback={"type": 6}, received_at=SystemClock().monotonic())
    left_at_once = received.wait(DEADLINE_SECONDS)  # blocks the event loop

    await lane.close()
    serving.join()
    listener.close()
    assert left_at_once


def serve_gateway_then(listener: socket.socket, received: threading.Event) -> None:
    connection, _ = listener.accept()
    with connection:
        while data := connection.recv(65536):
            if b"/callback" in data:
                received.set()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


async def test_lane_at_start_opens_sixteen_connections_and_uses_them(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane
) -> None:
    await lane.start()
    warm = {asked.connection for asked in discord.asked}
    assert len(warm) == 16

    sent = [acknowledge(lane, clock, number) for number in range(16)]
    assert all([await result_of(one) for one in sent])
    assert {callback.connection for callback in discord.callbacks} <= warm


async def test_lane_keeps_its_connections_warm_while_nothing_happens(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane
) -> None:
    await lane.start()
    warm = {asked.connection for asked in discord.asked}

    await clock.advance(60)
    await discord.until(lambda: len(discord.asked) >= 32)

    assert {asked.connection for asked in discord.asked} == warm


async def test_two_server_errors_are_survived_within_fifty_milliseconds(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane, meter: CountingMeter
) -> None:
    discord.faults = [reply(502), reply(503)]
    sent = acknowledge(lane, clock)
    await discord.until(lambda: len(discord.callbacks) == 2)  # the first repetition needs no pause
    await clock.pass_pause(0.05)

    assert await result_of(sent)
    assert meter.acknowledged == [pytest.approx(0.05)]


async def test_lost_connection_after_discord_took_it_counts_as_acknowledged(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane, meter: CountingMeter
) -> None:
    discord.faults = [reset, error(400, 40060)]

    assert await result_of(acknowledge(lane, clock))
    assert meter.missed == []


async def test_unknown_interaction_is_given_up_at_once_and_counted(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane, meter: CountingMeter
) -> None:
    discord.faults = [error(404, 10062)]

    assert not await result_of(acknowledge(lane, clock))
    assert len(discord.callbacks) == 1
    assert meter.missed == ["unknown_interaction"]
    assert meter.acknowledged == []


async def test_rate_limit_that_ends_inside_the_window_is_waited_out(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane
) -> None:
    discord.faults = [too_many(1.0)]
    sent = acknowledge(lane, clock)
    await clock.pass_pause(1.0)

    assert await result_of(sent)
    assert len(discord.callbacks) == 2


async def test_rate_limit_beyond_the_window_is_a_miss_with_its_cause(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane, meter: CountingMeter
) -> None:
    discord.faults = [too_many(10.0)]

    assert not await result_of(acknowledge(lane, clock))
    assert meter.missed == ["rate_limited"]


async def test_silent_connection_gets_a_second_request_beside_it(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane, meter: CountingMeter
) -> None:
    discord.faults = [silence]
    sent = acknowledge(lane, clock)
    await discord.until(lambda: len(discord.callbacks) == 1)
    await clock.advance(0.9)
    await discord.until(lambda: len(discord.callbacks) == 2)

    assert await result_of(sent)
    assert meter.acknowledged == [pytest.approx(0.9)]


async def test_window_closes_after_two_and_a_half_seconds_without_an_answer(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane, meter: CountingMeter
) -> None:
    discord.faults = [silence] * 5
    sent = acknowledge(lane, clock)
    await clock.advance(2.4)
    assert not sent.done()
    await clock.advance(0.1)
    await settle()

    assert sent.done()
    assert not sent.result()
    assert meter.missed == ["timed_out"]


async def test_server_errors_until_the_end_are_a_miss_with_their_cause(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane, meter: CountingMeter
) -> None:
    discord.faults = [reply(500)] * 100
    sent = acknowledge(lane, clock)
    await clock.pass_pause(0.05)
    await clock.pass_pause(0.2)
    for times in range(1, 5):
        await clock.pass_pause(0.5, times=times)

    assert not await result_of(sent)
    assert meter.missed == ["server_error"]
    assert len(discord.callbacks) == 8


async def test_interaction_that_arrived_too_long_ago_is_not_tried_again(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane
) -> None:
    discord.faults = [reply(500)]
    late = lane.send(1, "token", callback={"type": 6}, received_at=clock.monotonic() - 2.5)

    assert not await result_of(late)
    assert len(discord.callbacks) <= 1


async def test_three_hundred_clicks_are_all_under_way_at_the_same_time(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane
) -> None:
    discord.gate = asyncio.Event()
    sent = [acknowledge(lane, clock, number) for number in range(300)]
    await discord.until(lambda: len(discord.callbacks) == 300)
    assert not any(one.done() for one in sent)

    discord.gate.set()
    assert all([await result_of(one) for one in sent])


async def test_connections_that_died_while_idle_do_not_cost_the_click(
    discord: DiscordServer, clock: WatchedClock, lane: AckLane
) -> None:
    await lane.start()
    discord.faults = [reset] * 3

    sent = acknowledge(lane, clock)
    await clock.pass_pause(0.05)
    await clock.pass_pause(0.2)

    assert await result_of(sent)
    assert len(discord.callbacks) == 4


async def test_closing_lets_an_acknowledgement_under_way_finish(
    discord: DiscordServer, clock: WatchedClock, meter: CountingMeter
) -> None:
    lane = AckLane(api_url=discord.api_url, ssl_context=None, clock=clock, meter=meter)
    discord.gate = asyncio.Event()
    sent = acknowledge(lane, clock)
    await discord.until(lambda: len(discord.callbacks) == 1)
    closing = asyncio.ensure_future(lane.close())
    await settle()
    discord.gate.set()
    await closing

    assert sent.result()
