"""Commands as the gateway brings them: after a prefix, by mention, as slash commands and menus."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import nextcord
import pytest
from aiohttp import web
from nextcord.http import HTTPClient

from bot.kit.clicks import AnswerClient, Clicks
from bot.kit.client import BotClient
from bot.kit.command_runner import CommandRunner
from bot.kit.command_sync import publish
from bot.kit.dual_command import CommandSet
from bot.kit.posted import Messages
from bot.kit.prefix_commands import PrefixCommands, Prefixes
from bot.kit.slash_commands import SlashCommands
from services.clock import SystemClock
from tests.fakes.outbox import FakeOutbox
from tests.kit.clicks.discord_server import DEADLINE_SECONDS, reply
from tests.kit.clicks.hand_lane import InstantLane
from tests.kit.clicks.payloads import autocomplete, command
from tests.kit.examples import Examples
from tests.kit.gateway_server import GatewayServer, running

ADA, BEN = 1, 2


def user(user_id: int, name: str) -> dict[str, Any]:
    return {"id": str(user_id), "username": name, "discriminator": "0", "avatar": None}


@dataclass
class TalkingGateway(GatewayServer):
    """Also takes answers to commands and the list of commands."""

    answers: list[tuple[str, str, Any]] = field(default_factory=list)
    """Method, last part of the path, and body of each answer."""
    registered: list[dict[str, Any]] = field(default_factory=list)
    published: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(9000))

    async def rest(self, request: web.Request) -> web.StreamResponse:
        if "/webhooks/" in request.path:
            body = await request.json() if request.can_read_body else None
            self.answers.append((request.method, request.path.rsplit("/", 1)[-1], body))
            message = {"id": str(next(self._numbers))}
            return await reply(204 if request.method == "DELETE" else 200, message)(request)
        if request.path.endswith("/commands"):
            if request.method == "PUT":
                self.published += 1
                self.registered = await request.json()
            return await reply(200, self.registered)(request)
        return await super().rest(request)

    def titles(self) -> list[str]:
        return [body["embeds"][0]["title"] for _, _, body in self.answers if body]


class Bot:
    """A running bot with the example commands."""

    def __init__(self, gateway: TalkingGateway) -> None:
        clock = SystemClock()
        self.gateway = gateway
        self.cog = Examples()
        self.commands = CommandSet()
        self.commands.add(self.cog)
        self.outbox = FakeOutbox()
        self.messages = Messages(self.outbox, clock)
        self.lane = InstantLane()
        answers = AnswerClient(api_url=gateway.api_url, ssl_context=None, clock=clock)
        self.clicks = Clicks(lane=self.lane, answers=answers, clock=clock)
        runner = CommandRunner(clock)
        slash = SlashCommands(
            self.commands,
            runner=runner,
            messages=self.messages,
            outbox=self.outbox,
            clicks=self.clicks,
        )
        self.ready = asyncio.Event()
        self.client = BotClient(
            clicks=self.clicks,
            clock=clock,
            api_url=gateway.api_url,
            prefix=Prefixes(self._prefix_of),
            on_first_ready=self._on_ready,
            on_command=slash.handle,
        )
        PrefixCommands(self.commands, runner=runner, messages=self.messages).register(self.client)

    async def _prefix_of(self, guild_id: int) -> str:
        return "!" if guild_id == 10 else "?"

    async def _on_ready(self) -> None:
        self.ready.set()

    async def say(self, content: str, **more: Any) -> None:
        """Let Ada write a message."""
        message = {
            "id": "555",
            "channel_id": "20",
            "guild_id": "10",
            "author": user(ADA, "ada"),
            "member": {"roles": []},
            "content": content,
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "attachments": [],
            "mentions": [],
            "embeds": [],
            "pinned": False,
            "type": 0,
            **more,
        }
        await self.gateway.dispatch("MESSAGE_CREATE", message)

    async def choose(self, name: str, **data: Any) -> None:
        """Let Ada give a slash command or open a menu entry."""
        payload = command(name)
        payload["data"] |= data
        await self.gateway.dispatch("INTERACTION_CREATE", payload)

    async def until(self, what: Callable[[], object]) -> None:
        """Wait until `what()` is true."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not what():  # noqa: ASYNC110 -- no event tells that a request has arrived
                await asyncio.sleep(0.005)


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    base = nextcord.http.Route.BASE
    async with running(TalkingGateway()) as gateway:
        assert isinstance(gateway, TalkingGateway)
        bot = Bot(gateway)
        serving = asyncio.ensure_future(bot.client.start("token"))
        async with asyncio.timeout(DEADLINE_SECONDS):
            await bot.ready.wait()
        yield bot
        await bot.messages.close()
        await bot.client.close()
        await bot.clicks.close()
        await asyncio.gather(serving, return_exceptions=True)
    nextcord.http.Route.BASE = base


