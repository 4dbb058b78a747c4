"""Messages are limited, edited, deleted and found as on Discord."""

from io import BytesIO
from typing import Any

import aiohttp
import orjson
import pytest

from tests.simulator import NotPossible, Permission, Upload
from tests.simulator.conftest import Club
from tests.simulator.raw_bot import RawGateway, Reply
from tests.simulator.snowflake import snowflake_at


def button(custom_id: str = "a", **changes: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "A", "custom_id": custom_id, **changes}


def row(*components: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(components)}


def select(*options: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"type": 3, "custom_id": "s", "options": list(options), **changes}


async def send(club: Club, **body: Any) -> Reply:
    return await club.bot.ask("POST", club.messages, body)


# ── what may be sent ────────────────────────────────────────────────────────


async def test_plain_message_is_shown_with_exact_content_type(club: Club) -> None:
    reply = await send(club, content=" hello ")
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.body["content"] == "hello"
    assert (await club.general.expect(text="hello")).author is club.discord.bot


async def test_empty_message_is_refused(club: Club) -> None:
    reply = await send(club, content="   ")
    assert (reply.status, reply.code) == (400, 50006)


FIELDS_26 = [{"name": "n", "value": "v"}] * 26


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({"content": "x" * 2001}, "content", "BASE_TYPE_MAX_LENGTH"),
        ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title", "BASE_TYPE_MAX_LENGTH"),
        ({"embeds": [{"description": "x" * 4097}]}, "embeds.0.description", "BASE_TYPE_MAX_LENGTH"),
        ({"embeds": [{"title": "t"}] * 11}, "embeds", "BASE_TYPE_MAX_LENGTH"),
        ({"embeds": [{"fields": FIELDS_26}]}, "embeds.0.fields", "BASE_TYPE_MAX_LENGTH"),
        (
            {"embeds": [{"fields": [{"name": "n", "value": " "}]}]},
            "embeds.0.fields.0.value",
            "BASE_TYPE_REQUIRED",
        ),
        (
            {"embeds": [{"description": "x" * 4000}, {"description": "x" * 2001}]},
            "embeds",
            "MAX_EMBED_SIZE_EXCEEDED",
        ),
        ({"embeds": [{"title": "t", "color": 1 << 24}]}, "embeds.0.color", "NUMBER_TYPE_MAX"),
        ({"embeds": [{}]}, "embeds.0.description", "BASE_TYPE_REQUIRED"),
        (
            {"embeds": [{"title": "t", "url": "ftp://x"}]},
            "embeds.0.url",
            "URL_TYPE_INVALID_SCHEME",
        ),
        (
            {"embeds": [{"title": "t", "timestamp": "now"}]},
            "embeds.0.timestamp",
            "DATE_TIME_TYPE_PARSE",
        ),
        ({"content": "x", "nonce": "n" * 26}, "nonce", "NONCE_TYPE_TOO_LONG"),
        ({"content": "x", "components": [row()] * 6}, "components", "BASE_TYPE_MAX_LENGTH"),
        (
            {"components": [row(*(button(str(n)) for n in range(6)))]},
            "components.0.components",
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            {"components": [row(button("a"), button("a", disabled=True))]},
            "components.0.components.1.custom_id",
            "COMPONENT_CUSTOM_ID_DUPLICATED",
        ),
        (
            {"components": [row(button("x" * 101))]},
            "components.0.components.0.custom_id",
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            {"components": [row(button(label="x" * 81))]},
            "components.0.components.0.label",
            "BASE_TYPE_MAX_LENGTH",
        ),
        (
            {"components": [row(button(emoji={"name": "x"}))]},
            "components.0.components.0.emoji.name",
            "BUTTON_COMPONENT_INVALID_EMOJI",
        ),
        (
            {"components": [row({"type": 2, "style": 5, "label": "L", "url": "x" * 513})]},
            "components.0.components.0.url",
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            {"components": [row(select({"label": "a", "value": "v"}), button())]},
            "components.0.components",
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
        ),
        (
            {"components": [row(select(*({"label": "a", "value": "v"},) * 2))]},
            "components.0.components.0.options.1.value",
            "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
        ),
        (
            {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
            "allowed_mentions",
            "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
        ),
        (
            {"content": "x", "allowed_mentions": {"parse": ["all"]}},
            "allowed_mentions.parse.0",
            "BASE_TYPE_CHOICES",
        ),
        (
            {"content": "x", "flags": 1 << 15},
            "content",
            "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
        ),
    ],
)
async def test_what_breaks_a_limit_is_refused_by_field(
    club: Club, body: dict[str, Any], path: str, code: str
) -> None:
    reply = await send(club, **body)
    assert (reply.status, reply.code) == (400, 50035)
    assert reply.complaint(*path.split(".")) == code
    assert club.general.messages == []


