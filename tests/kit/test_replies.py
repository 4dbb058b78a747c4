"""Replies fit into Discord's limits, look alike and ping nobody by themselves."""

from bot.kit.replies import Field, Kind, Reply, done, refused


def test_reply_body_has_the_colour_of_its_kind() -> None:
    assert done("✅ Done").body()["embeds"][0]["color"] == 0x57F287
    assert refused("⛔ No").body()["embeds"][0]["color"] == 0xED4245


def test_reply_by_itself_pings_nobody() -> None:
    body = done("✅ Done", content="<@1> @everyone").body()
    assert body["allowed_mentions"] == {"parse": [], "users": []}


def test_reply_with_pings_pings_only_those() -> None:
    body = done("✅ Done", content="<@1> <@2>", pings=(1,)).body()
    assert body["allowed_mentions"] == {"parse": [], "users": ["1"]}


def test_reply_that_is_too_long_is_cut_to_discords_limits() -> None:
    fields = tuple(Field("n" * 300, "v" * 2000) for _ in range(40))
    reply = Reply(
        kind=Kind.INFO,
        title="t" * 300,
        text="d" * 5000,
        fields=fields,
        footer="f" * 3000,
        content="c" * 3000,
    )
    body = reply.body()
    (embed,) = body["embeds"]
    assert len(body["content"]) == 2000
    assert len(embed["title"]) == 256
    assert len(embed["description"]) <= 4096
    total = len(embed["title"]) + len(embed["description"]) + len(embed["footer"]["text"])
    total += sum(len(f["name"]) + len(f["value"]) for f in embed.get("fields", []))
    assert total <= 6000


def test_reply_edit_clears_what_an_earlier_one_left() -> None:
    body = done("✅ Done").body()
    assert body["components"] == []
    assert body["content"] == ""


def test_reply_status_ends_by_itself_and_a_kept_one_stays() -> None:
    assert done("✅ Done").lifetime == 30
    assert 15 <= (refused("⛔ No").lifetime or 0) <= 30
    assert done("✅ Done").kept().lifetime is None


def test_reply_addresses_that_are_no_web_links_are_left_out() -> None:
    embed = done("✅ Done", url="library:x", picture="file:///etc").body()["embeds"][0]
    assert "url" not in embed
    assert "thumbnail" not in embed
