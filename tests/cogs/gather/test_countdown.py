"""The countdown: who is called, what is shown, what the buttons and commands do."""

import pytest

from tests.cogs.gather.hall import ADA, BEN, CLEO, DAN, ROLE, Hall, text, title, words_of
from tests.fakes.discord_guild import LOUNGE, OTHER_ROOM, settle

BLUE, GREEN, RED = 0x3498DB, 0x57F287, 0xED4245


async def test_start_calls_those_in_the_channel_and_then_counts_down(hall: Hall) -> None:
    await hall.say("!gather start 10m")
    call, card = list(hall.outbox.messages.values())
    assert call["content"] == f"📣 {ADA.mention} {BEN.mention}"
    assert call["allowed_mentions"] == {"parse": [], "users": [str(ADA.id), str(BEN.id)]}
    assert title(card) == "📣 Voice channel gathering"
    assert card["embeds"][0]["color"] == BLUE
    assert "Starts in **10 min**, at **13:10**" in text(card)
    assert f"**Attendees (2)**\n{ADA.mention}, {BEN.mention}" in text(card)
    assert hall.labels() == [["Start now", "Cancel", "Join gathering", "Leave gathering"]]


async def test_start_at_a_time_of_the_day_is_in_the_guilds_zone(hall: Hall) -> None:
    await hall.say("!gather start 13:30")  # it is 13:00 in Berlin
    assert "Starts in **30 min**, at **13:30**" in hall.card()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("!gather start 3h", "at most 2 hours"),
        ("!gather start 12:59", "at most 2 hours"),
        ("!gather start soon", "`14:30`"),
        ("!gather start 10m min:none", "`min` must be a whole number"),
        ("!gather start min:0", "`min` must be between"),
    ],
)
async def test_start_that_cannot_be_is_refused(hall: Hall, line: str, words: str) -> None:
    assert words in text(await hall.say(line))
    assert len(hall.outbox.messages) == 1


async def test_start_outside_of_voice_is_refused(hall: Hall) -> None:
    assert "Join a voice channel first" in text(await hall.say("!gather start", by=CLEO))


async def test_start_where_the_bot_may_not_write_is_refused(hall: Hall) -> None:
    hall.rooms.writable = False
    assert "I may not write" in text(await hall.say("!gather start"))


async def test_second_start_is_refused_and_says_how_to_go_on(hall: Hall) -> None:
    await hall.say("!gather start 10m")
    refusal = await hall.say("!gather start", by=BEN)
    assert "`gather status`" in text(refusal)
    assert "Starts in" in hall.card()


async def test_countdown_is_refreshed_every_five_seconds(hall: Hall) -> None:
    await hall.say("!gather start 10m")
    before = hall.outbox.edits
    await hall.passes(30)
    assert hall.outbox.edits - before == 6
    assert "Starts in **9 min 30 s**" in hall.card()


async def test_countdown_shows_joins_and_leaves_at_once(hall: Hall) -> None:
    await hall.say("!gather start 10m")
    await hall.passes(2)
    hall.moves(CLEO, LOUNGE)
    await settle()
    assert "**Attendees (3)**" in hall.card()
    await hall.passes(1.5)
    hall.moves(BEN, OTHER_ROOM)
    await settle()
    assert f"**Attendees (2)**\n{ADA.mention}, {CLEO.mention}" in hall.card()


async def test_burst_of_changes_is_shown_by_few_edits_and_the_last_lands(hall: Hall) -> None:
    await hall.say("!gather start 10m")
    await hall.passes(2)
    before = hall.outbox.edits
    for _ in range(50):
        await hall.press("Join gathering", CLEO)
        await hall.press("Leave gathering", CLEO)
    await hall.press("Join gathering", CLEO)
    await hall.passes(1)
    assert hall.outbox.edits - before <= 2
    assert "**Attendees (3)**" in hall.card()


async def test_join_and_leave_gathering_change_the_list(hall: Hall) -> None:
    await hall.say("!gather start 10m")
    await hall.press("Join gathering", CLEO)
    await hall.press("Leave gathering", BEN)
    await hall.passes(1)
    assert f"**Attendees (2)**\n{ADA.mention}, {CLEO.mention}" in hall.card()


async def test_start_now_and_cancel_are_the_authors(hall: Hall) -> None:
    await hall.say("!gather start 10m")
    for label, member in (("Start now", BEN), ("Cancel", CLEO)):
        answer = await hall.press(label, member)
        assert words_of(answer) == [f"Only {ADA.mention}, who began this gathering, can do that."]
    await hall.passes(1)
    assert "Starts in" in hall.card()
    await hall.press("Start now")
    await hall.passes(1)
    assert hall.table() == {"Ada": "--:--", "Ben": "--:--"}


