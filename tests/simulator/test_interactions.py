"""Interactions live and die as on Discord: the 3 s window, the token, what may answer what."""

import asyncio
from typing import Any

import pytest

from tests.simulator import Member, Outcome, Permission, SimMessage
from tests.simulator.conftest import Club
from tests.simulator.raw_bot import RawGateway, Reply

BUTTON = {"type": 2, "style": 1, "label": "Next", "custom_id": "next"}
ROW = {"type": 1, "components": [BUTTON]}
EPHEMERAL = 64


class Used:
    """An interaction, and what the bot got of it."""

    def __init__(self, club: Club, event: dict[str, Any], outcome: asyncio.Future[Outcome]) -> None:
        self.club = club
        self.event = event
        self.outcome = outcome

    async def answer(self, kind: int, **data: Any) -> Reply:
        return await self.club.bot.answer(self.event, kind, **data)

    async def webhook(self, method: str, tail: str = "", body: Any = None) -> Reply:
        path = self.club.bot.webhook(self.event, tail)
        return await self.club.bot.ask(method, path, body, authorized=False)


class Clicked(Used):
    """A click on the bot's message."""

    def __init__(
        self,
        club: Club,
        message: SimMessage,
        event: dict[str, Any],
        outcome: asyncio.Future[Outcome],
    ) -> None:
        super().__init__(club, event, outcome)
        self.message = message


@pytest.fixture
async def menu(club: Club, gateway: RawGateway) -> SimMessage:
    """Return a message of the bot with a button."""
    body = {"content": "page 1", "components": [ROW]}
    reply = await club.bot.ask("POST", club.messages, body)
    return club.discord.world.messages[int(reply.body["id"])]


@pytest.fixture
async def clicked(club: Club, gateway: RawGateway, menu: SimMessage) -> Clicked:
    outcome = club.ada.click_soon(menu, "Next")
    return Clicked(club, menu, await gateway.event("INTERACTION_CREATE"), outcome)


async def command(
    club: Club, gateway: RawGateway, member: Member | None = None, **options: Any
) -> Used:
    body = {
        "name": "play",
        "description": "plays",
        "options": [{"type": 3, "name": "query", "description": "what", "autocomplete": True}],
    }
    path = f"/applications/{club.discord.bot.id}/commands"
    await club.bot.ask("POST", path, body)
    outcome = (member or club.ada).slash_soon(club.general, "play", **options)
    event = await gateway.event("INTERACTION_CREATE")
    return Used(club, event, outcome)


# ── the event ───────────────────────────────────────────────────────────────


async def test_click_tells_who_where_and_on_what(clicked: Clicked) -> None:
    event = clicked.event
    assert event["type"] == 3
    assert event["data"] == {"custom_id": "next", "component_type": 2, "id": 2}
    assert event["member"]["user"]["id"] == str(clicked.club.ada.id)
    assert int(event["member"]["permissions"]) & (1 << 10)
    assert event["message"]["id"] == str(clicked.message.id)
    assert event["channel"]["name"] == "general"
    assert event["context"] == 0


async def test_click_reaches_the_bot_without_any_intent(club: Club, menu: SimMessage) -> None:
    async with club.bot.connect() as bare:
        await bare.identify(intents=0)
        await bare.event("READY")
        clicking = club.ada.click_soon(menu, "Next")
        event = await bare.event("INTERACTION_CREATE")
        await club.bot.answer(event, 6)
        assert (await clicking).acknowledged


# ── the window ──────────────────────────────────────────────────────────────


async def test_answer_in_time_is_acknowledged_with_its_time(clicked: Clicked) -> None:
    assert (await clicked.answer(6)).status == 204
    outcome = await clicked.outcome
    assert outcome.acknowledged
    assert outcome.callback_type == 6
    assert outcome.ack_ms is not None
    assert outcome.ack_ms < 3000
    assert outcome.failed_text is None


async def test_answer_after_three_seconds_is_unknown(clicked: Clicked) -> None:
    clicked.club.discord.clock.skip(3.1)
    reply = await clicked.answer(6)
    assert (reply.status, reply.code) == (404, 10062)


async def test_click_without_an_answer_fails_before_the_member(clicked: Clicked) -> None:
    outcome = await clicked.outcome
    assert not outcome.acknowledged
    assert outcome.failed_text == "This interaction failed"
    assert clicked.club.discord.failed_interactions == [outcome]
    assert (await clicked.answer(6)).code == 10062


async def test_command_without_an_answer_fails_in_its_own_words(
    club: Club, gateway: RawGateway
) -> None:
    used = await command(club, gateway)
    assert (await used.outcome).failed_text == "The application did not respond"


