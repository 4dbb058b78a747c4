"""What goes wrong on demand goes wrong exactly so, and then no more."""

import asyncio

import aiohttp
import pytest

from tests.simulator import Simulator
from tests.simulator.conftest import Club
from tests.simulator.raw_bot import RawBot, RawGateway


async def test_planned_failures_come_so_often_and_then_no_more(club: Club) -> None:
    club.discord.faults.fail("GET /users/@me", 502, times=2)
    statuses = [(await club.bot.ask("GET", "/users/@me")).status for _ in range(3)]
    assert statuses == [502, 502, 200]


async def test_failure_meets_only_its_route(club: Club) -> None:
    club.discord.faults.fail("POST /channels/*/messages", 503)
    assert (await club.bot.ask("GET", "/users/@me")).status == 200
    assert (await club.bot.ask("POST", club.messages, {"content": "x"})).status == 503
    assert club.general.messages == []


async def test_answer_can_be_lost_after_the_work_was_done(club: Club) -> None:
    club.discord.faults.fail("POST /channels/*/messages", 500, after_processing=True)
    assert (await club.bot.ask("POST", club.messages, {"content": "x"})).status == 500
    assert await club.general.expect(text="x")


@pytest.mark.parametrize("after", [False, True])
async def test_connection_can_be_reset(club: Club, *, after: bool) -> None:
    club.discord.faults.fail("POST /channels/*/messages", "reset", after_processing=after)
    with pytest.raises(aiohttp.ClientError):
        await club.bot.ask("POST", club.messages, {"content": "x"})
    assert bool(club.general.messages) is after


async def test_made_up_rate_limits_look_real(club: Club) -> None:
    club.discord.faults.fail("*", "429", retry_after=0.2)
    own = await club.bot.ask("GET", "/users/@me")
    assert (own.status, own.body["retry_after"], own.headers["Via"]) == (429, 0.2, "1.1 google")
    assert own.headers["X-RateLimit-Remaining"] == "0"
    club.discord.faults.fail("*", "shared-429")
    shared = await club.bot.ask("GET", "/users/@me")
    assert shared.headers["X-RateLimit-Scope"] == "shared"
    club.discord.faults.fail("*", "cloudflare")
    assert "Via" not in (await club.bot.ask("GET", "/users/@me")).headers


@pytest.mark.parametrize("after", [False, True])
async def test_request_can_be_left_waiting(club: Club, *, after: bool) -> None:
    stall = club.discord.faults.stall("POST /channels/*/messages", after_processing=after)
    asking = asyncio.ensure_future(club.bot.ask("POST", club.messages, {"content": "x"}))
    await stall.reached()
    assert bool(club.general.messages) is after
    assert not asking.done()
    stall.release()
    assert (await asking).status == 200
    assert len(club.general.messages) == 1


async def test_request_is_awaited_by_its_path(club: Club) -> None:
    waiting = asyncio.ensure_future(club.discord.expect_request("GET /users/*"))
    await asyncio.sleep(0)
    await club.bot.ask("GET", "/users/@me")
    assert (await waiting).path == "/users/@me"
    with pytest.raises(AssertionError, match="No 'PUT "):
        await club.discord.expect_request("PUT *", within=0.01)


async def test_round_trip_lasts_as_long_as_it_should(club: Club) -> None:
    club.discord.faults.latency(0.1, "GET /users/*")
    await club.bot.ask("GET", "/users/@me")
    assert club.discord.requests[-1].seconds >= 0.1
    club.discord.faults.latency(0, "GET /users/*")
    await club.bot.ask("GET", "/users/@me")
    assert club.discord.requests[-1].seconds < 0.1


async def test_requests_are_written_down(club: Club) -> None:
    await club.bot.ask("GET", f"{club.messages}/5")
    record = club.discord.requests[-1]
    assert record.route == "/channels/{channel_id}/messages/{message_id}"
    assert (record.method, record.status, record.code) == ("GET", 404, 10008)
    assert "404" in club.discord.account()


async def test_gateway_can_refuse_and_be_cut(club: Club, gateway: RawGateway) -> None:
    club.discord.faults.refuse_connections = True
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await club.bot.connect().__aenter__()
    club.discord.faults.drop_gateway()
    assert await gateway.closed() == 1006
    club.discord.faults.heal()
    async with club.bot.connect() as again:
        await again.resume(gateway.session_id, gateway.sequence)
        await again.event("RESUMED")


async def test_swallowed_heartbeats_are_not_acknowledged(club: Club, gateway: RawGateway) -> None:
    club.discord.faults.heartbeats_unanswered = True
    await gateway.send(1, 1)
    club.discord.faults.heal()
    await asyncio.sleep(0)
    await gateway.send(1, 2)
    frames = [await gateway.frame()]
    assert [frame["op"] for frame in frames] == [11]


async def test_voice_events_wait_for_their_release(club: Club, gateway: RawGateway) -> None:
    club.discord.faults.hold_voice_events()
    await gateway.send(4, {"guild_id": club.guild.id, "channel_id": club.lounge.id})
    await club.guild.bot_joins()
    club.discord.faults.delay_voice_events(0.01)
    assert (await gateway.frame())["t"] == "VOICE_STATE_UPDATE"


async def test_defect_of_the_simulator_is_told_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    discord = Simulator(voice=False)

    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(discord.application.user, "json", fail, raising=True)
    with pytest.raises(ExceptionGroup, match="simulator itself") as failure:
        async with discord, RawBot(discord) as bot:
            assert (await bot.ask("GET", "/users/@me")).status == 500
    assert len(failure.value.exceptions) == 1