@pytest.mark.parametrize(
    "content", ["!skip 3", "!SKIP 3", "!s 3", "<@30> skip 3", "<@!30> next 3", "! skip 3"]
)
async def test_prefix_command_is_given_by_prefix_mention_and_alias(bot: Bot, content: str) -> None:
    await bot.say(content)
    await bot.until(lambda: bot.outbox.seen)
    assert bot.cog.seen == [3]
    assert bot.outbox.seen == ["⏭️ Skipped"]


async def test_prefix_command_unknown_or_foreign_is_ignored(bot: Bot) -> None:
    await bot.say("!dance")
    await bot.say("skip 3")
    await bot.say("?skip 3")
    await bot.say("!skip 3", author={**user(99, "other"), "bot": True})
    await bot.say("!skip 4")
    await bot.until(lambda: bot.outbox.seen)
    assert bot.cog.seen == [4]


async def test_prefix_command_gets_mentioned_members_that_nobody_knew(bot: Bot) -> None:
    ben = {**user(BEN, "ben"), "member": {"roles": []}}
    await bot.say(f"!+rep <@{BEN}> for helping", mentions=[ben])
    await bot.until(lambda: bot.cog.seen)
    [(who, reason)] = bot.cog.seen
    assert (who.id, who.name, reason) == (BEN, "ben", "for helping")


async def test_prefix_command_gets_the_attached_file(bot: Bot) -> None:
    file = {"id": "7", "filename": "a.mp3", "size": 9, "url": "https://cdn/a.mp3"}
    await bot.say("!play", attachments=[file])
    await bot.until(lambda: bot.cog.seen)
    [(query, attached)] = bot.cog.seen
    assert query is None
    assert (attached.filename, attached.url, attached.size_bytes) == (
        "a.mp3",
        "https://cdn/a.mp3",
        9,
    )


async def test_prefix_group_without_its_verb_shows_the_usage_of_all(bot: Bot) -> None:
    await bot.say("!gather")
    await bot.until(lambda: bot.outbox.seen)
    assert bot.outbox.seen == ["📖 Usage"]
    assert "`!gather start`" in bot.outbox.text()
    assert "`!gather expect" in bot.outbox.text()


async def test_prefix_command_of_a_group_runs(bot: Bot) -> None:
    ada = {**user(ADA, "ada"), "member": {"roles": []}}
    await bot.say(f"!Gather expect on <@{ADA}>", mentions=[ada])
    await bot.until(lambda: bot.cog.seen)
    [(mode, users)] = bot.cog.seen
    assert mode == "on"
    assert [member.id for member in users] == [ADA]


async def test_slash_command_is_deferred_and_its_answer_fills_the_deferral(bot: Bot) -> None:
    await bot.choose("skip", options=[{"type": 4, "name": "count", "value": 3}])
    await bot.until(lambda: bot.gateway.answers)
    assert bot.lane.callbacks == [{"type": 5}]
    [(method, where, body)] = bot.gateway.answers
    assert (method, where) == ("PATCH", "@original")
    assert body["embeds"][0]["title"] == "⏭️ Skipped"
    assert body["allowed_mentions"] == {"parse": [], "users": []}
    assert bot.outbox.seen == []