async def test_second_answer_is_refused(clicked: Clicked) -> None:
    await clicked.answer(6)
    reply = await clicked.answer(6)
    assert (reply.status, reply.code) == (400, 40060)


async def test_wrong_token_is_unknown(clicked: Clicked) -> None:
    clicked.event["token"] = "wrong"
    reply = await clicked.answer(6)
    assert (reply.status, reply.code) == (404, 10062)


async def test_invalid_answer_leaves_the_window_open(clicked: Clicked) -> None:
    refused = await clicked.answer(4, content="x" * 2001)
    assert refused.code == 50035
    assert refused.complaint("data", "content") == "BASE_TYPE_MAX_LENGTH"
    assert (await clicked.answer(4, content="shorter")).status == 204


@pytest.mark.parametrize("kind", [1, 2, 8, 99])
async def test_answer_of_a_kind_that_a_click_does_not_take_is_refused(
    clicked: Clicked, kind: int
) -> None:
    assert (await clicked.answer(kind)).complaint("type") == "BASE_TYPE_CHOICES"


@pytest.mark.parametrize("kind", [6, 7, 8])
async def test_answer_of_a_kind_that_a_command_does_not_take_is_refused(
    club: Club, gateway: RawGateway, kind: int
) -> None:
    used = await command(club, gateway)
    assert (await used.answer(kind)).complaint("type") == "BASE_TYPE_CHOICES"


# ── the token ───────────────────────────────────────────────────────────────


async def test_follow_up_before_an_answer_has_no_webhook(clicked: Clicked) -> None:
    reply = await clicked.webhook("POST", body={"content": "x"})
    assert (reply.status, reply.code) == (404, 10015)


async def test_token_ends_after_a_quarter_of_an_hour(clicked: Clicked) -> None:
    await clicked.answer(6)
    clicked.club.discord.clock.skip(901)
    reply = await clicked.webhook("POST", body={"content": "x"})
    assert (reply.status, reply.code) == (401, 50027)


async def test_first_follow_up_fills_the_loading_message(club: Club, gateway: RawGateway) -> None:
    used = await command(club, gateway)
    await used.answer(5)
    outcome = await used.outcome
    assert outcome.response is not None
    assert outcome.response.loading
    reply = await used.webhook("POST", body={"content": "here", "flags": EPHEMERAL})
    assert reply.body["id"] == str(outcome.response.id)
    assert (await outcome.answer(text="here", within=0)) is outcome.response
    assert not outcome.response.ephemeral
    more = await used.webhook("POST", body={"content": "more"})
    assert more.body["id"] != reply.body["id"]
    assert more.body["message_reference"]["message_id"] == reply.body["id"]


async def test_ephemeral_deferral_wins_over_the_follow_up(club: Club, gateway: RawGateway) -> None:
    used = await command(club, gateway)
    await used.answer(5, flags=EPHEMERAL)
    await used.webhook("POST", body={"content": "secret"})
    assert await club.ada.private_messages.expect(text="secret")
    assert club.general.messages == []


async def test_original_of_a_silent_update_is_the_clicked_message(clicked: Clicked) -> None:
    await clicked.answer(6)
    shown = await clicked.webhook("GET", "/messages/@original")
    assert shown.body["id"] == str(clicked.message.id)
    await clicked.webhook("PATCH", "/messages/@original", {"content": "page 2", "tts": False})
    await clicked.message.changes(text="page 2")
    assert (await clicked.webhook("DELETE", "/messages/@original")).status == 204
    assert clicked.message.deleted
    gone = await clicked.webhook("PATCH", "/messages/@original", {"content": "x"})
    assert (gone.status, gone.code) == (404, 10008)


async def test_update_changes_the_clicked_message(clicked: Clicked) -> None:
    await clicked.answer(7, content="page 2", components=[])
    assert clicked.message.content == "page 2"
    assert clicked.message.buttons == []


async def test_follow_up_can_be_edited_and_deleted_by_its_id(clicked: Clicked) -> None:
    await clicked.answer(6)
    sent = await clicked.webhook("POST", body={"content": "one", "flags": EPHEMERAL})
    tail = f"/messages/{sent.body['id']}"
    assert (await clicked.webhook("PATCH", tail, {"content": "two"})).body["content"] == "two"
    assert (await clicked.webhook("DELETE", tail)).status == 204
    assert (await clicked.webhook("GET", tail)).code == 10008
    assert clicked.club.ada.private_messages.messages == []


async def test_foreign_message_is_unknown_to_a_token(clicked: Clicked) -> None:
    await clicked.answer(6)
    other = await clicked.club.ada.say(clicked.club.general, "mine")
    assert (await clicked.webhook("PATCH", f"/messages/{other.id}", {"content": "x"})).code == 10008


