"""Windows let out as much as Discord's sliding limits allow, and never more."""

import asyncio
from collections import deque
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kit.rate_limits import Headers, Key, RateLimits, Window, read_headers
from tests.fakes.manual_clock import ManualClock, settle

HALF_WAY_SECONDS = 0.05
"""How long a request travels, in either direction."""


class SlidingLimit:
    """Discord's side: `limit` requests in any `seconds`, counted at their arrival."""

    def __init__(self, clock: ManualClock, *, limit: int, seconds: float) -> None:
        self._clock = clock
        self._limit = limit
        self._seconds = seconds
        self._arrived: deque[float] = deque()
        self.refusals = 0
        self.served: list[float] = []

    async def ask(self, window: Window) -> None:
        """Send one request, again after a refusal, as the client does."""
        while True:
            await window.enter()
            await self._clock.sleep(HALF_WAY_SECONDS)
            said, retry_after = self._answer()
            await self._clock.sleep(HALF_WAY_SECONDS)
            if retry_after:
                window.refused(retry_after)
            window.leave(said)
            if not retry_after:
                return

    def _answer(self) -> tuple[Headers, float]:
        now = self._clock.monotonic()
        while self._arrived and self._arrived[0] + self._seconds <= now:
            self._arrived.popleft()
        if len(self._arrived) >= self._limit:
            self.refusals += 1
            wait = self._arrived[0] + self._seconds - now
            return Headers(self._limit, 0, wait), wait
        self._arrived.append(now)
        self.served.append(now)
        reset_after = self._arrived[0] + self._seconds - now
        return Headers(self._limit, self._limit - len(self._arrived), reset_after), 0.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_burst_is_sent_at_once_up_to_the_limit_without_a_refusal(clock: ManualClock) -> None:
    discord = SlidingLimit(clock, limit=5, seconds=5)
    window = Window(clock)
    asking = [asyncio.ensure_future(discord.ask(window)) for _ in range(12)]
    await clock.advance(0.3)
    assert len(discord.served) == 5

    await clock.advance(11)
    await asyncio.gather(*asking)
    assert discord.refusals == 0
    assert discord.served[-1] < 10.6


async def test_route_without_headers_is_not_held_back(clock: ManualClock) -> None:
    window = Window(clock)
    await window.enter()
    window.leave(None)
    for _ in range(20):
        await window.enter()

    assert window.open


async def test_unknown_route_lets_one_request_out_at_a_time(clock: ManualClock) -> None:
    window = Window(clock)
    await window.enter()
    second = asyncio.ensure_future(window.enter())
    await settle()
    assert not second.done()

    window.leave(Headers(limit=5, remaining=4, reset_after=5))
    await second


async def test_request_that_never_reached_discord_is_not_counted(clock: ManualClock) -> None:
    window = Window(clock, limit=1, seconds=5)
    await window.enter()
    window.leave(None, answered=False)
    await window.enter()


async def test_requests_of_another_process_are_counted_too(clock: ManualClock) -> None:
    window = Window(clock, limit=5, seconds=5)
    await window.enter()
    window.leave(Headers(limit=5, remaining=0, reset_after=5))
    assert not window.open

    await clock.advance(5)
    assert window.open


async def test_refusal_is_believed_for_as_long_as_it_says(clock: ManualClock) -> None:
    window = Window(clock, limit=5, seconds=5)
    await window.enter()
    window.refused(7)
    window.leave(None)
    waiting = asyncio.ensure_future(window.enter())
    await clock.advance(6.9)
    assert not waiting.done()
    await clock.advance(0.1)
    await waiting


async def test_cancelled_request_gives_its_turn_to_the_next(clock: ManualClock) -> None:
    window = Window(clock, limit=1, seconds=5)
    await window.enter()
    window.leave(Headers(limit=1, remaining=0, reset_after=5))
    first = asyncio.ensure_future(window.enter())
    second = asyncio.ensure_future(window.enter())
    await settle()
    first.cancel()
    await clock.advance(5)

    await second


@settings(deadline=None)
@given(
    limit=st.integers(1, 6),
    seconds=st.floats(0.25, 6),
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=25),
)
def test_known_window_is_never_overrun_and_everything_is_sent(
    limit: int, seconds: float, pauses: list[float]
) -> None:
    asyncio.run(check_window(limit, seconds, pauses))


async def check_window(limit: int, seconds: float, pauses: list[float]) -> None:
    clock = ManualClock()
    discord = SlidingLimit(clock, limit=limit, seconds=seconds)
    window = Window(clock, limit=limit, seconds=seconds)
    asking = []
    for pause in pauses:
        asking.append(asyncio.ensure_future(discord.ask(window)))
        await clock.advance(pause)
    await clock.advance((seconds + 1) * len(pauses))

    assert all(one.done() for one in asking)
    assert discord.refusals == 0


def key(channel: int, method: str = "POST") -> Key:
    return Key(method, "/channels/{channel_id}/messages", (channel,))


def test_channels_and_methods_have_windows_of_their_own(clock: ManualClock) -> None:
    limits = RateLimits(clock)
    assert limits.window(key(1)) is limits.window(key(1))
    assert limits.window(key(1)) is not limits.window(key(2))
    assert limits.window(key(1)) is not limits.window(key(1, "PATCH"))


async def test_what_one_channel_taught_is_known_in_the_next(clock: ManualClock) -> None:
    limits = RateLimits(clock)
    first = limits.window(key(1))
    await first.enter()
    first.leave(Headers(limit=5, remaining=4, reset_after=5))
    limits.learned(key(1), first)
    second = limits.window(key(2))

    for _ in range(5):
        await second.enter()
    assert not second.open


async def test_thousands_of_channels_leave_no_windows_behind(clock: ManualClock) -> None:
    limits = RateLimits(clock)
    busy = limits.window(key(0))
    await busy.enter()
    for channel in range(1, 5000):
        limits.window(key(channel))

    assert limits.window(key(0)) is busy
    assert limits.kept <= 2000


async def test_account_sends_fifty_requests_a_second(clock: ManualClock) -> None:
    limits = RateLimits(clock)
    sending = [asyncio.ensure_future(limits.enter_account()) for _ in range(120)]
    assert await finished(sending) == 50
    await clock.advance(1)
    assert await finished(sending) == 50
    await clock.advance(0.1)
    assert await finished(sending) == 100
    await clock.advance(1.1)
    await asyncio.gather(*sending)


async def finished(sending: Sequence[asyncio.Future[None]]) -> int:
    for _ in range(10):
        await settle()
    return sum(one.done() for one in sending)


async def test_global_refusal_holds_everything_back(clock: ManualClock) -> None:
    limits = RateLimits(clock)
    limits.account_refused(3)
    sending = asyncio.ensure_future(limits.enter_account())
    await clock.advance(2.9)
    assert not sending.done()
    await clock.advance(0.1)
    await sending


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            {
                "X-RateLimit-Limit": "5",
                "X-RateLimit-Remaining": "4",
                "X-RateLimit-Reset-After": "4.5",
            },
            Headers(5, 4, 4.5),
        ),
        ({}, None),
        ({"X-RateLimit-Limit": "5"}, None),
        (
            {
                "X-RateLimit-Limit": "many",
                "X-RateLimit-Remaining": "4",
                "X-RateLimit-Reset-After": "4.5",
            },
            None,
        ),
    ],
)
def test_headers_are_read_where_they_are_whole(
    headers: dict[str, str], expected: Headers | None
) -> None:
    assert read_headers(headers) == expected