async def test_long_countdown_moves_to_a_new_message_while_the_old_one_can_be_edited(
    hall: Hall,
) -> None:
    await hall.say("!gather start 2h")
    first = hall.card_id()
    await hall.passes(54 * 60)
    assert hall.card_id() == first
    await hall.passes(2 * 60)
    second = hall.card_id()
    assert second != first
    assert first not in hall.outbox.messages
    await hall.restarts()
    await hall.passes(10)
    assert hall.card_id() == second
    await hall.press("Join gathering", CLEO)
    await hall.passes(1)
    assert "**Attendees (3)**" in hall.card()
    assert len(hall.plain_messages()) == 1  # nobody was called twice


async def test_same_refusal_is_said_to_a_member_once_in_five_seconds(hall: Hall) -> None:
    await hall.say("!gather start 10m")
    assert len(words_of(await hall.press("Cancel", BEN))) == 1
    assert words_of(await hall.press("Cancel", BEN)) == []
    await hall.passes(5)
    assert len(words_of(await hall.press("Cancel", BEN))) == 1


async def test_cancelled_countdown_says_so_and_has_no_buttons(hall: Hall) -> None:
    await hall.say("!gather start 10m")
    await hall.press("Cancel")
    await hall.passes(1)
    assert hall.embed()["footer"]["text"] == "Cancelled."
    assert hall.embed()["color"] == RED
    assert hall.labels() == []


async def test_extend_names_the_new_total_and_start(hall: Hall) -> None:
    await hall.say("!gather start 10m")
    reply = await hall.say("!gather extend 5m", by=BEN)
    assert "By **5 min**, **15 min** in all. Starts at **13:15**" in text(reply)
    await hall.passes(1)
    assert "at **13:15**" in hall.card()
    reply = await hall.say("!gather extend 13:40")
    assert "**40 min** in all" in text(reply)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("!gather extend 1h 51m", "at most 2 hours"),
        ("!gather extend 13:05", "does not start before that anyway"),
        ("!gather extend whatever", "`14:30`"),
        ("!gather extend", "`time` is missing"),
    ],
)
async def test_extend_that_cannot_be_is_refused(hall: Hall, line: str, words: str) -> None:
    await hall.say("!gather start 10m")
    assert words in text(await hall.say(line))


async def test_extend_works_only_in_the_countdown(hall: Hall) -> None:
    assert "No gathering is running" in text(await hall.say("!gather extend 5m"))
    await hall.say("!gather start")
    assert "only while the countdown runs" in text(await hall.say("!gather extend 5m"))


async def test_expect_and_forget_take_several_members_and_roles(hall: Hall) -> None:
    hall.rooms.roles[ROLE] = ((DAN.id, "Dan"),)
    await hall.say("!gather start 10m")
    reply = await hall.say(f"!gather expect {CLEO.mention} <@&{ROLE}>")
    assert text(reply) == f"{CLEO.mention} {DAN.mention} will be waited for."
    await hall.passes(1)
    assert "**Attendees (4)**" in hall.card()
    reply = await hall.say(f"!gather forget {BEN.mention} {CLEO.mention}", by=DAN)
    assert text(reply) == f"{BEN.mention} {CLEO.mention} will not be waited for."
    await hall.passes(1)
    assert f"**Attendees (2)**\n{ADA.mention}, {DAN.mention}" in hall.card()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("!gather expect", "`user` is missing"),
        ("!gather expect somebody", "must be members or roles"),
        ("!gather expect <@5>", "must be members or roles"),
        ("!gather expect <@100000000000000009>", "Bots do not come"),
        ("!gather expect <@&77>", "no role"),
        ("!gather forget " + "<@&77> " * 1 + " ".join(f"<@&{n}>" for n in range(5)), "5 at most"),
    ],
)
async def test_lists_of_wrong_members_are_refused(hall: Hall, line: str, words: str) -> None:
    await hall.say("!gather start 10m")
    assert words in text(await hall.say(line))


@pytest.mark.parametrize(
    "line", [f"!gather expect {ADA.mention}", "!gather cancel", "!gather status"]
)
async def test_commands_without_a_gathering_are_refused(hall: Hall, line: str) -> None:
    assert "No gathering is running here" in text(await hall.say(line))


async def test_cancel_by_command_is_for_the_author_and_for_admins(hall: Hall) -> None:
    await hall.say("!gather start 10m")
    assert "who began this gathering" in text(await hall.say("!gather cancel", by=BEN))
    assert title(await hall.say("!gather cancel", by=DAN)) == "🛑 Gathering cancelled"
    await hall.passes(1)
    assert hall.embed()["footer"]["text"] == "Cancelled."


async def test_status_shows_the_card_without_buttons_and_leads_to_it(hall: Hall) -> None:
    await hall.say("!gather start 10m")
    card_id = hall.card_id()
    shown = await hall.say("!gather status", by=CLEO)
    assert "Starts in **10 min**" in text(shown)
    assert shown["components"] == []
    assert shown["embeds"][0]["url"].endswith(f"/{card_id}")