async def test_lengths_are_counted_after_trimming(club: Club) -> None:
    assert (await send(club, content=" " * 50 + "x" * 2000)).status == 200


async def test_components_get_numbers(club: Club) -> None:
    reply = await send(club, components=[row(button("a"), button("b", id=1))])
    assert [part["id"] for part in reply.body["components"][0]["components"]] == [3, 1]
    assert reply.body["components"][0]["id"] == 2


async def test_layout_message_has_text_and_no_rows_needed(club: Club) -> None:
    text = {"type": 10, "content": "words"}
    box = {"type": 17, "components": [text, row(button())]}
    reply = await send(club, flags=1 << 15, components=[box])
    assert reply.status == 200
    assert (await club.general.expect(text="words")).labels == ["A"]


# ── form of requests ────────────────────────────────────────────────────────


async def test_wrong_token_and_wrong_agent_are_refused(club: Club) -> None:
    path = "/users/@me"
    anonymous = await club.bot.ask("GET", path, authorized=False)
    assert (anonymous.status, anonymous.body["message"]) == (401, "401: Unauthorized")
    reply = await club.bot.ask("GET", path, headers={"User-Agent": "curl"})
    assert (reply.status, reply.code) == (403, 40333)


async def test_unknown_path_method_and_body_are_refused(club: Club) -> None:
    assert (await club.bot.ask("GET", "/nothing")).status == 404
    assert (await club.bot.ask("PUT", club.messages)).status == 405
    json = {"Content-Type": "application/json"}
    broken = await club.bot.ask("POST", club.messages, data=b"{", headers=json)
    assert (broken.status, broken.code) == (400, 50109)
    text = {"Content-Type": "text/plain"}
    assert (await club.bot.ask("POST", club.messages, data=b"x", headers=text)).code == 50035
    assert (await club.bot.ask("GET", "/channels/abc")).code == 50035


async def test_unknown_things_have_their_own_codes(club: Club) -> None:
    for path, code in (
        ("/channels/5", 10003),
        ("/guilds/5", 10004),
        (f"/guilds/{club.guild.id}/members/5", 10007),
        (f"{club.messages}/5", 10008),
        ("/users/5", 10013),
        (f"/guilds/{club.guild.id}/voice-states/@me", 10065),
    ):
        reply = await club.bot.ask("GET", path)
        assert (reply.status, reply.code) == (404, code), path


# ── files ───────────────────────────────────────────────────────────────────


async def test_file_is_uploaded_and_read_from_its_address(club: Club) -> None:
    form = aiohttp.FormData()
    described = {"attachments": [{"id": 0, "filename": "tone.ogg", "description": "A tone"}]}
    form.add_field("payload_json", orjson.dumps(described).decode())
    form.add_field("files[0]", b"sound", filename="tone.ogg")
    reply = await club.bot.ask("POST", club.messages, data=form)
    file = reply.body["attachments"][0]
    assert (file["filename"], file["size"], file["content_type"]) == ("tone.ogg", 5, "audio/ogg")
    async with aiohttp.request("GET", file["url"]) as response:
        assert await response.read() == b"sound"
    async with aiohttp.request("GET", file["url"], headers={"Range": "bytes=1-2"}) as response:
        assert (response.status, await response.read()) == (206, b"ou")
    async with aiohttp.request("GET", file["url"].partition("?")[0]) as response:
        assert response.status == 404
    club.discord.clock.skip(90_000)
    async with aiohttp.request("GET", file["url"]) as response:
        assert response.status == 404


async def test_file_over_ten_mebibytes_is_refused(club: Club) -> None:
    form = aiohttp.FormData()
    form.add_field("files[0]", BytesIO(bytes(10 * 1024 * 1024 + 1)), filename="big.bin")
    reply = await club.bot.ask("POST", club.messages, data=form)
    assert (reply.status, reply.code) == (413, 40005)


async def test_member_sends_a_file(club: Club, gateway: RawGateway) -> None:
    await club.ada.say(club.general, "", attachments=[Upload("a.mp3", b"ID3")])
    event = await gateway.event("MESSAGE_CREATE")
    assert event["attachments"][0]["filename"] == "a.mp3"


# ── who is pinged ───────────────────────────────────────────────────────────


