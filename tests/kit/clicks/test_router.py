"""Every interaction is acknowledged first and reaches its consumer in click order."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kit.clicks import AnswerClient, Click, Clicks, ModalSubmit
from tests.fakes.manual_clock import ManualClock, settle
from tests.kit.clicks.discord_server import DiscordServer
from tests.kit.clicks.hand_lane import HandLane, InstantLane
from tests.kit.clicks.payloads import MESSAGE, component, modal_submit
from tests.kit.clicks.watched_clock import WatchedClock

OTHER_MESSAGE = MESSAGE + 1


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


class Collector:
    """A durable consumer that remembers what it got."""

    def __init__(self) -> None:
        self.clicks: list[Click] = []

    async def __call__(self, click: Click) -> None:
        self.clicks.append(click)

    @property
    def ids(self) -> list[str]:
        return [click.custom_id for click in self.clicks]


# ── acknowledgement ─────────────────────────────────────────────────────────
async def test_click_is_acknowledged_by_a_silent_update_before_receive_returns(
    clicks: Clicks, lane: HandLane
) -> None:
    clicks.receive(component("next", number=1))

    assert lane.callbacks == [{"type": 6}]


async def test_click_carries_who_pressed_what_where(clicks: Clicks, lane: HandLane) -> None:
    stream = clicks.open(MESSAGE)
    clicks.receive(component("pick", number=1, user=42, values=["3", "4"]))
    lane.finish(0)
    click = await stream.next()

    assert (click.custom_id, click.values, click.user_id) == ("pick", ("3", "4"), 42)
    assert (click.guild_id, click.channel_id, click.message_id) == (10, 20, MESSAGE)
    assert (click.permissions, click.role_ids, click.user_name) == (8, frozenset({77}), "Ada")
    assert click.acknowledged
    assert "token-1" not in repr(click)


async def test_click_is_not_delivered_before_its_acknowledgement(
    clicks: Clicks, lane: HandLane
) -> None:
    stream = clicks.open(MESSAGE)
    clicks.receive(component("next", number=1))
    await settle()
    assert stream.drain() == []

    lane.finish(0)
    assert (await stream.next()).custom_id == "next"


async def test_click_whose_acknowledgement_failed_is_not_delivered_and_blocks_nobody(
    clicks: Clicks, lane: HandLane
) -> None:
    stream = clicks.open(MESSAGE)
    clicks.receive(component("lost", number=1))
    clicks.receive(component("good", number=2))
    lane.finish(1)
    await settle()
    lane.finish(0, arrived=False)
    await settle()

    assert [click.custom_id for click in stream.drain()] == ["good"]


async def test_click_is_not_held_up_by_another_message(clicks: Clicks, lane: HandLane) -> None:
    clicks.open(MESSAGE)
    other = clicks.open(OTHER_MESSAGE)
    clicks.receive(component("waits", number=1))
    clicks.receive(component("goes", number=2, message=OTHER_MESSAGE))
    lane.finish(1)

    assert (await other.next()).custom_id == "goes"


# ── order ───────────────────────────────────────────────────────────────────
@st.composite
def bursts(draw: st.DrawFn) -> tuple[list[int], list[bool], list[int]]:
    """For each click its message, whether it is acknowledged; and the order of finishing."""
    messages = draw(st.lists(st.integers(0, 2), min_size=1, max_size=25))
    arrived = draw(st.lists(st.booleans(), min_size=len(messages), max_size=len(messages)))
    return messages, arrived, draw(st.permutations(range(len(messages))))


@settings(deadline=None)
@given(bursts())
def test_clicks_are_delivered_in_click_order_however_acknowledgements_end(
    burst: tuple[list[int], list[bool], list[int]],
) -> None:
    asyncio.run(check_order(*burst))


async def check_order(messages: list[int], arrived: list[bool], finishing: list[int]) -> None:
    lane, clock = HandLane(), ManualClock()
    answers = AnswerClient(api_url="http://127.0.0.1:1", ssl_context=None, clock=clock)
    clicks = Clicks(lane=lane, answers=answers, clock=clock)
    streams = [clicks.open(MESSAGE + index) for index in range(3)]
    decided = Collector()
    clicks.durable("decide", decided, decides=True)
    for number, index in enumerate(messages):
        name = f"decide:{number}" if number % 4 == 3 else f"{number}"
        clicks.receive(component(name, number=number, message=MESSAGE + index))
    for number in finishing:
        lane.finish(number, arrived=arrived[number])
        await settle()

    for index, stream in enumerate(streams):
        mine = [n for n, message in enumerate(messages) if message == index and n % 4 != 3]
        wanted = [f"{n}" for n in mine if arrived[n]]
        assert [click.custom_id for click in stream.drain()] == wanted
    deciding = [n for n in range(len(messages)) if n % 4 == 3]
    assert sorted(decided.ids) == sorted(f"decide:{n}" for n in deciding)
    for index in range(3):
        on_message = [c for c in decided.clicks if c.message_id == MESSAGE + index]
        assert [c.number for c in on_message] == sorted(c.number for c in on_message)
        assert all(c.acknowledged is arrived[int(c.custom_id[7:])] for c in on_message)
    await clicks.close()


# ── durable consumers ───────────────────────────────────────────────────────
async def test_durable_consumer_gets_clicks_by_prefix_without_knowing_the_message(
    clicks: Clicks, lane: HandLane
) -> None:
    gather = Collector()
    clicks.durable("gather", gather)
    clicks.receive(component("gather:here:7", number=1))
    clicks.receive(component("gatherings", number=2))
    lane.finish(0)
    lane.finish(1)
    await settle()

    assert gather.ids == ["gather:here:7"]


async def test_longer_prefix_wins(clicks: Clicks, lane: HandLane) -> None:
    general, special = Collector(), Collector()
    clicks.durable("gather", general)
    clicks.durable("gather:cancel", special)
    clicks.receive(component("gather:cancel:1", number=1))
    lane.finish(0)
    await settle()

    assert (general.ids, special.ids) == ([], ["gather:cancel:1"])


async def test_prefix_with_two_consumers_is_refused(clicks: Clicks) -> None:
    clicks.durable("gather", Collector())
    with pytest.raises(ValueError, match="gather"):
        clicks.durable("gather", Collector())


async def test_deciding_click_counts_though_its_acknowledgement_failed(
    clicks: Clicks, lane: HandLane
) -> None:
    check_in, mute = Collector(), Collector()
    clicks.durable("here", check_in, decides=True)
    clicks.durable("mute", mute)
    clicks.receive(component("here", number=1))
    clicks.receive(component("mute", number=2))
    lane.finish(0, arrived=False)
    lane.finish(1, arrived=False)
    await settle()

    assert [click.acknowledged for click in check_in.clicks] == [False]
    assert mute.clicks == []


async def test_slow_consumer_holds_up_its_own_message_alone(clicks: Clicks, lane: HandLane) -> None:
    done: list[int] = []
    gate = asyncio.Event()

    async def consume(click: Click) -> None:
        if click.number == 1:
            await gate.wait()
        done.append(click.number)

    clicks.durable("gather", consume)
    clicks.receive(component("gather", number=1))
    clicks.receive(component("gather", number=2))
    clicks.receive(component("gather", number=3, message=OTHER_MESSAGE))
    for index in range(3):
        lane.finish(index)
    await settle()
    assert done == [3]

    gate.set()
    await settle()
    assert done == [3, 1, 2]


async def test_failing_consumer_is_logged_told_and_called_again(
    clicks: Clicks,
    lane: HandLane,
    discord: DiscordServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[int] = []

    async def consume(click: Click) -> None:
        seen.append(click.number)
        if click.number == 1:
            raise RuntimeError("broken on purpose")

    clicks.durable("gather", consume)
    clicks.receive(component("gather", number=1))
    clicks.receive(component("gather", number=2))
    lane.finish(0)
    lane.finish(1)
    await settle()
    await discord.until(lambda: len(discord.webhooks) == 1)

    assert seen == [1, 2]
    assert "broken on purpose" in caplog.text
    assert "Something went wrong" in str(discord.webhooks[0].body)


# ── forms ───────────────────────────────────────────────────────────────────
async def test_form_reaches_its_consumer_with_what_was_typed(
    clicks: Clicks, lane: HandLane
) -> None:
    submitted: list[ModalSubmit] = []

    async def consume(submit: ModalSubmit) -> None:
        submitted.append(submit)

    clicks.modal("rename", consume)
    clicks.receive(modal_submit("rename:5", {"name": "Ada", "why": ""}))
    assert lane.callbacks == [{"type": 5}]
    lane.finish(0)
    await settle()

    assert [(s.custom_id, dict(s.fields)) for s in submitted] == [
        ("rename:5", {"name": "Ada", "why": ""})
    ]


async def test_private_form_is_deferred_for_the_member_alone(
    clicks: Clicks, lane: HandLane
) -> None:
    async def consume(submit: ModalSubmit) -> None: ...

    clicks.modal("rename", consume, private=True)
    clicks.receive(modal_submit("rename", {}))

    assert lane.callbacks == [{"type": 5, "data": {"flags": 64}}]


async def test_form_that_nobody_waits_for_is_answered_as_expired(
    clicks: Clicks, lane: HandLane, discord: DiscordServer
) -> None:
    clicks.receive(modal_submit("forgotten", {}))
    lane.finish(0)
    await discord.until(lambda: len(discord.webhooks) == 1)

    assert "expired" in str(discord.webhooks[0].body)


# ── life ────────────────────────────────────────────────────────────────────
async def test_closing_ends_waiting_consumers_and_leaves_no_task(
    discord: DiscordServer, clock: WatchedClock
) -> None:
    before = asyncio.all_tasks()
    lane = InstantLane()
    answers = AnswerClient(api_url=discord.api_url, ssl_context=None, clock=clock)
    clicks = Clicks(lane=lane, answers=answers, clock=clock)
    await clicks.start()
    assert lane.started
    clicks.open(MESSAGE)
    clicks.receive(component("unknown", number=1, message=OTHER_MESSAGE))
    await settle()
    await clicks.close()
    await settle()

    assert asyncio.all_tasks() == before