# ── private answers ─────────────────────────────────────────────────────────


async def test_ephemeral_answer_is_seen_by_one_member_only(clicked: Clicked) -> None:
    await clicked.answer(4, content="only you", flags=EPHEMERAL)
    club = clicked.club
    private = await club.ada.private_messages.expect(text="only you")
    assert private not in club.general.messages
    bob = club.guild.add_member("Bob")
    assert bob.private_messages.messages == []
    reply = await club.bot.ask("GET", f"{club.messages}/{private.id}")
    assert (reply.status, reply.code) == (404, 10008)


async def test_answer_names_the_interaction(club: Club, gateway: RawGateway) -> None:
    used = await command(club, gateway)
    path = f"/interactions/{used.event['id']}/{used.event['token']}/callback?with_response=true"
    body = {"type": 4, "data": {"content": "hi"}}
    reply = await club.bot.ask("POST", path, body, authorized=False)
    assert reply.status == 200
    shown = reply.body["resource"]["message"]
    assert reply.body["interaction"]["response_message_id"] == shown["id"]
    assert shown["type"] == 20
    assert shown["interaction_metadata"]["user"]["id"] == str(club.ada.id)
    assert shown["application_id"] == shown["webhook_id"] == str(club.discord.bot.id)


async def test_answer_pings_users_only_by_default(clicked: Clicked) -> None:
    club = clicked.club
    bob = club.guild.add_member("Bob")
    await clicked.answer(4, content=f"{bob.mention} @everyone")
    answer = await club.general.expect(text="@everyone")
    assert answer.pinged_users == {bob.user}
    assert not answer.mentions_everyone


async def test_answer_needs_no_right_to_send(clicked: Clicked) -> None:
    clicked.club.general.deny(clicked.club.guild.bot_role, Permission.SEND_MESSAGES)
    assert (await clicked.answer(4, content="still")).status == 204


# ── autocomplete and forms ──────────────────────────────────────────────────


async def test_autocomplete_returns_choices(club: Club, gateway: RawGateway) -> None:
    used = await command(club, gateway, query="x")
    await used.answer(5)
    typing = asyncio.ensure_future(club.ada.autocomplete(club.general, "play", typing="query"))
    event = await gateway.event("INTERACTION_CREATE")
    assert event["type"] == 4
    assert event["data"]["options"] == [{"name": "query", "type": 3, "value": "", "focused": True}]
    too_many = [{"name": str(n), "value": str(n)} for n in range(26)]
    refused = await club.bot.answer(event, 8, choices=too_many)
    assert refused.complaint("data", "choices") == "BASE_TYPE_MAX_LENGTH"
    await club.bot.answer(event, 8, choices=[{"name": "One", "value": "1"}])
    assert await typing == [{"name": "One", "value": "1"}]


FIELD = {"type": 4, "custom_id": "name", "style": 1, "label": "Name", "max_length": 5}


async def test_form_opens_and_is_sent_back(clicked: Clicked, gateway: RawGateway) -> None:
    club = clicked.club
    row = {"type": 1, "components": [FIELD]}
    await clicked.answer(9, custom_id="form", title="Rename", components=[row])
    modal = (await clicked.outcome).modal
    assert modal is not None
    submitting = asyncio.ensure_future(club.ada.submit(modal, {"Name": "Ada"}))
    event = await gateway.event("INTERACTION_CREATE")
    assert event["type"] == 5
    assert event["data"]["components"][0]["components"][0]["value"] == "Ada"
    assert event["message"]["id"] == str(clicked.message.id)
    refused = await club.bot.answer(event, 9, custom_id="f", title="Again", components=[row])
    assert refused.complaint("type") == "BASE_TYPE_CHOICES"
    await club.bot.answer(event, 7, content="renamed")
    assert (await submitting).acknowledged
    assert clicked.message.content == "renamed"


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"title": "x" * 46}, ("title",), "BASE_TYPE_BAD_LENGTH"),
        ({"custom_id": ""}, ("custom_id",), "BASE_TYPE_REQUIRED"),
        ({"components": []}, ("components",), "BASE_TYPE_REQUIRED"),
        (
            {"components": [{"type": 1, "components": [{**FIELD, "label": "x" * 46}]}]},
            ("components", "0", "components", "0", "label"),
            "BASE_TYPE_BAD_LENGTH",
        ),
    ],
)
async def test_wrong_form_is_refused(
    clicked: Clicked, changes: dict[str, Any], path: tuple[str, ...], code: str
) -> None:
    row = {"type": 1, "components": [FIELD]}
    form = {"custom_id": "f", "title": "T", "components": [row], **changes}
    assert (await clicked.answer(9, **form)).complaint("data", *path) == code