async def test_ping_needs_text_and_allowance(club: Club) -> None:
    bob = club.guild.add_member("Bob")
    text = f"{club.ada.mention} {bob.mention}"
    await send(club, content=text, allowed_mentions={"users": [str(bob.id)]})
    assert (await club.general.expect(text=text)).pinged_users == {bob.user}
    await send(club, content="nobody", allowed_mentions={"users": [str(bob.id)]})
    assert (await club.general.expect(text="nobody")).pinged_users == set()
    await send(club, content=f"`{bob.mention}` in code")
    assert (await club.general.expect(text="in code")).pinged_users == set()


async def test_role_must_be_mentionable_or_the_author_allowed(club: Club) -> None:
    role = club.guild.add_role("DJ", below_bot=True)
    club.guild.set_roles(club.ada, role)
    await send(club, content=f"{role.mention} one")
    assert (await club.general.expect(text="one")).pinged_users == set()
    role.mentionable = True
    await send(club, content=f"{role.mention} two")
    assert (await club.general.expect(text="two")).pinged_users == {club.ada.user}
    await send(club, content=f"{role.mention} three", allowed_mentions={"parse": ["users"]})
    assert (await club.general.expect(text="three")).pinged_users == set()


async def test_everyone_needs_the_permission(club: Club) -> None:
    await send(club, content="@everyone one")
    assert (await club.general.expect(text="one")).pinged_users == set()
    club.guild.bot_role.permissions |= Permission.MENTION_EVERYONE
    await send(club, content="@everyone two")
    assert club.ada.user in (await club.general.expect(text="two")).pinged_users


async def test_edit_pings_nobody(club: Club) -> None:
    sent = await send(club, content="one")
    path = f"{club.messages}/{sent.body['id']}"
    reply = await club.bot.ask("PATCH", path, {"content": club.ada.mention})
    assert [user["id"] for user in reply.body["mentions"]] == [str(club.ada.id)]
    assert club.ada.notifications == []


# ── nonces and replies ──────────────────────────────────────────────────────


async def test_enforced_nonce_returns_the_first_message(club: Club) -> None:
    first = await send(club, content="one", nonce="n", enforce_nonce=True)
    again = await send(club, content="one", nonce="n", enforce_nonce=True)
    assert first.body["id"] == again.body["id"]
    assert first.body["nonce"] == "n"
    other = await send(club, content="one", nonce="n")
    assert other.body["id"] != first.body["id"]
    assert len(club.general.messages) == 2


async def test_reply_names_its_target(club: Club) -> None:
    question = await club.ada.say(club.general, "?")
    reference = {"message_id": str(question.id)}
    reply = await send(club, content="!", message_reference=reference)
    assert reply.body["type"] == 19
    assert reply.body["referenced_message"]["content"] == "?"
    assert club.ada.notifications
    await club.ada.delete(question)
    gone = await send(club, content="!", message_reference=reference)
    assert gone.complaint("message_reference") == "REPLIES_UNKNOWN_MESSAGE"
    lenient = {**reference, "fail_if_not_exists": False}
    assert (await send(club, content="!", message_reference=lenient)).status == 200


# ── edits and deletions ─────────────────────────────────────────────────────


async def test_edit_keeps_what_is_not_named(club: Club, gateway: RawGateway) -> None:
    sent = await send(club, content="one", embeds=[{"title": "t"}], components=[row(button())])
    path = f"{club.messages}/{sent.body['id']}"
    reply = await club.bot.ask("PATCH", path, {"content": None})
    assert reply.body["content"] == ""
    assert reply.body["embeds"][0]["title"] == "t"
    assert reply.body["edited_timestamp"]
    assert (await gateway.event("MESSAGE_UPDATE"))["id"] == sent.body["id"]
    emptied = await club.bot.ask("PATCH", path, {"embeds": [], "components": []})
    assert emptied.code == 50006


async def test_message_of_another_cannot_be_edited(club: Club) -> None:
    said = await club.ada.say(club.general, "mine")
    reply = await club.bot.ask("PATCH", f"{club.messages}/{said.id}", {"content": "x"})
    assert (reply.status, reply.code) == (403, 50005)


async def test_delete_happens_once(club: Club, gateway: RawGateway) -> None:
    said = await club.ada.say(club.general, "mine")
    path = f"{club.messages}/{said.id}"
    assert (await club.bot.ask("DELETE", path)).status == 204
    assert (await gateway.event("MESSAGE_DELETE"))["id"] == str(said.id)
    assert (await club.bot.ask("DELETE", path)).code == 10008
    await said.gone(within=0)


