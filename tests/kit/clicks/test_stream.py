"""A stream hands out clicks one at a time and loses none that it was given."""

import asyncio
from collections.abc import Callable

import pytest

from bot.kit.clicks import AnswerClient, Click, ClickStream, StreamClosed
from bot.kit.clicks.payload import click_from
from tests.fakes.manual_clock import ManualClock, settle
from tests.kit.clicks.payloads import MESSAGE, component
from tests.kit.clicks.watched_clock import WatchedClock


@pytest.fixture
def make_click(clock: WatchedClock) -> Callable[[int], Click]:
    answers = AnswerClient(api_url="http://127.0.0.1:1", ssl_context=None, clock=clock)

    def make(number: int) -> Click:
        payload = component("next", number=number)
        return click_from(payload, number=number, received_at=0, answers=answers)

    return make


@pytest.fixture
def stream(clock: WatchedClock) -> ClickStream:
    return ClickStream(MESSAGE, clock=clock, on_close=lambda: None)


type MakeClick = Callable[[int], Click]


async def test_next_returns_clicks_in_the_order_of_delivery(
    stream: ClickStream, make_click: MakeClick
) -> None:
    stream.push(make_click(1))
    stream.push(make_click(2))

    assert [(await stream.next()).number, (await stream.next()).number] == [1, 2]


async def test_next_waits_for_a_click(stream: ClickStream, make_click: MakeClick) -> None:
    waiting = asyncio.ensure_future(stream.next())
    await settle()
    assert not waiting.done()

    stream.push(make_click(1))
    assert (await waiting).number == 1


async def test_next_within_returns_nothing_when_the_time_is_over(
    stream: ClickStream, clock: WatchedClock
) -> None:
    waiting = asyncio.ensure_future(stream.next_within(60))
    await clock.advance(59.9)
    assert not waiting.done()
    await clock.advance(0.1)

    assert await waiting is None


async def test_next_within_returns_a_click_that_comes_in_time(
    stream: ClickStream, clock: WatchedClock, make_click: MakeClick
) -> None:
    waiting = asyncio.ensure_future(stream.next_within(60))
    await clock.advance(30)
    stream.push(make_click(1))
    await settle()

    assert (await waiting) == make_click(1)


async def test_timed_out_wait_loses_no_click(
    stream: ClickStream, clock: WatchedClock, make_click: MakeClick
) -> None:
    waiting = asyncio.ensure_future(stream.next_within(1))
    await clock.advance(1)
    stream.push(make_click(1))

    assert await waiting is None
    assert (await stream.next()).number == 1


async def test_cancelled_wait_loses_no_click(stream: ClickStream, make_click: MakeClick) -> None:
    waiting = asyncio.ensure_future(stream.next())
    await settle()
    stream.push(make_click(1))
    waiting.cancel()
    await settle()

    assert waiting.cancelled()
    assert [click.number for click in stream.drain()] == [1]


async def test_drain_takes_what_waits_without_waiting(
    stream: ClickStream, make_click: MakeClick
) -> None:
    assert stream.drain() == []
    for number in range(3):
        stream.push(make_click(number))

    assert [click.number for click in stream.drain()] == [0, 1, 2]
    assert stream.drain() == []


@pytest.mark.parametrize("wait", [ClickStream.next, lambda stream: stream.next_within(60)])
async def test_closing_ends_a_wait(
    stream: ClickStream, wait: Callable[[ClickStream], asyncio.Future[object]]
) -> None:
    waiting = asyncio.ensure_future(wait(stream))
    await settle()
    stream.close()

    with pytest.raises(StreamClosed):
        await waiting


async def test_closed_stream_delivers_nothing_any_more(
    stream: ClickStream, make_click: MakeClick
) -> None:
    stream.push(make_click(1))
    stream.close()
    stream.push(make_click(2))

    assert stream.drain() == []
    with pytest.raises(StreamClosed):
        await stream.next()
    with pytest.raises(StreamClosed):
        await stream.next_within(1)


async def test_error_inside_the_context_closes_the_stream_once(clock: ManualClock) -> None:
    closings: list[None] = []
    stream = ClickStream(MESSAGE, clock=clock, on_close=lambda: closings.append(None))
    with pytest.raises(RuntimeError):
        async with stream:
            raise RuntimeError
    stream.close()

    assert stream.closed
    assert len(closings) == 1


async def test_waiting_leaves_no_task_behind(stream: ClickStream, clock: WatchedClock) -> None:
    before = asyncio.all_tasks()
    waiting = asyncio.ensure_future(stream.next_within(60))
    await settle()
    stream.close()
    await asyncio.gather(waiting, return_exceptions=True)
    await settle()

    assert asyncio.all_tasks() == before
