"""The bot's connection to Discord: quick to be ready, and interactions go past nextcord."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import nextcord
import pytest

from bot.kit.clicks import AnswerClient, Clicks
from bot.kit.clicks.command_acks import CommandInteraction
from bot.kit.client import BotClient, Sharding
from services.clock import Clock, SystemClock
from tests.kit.clicks.discord_server import DEADLINE_SECONDS
from tests.kit.clicks.hand_lane import InstantLane
from tests.kit.clicks.payloads import MESSAGE, command, component
from tests.kit.gateway_server import GatewayServer, running


class Bot:
    """A running client with what a test looks at."""

    def __init__(
        self, gateway: GatewayServer, *, sharding: Sharding | None = None, clock: Clock
    ) -> None:
        self.lane = InstantLane()
        answers = AnswerClient(api_url=gateway.api_url, ssl_context=None, clock=clock)
        self.clicks = Clicks(lane=self.lane, answers=answers, clock=clock)
        self.ready_times = 0
        self.ready = asyncio.Event()
        self.commands: asyncio.Queue[CommandInteraction] = asyncio.Queue()
        self.client = BotClient(
            clicks=self.clicks,
            clock=clock,
            api_url=gateway.api_url,
            prefix=no_prefix,
            sharding=sharding,
            on_first_ready=self._on_first_ready,
            on_command=self.commands.put,
        )

    async def _on_first_ready(self) -> None:
        self.ready_times += 1
        self.ready.set()


async def no_prefix(_bot: object, _message: nextcord.Message) -> list[str]:
    return []


@asynccontextmanager
async def started(
    gateway: GatewayServer, *, sharding: Sharding | None = None, clock: Clock | None = None
) -> AsyncIterator[Bot]:
    base = nextcord.http.Route.BASE
    bot = Bot(gateway, sharding=sharding, clock=clock or SystemClock())
    running_client = asyncio.ensure_future(bot.client.start("token"))
    try:
        ready = asyncio.ensure_future(bot.ready.wait())
        await asyncio.wait({ready, running_client}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if running_client.done():
            await running_client
        yield bot
    finally:
        await bot.client.close()
        await bot.clicks.close()
        await asyncio.gather(running_client, return_exceptions=True)
        nextcord.http.Route.BASE = base


@pytest.fixture
async def gateway() -> AsyncIterator[GatewayServer]:
    async with running(GatewayServer()) as server:
        yield server


@pytest.fixture
async def bot(gateway: GatewayServer) -> AsyncIterator[Bot]:
    async with started(gateway) as bot:
        yield bot


async def next_of[T](queue: asyncio.Queue[T]) -> T:
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await queue.get()


async def test_client_is_ready_with_all_guilds_and_who_is_in_voice(bot: Bot) -> None:
    guild = bot.client.get_guild(10)
    assert guild is not None
    lounge = guild.get_channel(21)
    assert isinstance(lounge, nextcord.VoiceChannel)
    assert [member.id for member in lounge.members] == [1]


async def test_client_asks_for_members_and_content_but_no_presences(
    bot: Bot, gateway: GatewayServer
) -> None:
    [identify] = gateway.sent(2)
    asked = {bit for bit in range(32) if identify["intents"] >> bit & 1}
    guilds, members, voice_states, guild_messages, dm_messages, content = 0, 1, 7, 9, 12, 15
    assert asked == {guilds, members, voice_states, guild_messages, dm_messages, content}


async def test_click_goes_to_the_stream_and_never_into_nextcords_events(
    bot: Bot, gateway: GatewayServer
) -> None:
    seen: list[object] = []

    async def listener(interaction: object) -> None:
        seen.append(interaction)

    bot.client.add_listener(listener, "on_interaction")
    stream = bot.clicks.open(MESSAGE)
    await gateway.dispatch("INTERACTION_CREATE", component("next", number=1))
    async with asyncio.timeout(DEADLINE_SECONDS):
        click = await stream.next()

    assert click.custom_id == "next"
    assert seen == []
    assert not any(path.endswith("/callback") for _, path in gateway.asked)


async def test_clicks_arrive_in_the_order_of_the_gateway(bot: Bot, gateway: GatewayServer) -> None:
    stream = bot.clicks.open(MESSAGE)
    for number in range(50):
        await gateway.dispatch("INTERACTION_CREATE", component(f"{number}", number=number))
    async with asyncio.timeout(DEADLINE_SECONDS):
        ids = [(await stream.next()).custom_id for _ in range(50)]

    assert ids == [f"{number}" for number in range(50)]


async def test_command_is_acknowledged_before_its_handler_runs(
    bot: Bot, gateway: GatewayServer
) -> None:
    await gateway.dispatch("INTERACTION_CREATE", command("play"))
    interaction = await next_of(bot.commands)

    assert bot.lane.callbacks == [{"type": 5}]
    assert await bot.clicks.acknowledged(interaction)
    assert interaction.token == "token-1"


@pytest.mark.parametrize("event", ["INTERACTION_CREATE", "MESSAGE_CREATE", "VOICE_STATE_UPDATE"])
async def test_malformed_event_is_logged_and_the_session_goes_on(
    bot: Bot, gateway: GatewayServer, caplog: pytest.LogCaptureFixture, event: str
) -> None:
    await gateway.dispatch(event, {"type": 3, "id": "1", "token": "t", "guild_id": "x"})
    await gateway.dispatch("INTERACTION_CREATE", command("play"))
    await next_of(bot.commands)

    assert f"{event} could not be read" in caplog.text
    assert len(gateway.connections) == 1


async def test_dropped_connection_is_resumed_at_the_sessions_own_address(
    bot: Bot, gateway: GatewayServer
) -> None:
    await gateway.drop()
    await gateway.until_sent(6)
    await gateway.drop()
    await gateway.until_sent(6, times=2)

    assert [path.strip("/") for path in gateway.connections] == [
        "gateway-socket",
        "resume-socket",
        "resume-socket",
    ]
    assert gateway.sent(6)[0]["session_id"] == "session"
    assert bot.ready_times == 1


async def test_gateway_that_closes_while_resuming_does_not_end_the_bot(
    bot: Bot, gateway: GatewayServer
) -> None:
    gateway.closes_at_once = 2
    await gateway.drop()
    await gateway.until_sent(6)
    await gateway.dispatch("INTERACTION_CREATE", command("play"))

    await next_of(bot.commands)
    assert len(gateway.connections) == 4


async def test_new_session_does_not_start_everything_a_second_time(
    bot: Bot, gateway: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(*args: Any, **kwargs: Any) -> None: ...

    ready_again = asyncio.Event()

    async def listener() -> None:
        ready_again.set()

    monkeypatch.setattr(bot.client, "before_identify_hook", at_once)
    bot.client.add_listener(listener, "on_ready")
    await gateway.invalidate()
    async with asyncio.timeout(DEADLINE_SECONDS):
        await ready_again.wait()

    assert len(gateway.sent(2)) == 2
    assert bot.ready_times == 1


async def test_guild_that_is_out_does_not_keep_the_bot_from_being_ready() -> None:
    async with running(GatewayServer(absent_guild_ids=(99,))) as gateway, started(gateway) as bot:
        assert bot.ready_times == 1


async def test_discord_without_gateway_bot_is_served_by_one_shard() -> None:
    async with running(GatewayServer(serves_gateway_bot=False)) as gateway, started(gateway):
        assert ("GET", "/gateway") in gateway.asked
        assert gateway.sent(2)[0]["shard"] == [0, 1]


async def test_chosen_shard_is_the_one_that_identifies() -> None:
    sharding = Sharding(ids=(1,), count=4)
    async with running(GatewayServer()) as gateway, started(gateway, sharding=sharding):
        assert [identify["shard"] for identify in gateway.sent(2)] == [[1, 4]]


class HurryingClock(SystemClock):
    """Nobody has to wait."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


async def test_discord_that_is_down_at_the_start_is_waited_for() -> None:
    async with (
        running(GatewayServer(unavailable_times=20)) as gateway,
        started(gateway, clock=HurryingClock()) as bot,
    ):
        assert bot.ready_times == 1
        assert len(gateway.asked) > 20


async def test_wrong_token_is_told_at_once() -> None:
    async with running(GatewayServer(knows_token=False)) as gateway:
        with pytest.raises(nextcord.LoginFailure):
            async with started(gateway):
                pass

    assert len(gateway.asked) == 1