async def test_delete_of_anothers_message_needs_the_right(club: Club) -> None:
    said = await club.ada.say(club.general, "mine")
    club.general.deny(club.guild.bot_role, Permission.MANAGE_MESSAGES)
    reply = await club.bot.ask("DELETE", f"{club.messages}/{said.id}")
    assert (reply.status, reply.code) == (403, 50013)


async def test_bulk_delete_is_all_or_nothing(club: Club, gateway: RawGateway) -> None:
    said = [await club.ada.say(club.general, str(n)) for n in range(3)]
    path = f"{club.messages}/bulk-delete"
    ids = [str(message.id) for message in said]
    club.discord.api.limiter.enabled = False
    assert (await club.bot.ask("POST", path, {"messages": ids[:1]})).code == 50016
    assert (await club.bot.ask("POST", path, {"messages": [*ids, ids[0]]})).code == 50035
    old = str(snowflake_at(club.discord.clock.wall() - 15 * 86_400))
    assert (await club.bot.ask("POST", path, {"messages": [*ids, old]})).code == 50034
    assert len(club.general.messages) == 3
    assert (await club.bot.ask("POST", path, {"messages": ids})).status == 204
    assert (await gateway.event("MESSAGE_DELETE_BULK"))["ids"] == ids


async def test_history_is_newest_first(club: Club) -> None:
    said = [await club.ada.say(club.general, str(n)) for n in range(4)]
    reply = await club.bot.ask("GET", f"{club.messages}?limit=2")
    assert [message["content"] for message in reply.body] == ["3", "2"]
    before = await club.bot.ask("GET", f"{club.messages}?before={said[2].id}")
    assert [message["content"] for message in before.body] == ["1", "0"]
    club.general.deny(club.guild.bot_role, Permission.READ_MESSAGE_HISTORY)
    assert (await club.bot.ask("GET", club.messages)).body == []


async def test_pins_need_the_right_and_are_listed(club: Club, gateway: RawGateway) -> None:
    said = await club.ada.say(club.general, "keep")
    club.general.deny(club.guild.bot_role, Permission.PIN_MESSAGES)
    for base in (f"/channels/{club.general.id}/pins", f"{club.messages}/pins"):
        assert (await club.bot.ask("PUT", f"{base}/{said.id}")).code == 50013
    club.general.allow(club.guild.bot_role, Permission.PIN_MESSAGES)
    assert (await club.bot.ask("PUT", f"{club.messages}/pins/{said.id}")).status == 204
    await gateway.event("CHANNEL_PINS_UPDATE")
    old = await club.bot.ask("GET", f"/channels/{club.general.id}/pins")
    new = await club.bot.ask("GET", f"{club.messages}/pins")
    assert [message["id"] for message in old.body] == [str(said.id)]
    assert [item["message"]["id"] for item in new.body["items"]] == [str(said.id)]


# ── permissions ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("denied", "body", "code"),
    [
        (Permission.VIEW_CHANNEL, {"content": "x"}, 50001),
        (Permission.SEND_MESSAGES, {"content": "x"}, 50013),
        (Permission.EMBED_LINKS, {"embeds": [{"title": "t"}]}, 50013),
    ],
)
async def test_missing_permission_is_forbidden(
    club: Club, denied: Permission, body: dict[str, Any], code: int
) -> None:
    club.general.deny(club.guild.bot_role, denied)
    reply = await send(club, **body)
    assert (reply.status, reply.code) == (403, code)


async def test_direct_message_to_who_takes_none_is_forbidden(club: Club) -> None:
    path = "/users/@me/channels"
    opened = await club.bot.ask("POST", path, {"recipient_id": str(club.ada.id)})
    messages = f"/channels/{opened.body['id']}/messages"
    assert (await club.bot.ask("POST", messages, {"content": "psst"})).status == 200
    assert await club.ada.private_messages.expect(text="psst")
    club.ada.user.accepts_direct_messages = False
    reply = await club.bot.ask("POST", messages, {"content": "psst"})
    assert (reply.status, reply.code) == (403, 50007)


async def test_member_without_the_right_cannot_write(club: Club) -> None:
    club.general.deny(club.guild.everyone, Permission.SEND_MESSAGES)
    with pytest.raises(NotPossible, match="SEND_MESSAGES"):
        await club.ada.say(club.general, "x")


async def test_expectation_that_fails_tells_what_was_seen(club: Club) -> None:
    await send(club, embeds=[{"title": "Something else"}])
    with pytest.raises(AssertionError, match="Something else"):
        await club.general.expect(title="Added", within=0.01)
