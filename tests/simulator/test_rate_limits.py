"""Requests are limited by sliding windows, per bucket and for all."""

import asyncio

from tests.simulator.conftest import Club
from tests.simulator.raw_bot import RawGateway


async def test_sixth_message_in_five_seconds_is_refused(club: Club) -> None:
    first = await club.bot.ask("POST", club.messages, {"content": "1"})
    assert first.headers["X-RateLimit-Limit"] == "5"
    assert first.headers["X-RateLimit-Remaining"] == "4"
    for _ in range(4):
        await club.bot.ask("POST", club.messages, {"content": "x"})
    refused = await club.bot.ask("POST", club.messages, {"content": "6"})
    assert refused.status == 429
    assert refused.body["message"] == "You are being rate limited."
    assert 4 < refused.body["retry_after"] <= 5
    assert refused.body["global"] is False
    assert refused.headers["Via"]
    assert refused.headers["Retry-After"] == "5"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.headers["X-RateLimit-Scope"] == "user"
    assert refused.headers["X-RateLimit-Bucket"] == first.headers["X-RateLimit-Bucket"]
    assert club.discord.rate_limit_hits == [f"send {club.general.id}"]


async def test_window_slides(club: Club) -> None:
    for seconds in (2, 2, 0, 0, 0):
        assert (await club.bot.ask("POST", club.messages, {"content": "x"})).status == 200
        club.discord.clock.skip(seconds)
    club.discord.clock.skip(1.1)
    assert (await club.bot.ask("POST", club.messages, {"content": "x"})).status == 200
    assert (await club.bot.ask("POST", club.messages, {"content": "x"})).status == 429


async def test_channels_have_buckets_of_their_own(club: Club) -> None:
    other = club.guild.add_text_channel("other")
    for _ in range(5):
        await club.bot.ask("POST", club.messages, {"content": "x"})
    reply = await club.bot.ask("POST", f"/channels/{other.id}/messages", {"content": "x"})
    assert reply.status == 200


async def test_edits_are_counted_apart_from_messages(club: Club) -> None:
    for _ in range(5):
        sent = await club.bot.ask("POST", club.messages, {"content": "x"})
    path = f"{club.messages}/{sent.body['id']}"
    assert (await club.bot.ask("PATCH", path, {"content": "y"})).status == 200


async def test_51st_request_in_a_second_hits_the_global_limit(club: Club) -> None:
    paths = [f"/users/{club.ada.id}", "/users/@me", f"/guilds/{club.guild.id}"]
    requests = [club.bot.ask("GET", paths[n % 3]) for n in range(55)]
    replies = await asyncio.gather(*requests)
    refused = [reply for reply in replies if reply.status == 429]
    assert len(refused) == 5
    assert refused[0].headers["X-RateLimit-Global"] == "true"
    assert refused[0].body["global"] is True
    assert "X-RateLimit-Bucket" not in refused[0].headers


async def test_answers_to_interactions_are_not_limited(club: Club, gateway: RawGateway) -> None:
    row = {"type": 1, "components": [{"type": 2, "style": 1, "label": "A", "custom_id": "a"}]}
    sent = await club.bot.ask("POST", club.messages, {"components": [row]})
    menu = club.discord.world.messages[int(sent.body["id"])]
    clicks = [club.ada.click_soon(menu, "A") for _ in range(200)]
    events = [await gateway.event("INTERACTION_CREATE") for _ in clicks]
    replies = await asyncio.gather(*(club.bot.answer(event, 6) for event in events))
    assert {reply.status for reply in replies} == {204}
    assert all(outcome.acknowledged for outcome in await asyncio.gather(*clicks))


async def test_sixth_follow_up_in_two_seconds_is_refused(club: Club, gateway: RawGateway) -> None:
    row = {"type": 1, "components": [{"type": 2, "style": 1, "label": "A", "custom_id": "a"}]}
    sent = await club.bot.ask("POST", club.messages, {"components": [row]})
    club.ada.click_soon(club.discord.world.messages[int(sent.body["id"])], "A")
    event = await gateway.event("INTERACTION_CREATE")
    await club.bot.answer(event, 6)
    path = club.bot.webhook(event)
    statuses = [
        (await club.bot.ask("POST", path, {"content": "x"}, authorized=False)).status
        for _ in range(6)
    ]
    assert statuses == [200] * 5 + [429]


async def test_fourth_reaction_at_once_is_refused(club: Club) -> None:
    said = await club.ada.say(club.general, "x")
    path = f"{club.messages}/{said.id}/reactions/%F0%9F%8E%B5/@me"
    assert (await club.bot.ask("PUT", path)).status == 204
    assert (await club.bot.ask("PUT", path)).status == 429


async def test_channel_name_has_a_hidden_limit(club: Club) -> None:
    club.guild.bot_role.permissions |= 1 << 4
    path = f"/channels/{club.general.id}"
    for name in ("one", "two"):
        assert (await club.bot.ask("PATCH", path, {"name": name})).status == 200
    refused = await club.bot.ask("PATCH", path, {"name": "three"})
    assert refused.status == 429
    assert int(refused.headers["X-RateLimit-Remaining"]) > 0
    assert refused.body["retry_after"] > 500
    assert (await club.bot.ask("PATCH", path, {"nsfw": True})).status == 200


async def test_old_messages_are_edited_seldom(club: Club) -> None:
    sent = await club.bot.ask("POST", club.messages, {"content": "x"})
    club.discord.clock.skip(3700)
    path = f"{club.messages}/{sent.body['id']}"
    replies = [await club.bot.ask("PATCH", path, {"content": str(n)}) for n in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429]
    assert replies[3].code == 30046


async def test_limits_can_be_switched_off(club: Club) -> None:
    club.discord.api.limiter.enabled = False
    statuses = {
        (await club.bot.ask("POST", club.messages, {"content": "x"})).status for _ in range(20)
    }
    assert statuses == {200}


async def test_ten_thousand_invalid_requests_are_banned_by_cloudflare(club: Club) -> None:
    for _ in range(9_999):
        club.discord.api.limiter.count_invalid()
    await club.bot.ask("GET", "/users/@me", authorized=False)
    banned = await club.bot.ask("GET", "/users/@me")
    assert banned.status == 429
    assert "Via" not in banned.headers
    assert banned.headers["Content-Type"].startswith("text/html")
    club.discord.clock.skip(601)
    assert (await club.bot.ask("GET", "/users/@me")).status == 200