async def test_slash_command_of_a_group_with_a_member_nobody_knew(bot: Bot) -> None:
    options = [
        {"type": 6, "name": "who", "value": str(BEN)},
        {"type": 3, "name": "reason", "value": "for helping"},
    ]
    resolved = {
        "users": {str(BEN): user(BEN, "ben")},
        "members": {str(BEN): {"roles": ["77"], "permissions": "0", "nick": "Benny"}},
    }
    nested = [{"type": 1, "name": "add", "options": options}]
    await bot.choose("rep", options=nested, resolved=resolved)
    await bot.until(lambda: bot.cog.seen)
    [(who, reason)] = bot.cog.seen
    assert (who.id, who.name, who.role_ids, reason) == (BEN, "Benny", {77}, "for helping")


async def test_slash_command_that_answers_nothing_stops_thinking(bot: Bot) -> None:
    await bot.choose("play", options=[{"type": 3, "name": "query", "value": "x"}])
    await bot.until(lambda: bot.gateway.answers)
    assert bot.gateway.answers == [("DELETE", "@original", None)]


async def test_slash_command_that_is_gone_says_so_to_the_member_alone(bot: Bot) -> None:
    await bot.choose("dance")
    await bot.until(lambda: bot.gateway.answers)
    assert bot.lane.callbacks == [{"type": 5, "data": {"flags": 64}}]
    assert bot.gateway.titles() == ["⛔ That cannot be done"]


async def test_slash_command_failure_fills_the_deferral_too(bot: Bot) -> None:
    await bot.choose("broken")
    await bot.until(lambda: bot.gateway.answers)
    assert bot.gateway.titles() == ["💥 Something went wrong"]


async def test_user_menu_gets_the_member_it_was_opened_on(bot: Bot) -> None:
    resolved = {"users": {str(BEN): user(BEN, "ben")}, "members": {str(BEN): {"roles": []}}}
    await bot.choose("Praise", type=2, target_id=str(BEN), resolved=resolved)
    await bot.until(lambda: bot.cog.seen)
    [who] = bot.cog.seen
    assert getattr(who, "name", None) == "ben"


async def test_message_menu_gets_its_message_and_answers_the_member_alone(bot: Bot) -> None:
    message = {"id": "777", "author": user(BEN, "ben"), "content": "hello"}
    resolved = {"messages": {"777": message}}
    await bot.choose("Remind me", type=3, target_id="777", resolved=resolved)
    await bot.until(lambda: bot.gateway.answers)
    [target] = bot.cog.seen
    assert (target.id, target.author_id, target.text) == (777, BEN, "hello")
    assert bot.lane.callbacks == [{"type": 5, "data": {"flags": 64}}]


async def test_slash_command_that_opens_a_form_is_acknowledged_by_it(bot: Bot) -> None:
    await bot.choose("rename")
    await bot.until(lambda: bot.lane.callbacks)
    [callback] = bot.lane.callbacks
    assert callback["type"] == 9
    assert callback["data"]["title"] == "Rename"


async def test_prefix_command_that_needs_a_form_says_where_to_find_it(bot: Bot) -> None:
    await bot.say("!rename")
    await bot.until(lambda: bot.outbox.seen)
    assert bot.outbox.seen == ["⛔ That cannot be done"]


async def test_field_with_autocomplete_gets_its_suggestions(bot: Bot) -> None:
    typed = {"type": 3, "name": "name", "value": "so", "focused": True}
    payload = autocomplete("local", [{"type": 1, "name": "play", "options": [typed]}])
    await bot.gateway.dispatch("INTERACTION_CREATE", payload)
    await bot.until(lambda: bot.lane.callbacks)
    [callback] = bot.lane.callbacks
    assert callback["type"] == 8
    assert [choice["value"] for choice in callback["data"]["choices"]] == ["soa", "sob"]


async def test_commands_are_published_once_and_only_when_they_changed(bot: Bot) -> None:
    http = bot.client.http
    assert isinstance(http, HTTPClient)
    assert await publish(http, application_id=30, commands=bot.commands)
    assert not await publish(http, application_id=30, commands=bot.commands)
    assert bot.gateway.published == 1
    assert {registered["name"] for registered in bot.gateway.registered} >= {"skip", "rep"}
