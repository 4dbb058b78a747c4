"""The check-in: table, buttons, lateness, pings, the end, and a message that gets lost."""

import pytest

from services.db.errors import StorageUnavailable
from tests.cogs.gather.hall import (
    ADA,
    BEN,
    CLEO,
    DAN,
    ROLE,
    Hall,
    rows_of,
    text,
    title,
    words_of,
)
from tests.fakes.discord_guild import LOUNGE, OTHER_ROOM, settle
from tests.fakes.outbox import NO_PERMISSION

CARD = "📣 Voice channel gathering"
BLUE, ORANGE, GREEN, RED = 0x3498DB, 0xE67E22, 0x57F287, 0xED4245


async def test_check_in_shows_who_is_expected_and_how_it_stands(hall: Hall) -> None:
    await hall.say("!gather start")
    assert hall.table() == {"Ada": "--:--", "Ben": "--:--"}
    assert hall.embed()["color"] == BLUE
    assert "Grace: **01:00** left" in hall.card()
    assert "Attendance: **0/2** · Ghost pings: **on**" in hall.card()
    assert hall.labels() == [["I'm here!", "I'm out", "Mute pings", "Cancel"]]


async def test_grace_time_left_counts_down_and_then_the_time_counts_up(hall: Hall) -> None:
    await hall.say("!gather start")
    await hall.passes(30)
    assert "Grace: **00:30** left" in hall.card()
    await hall.passes(45)
    assert "Started **01:00** ago" in hall.card()
    assert hall.embed()["color"] == ORANGE


async def test_arrivals_are_on_time_within_the_grace_and_stamped_after_it(hall: Hall) -> None:
    await hall.say("!gather start")
    await hall.passes(60)
    await hall.press("I'm here!")
    await hall.passes(35.5)
    await hall.press("I'm here!", BEN)
    await hall.passes(5)
    assert hall.table() == {"Ada": "ON TIME", "Ben": "+01:35"}


async def test_time_of_a_check_in_is_that_of_the_click_not_of_its_acknowledgement(
    hall: Hall,
) -> None:
    await hall.say("!gather start")
    await hall.passes(61)
    await hall.press("I'm here!", seconds_ago=2)
    await hall.passes(5)
    assert hall.table()["Ada"] == "ON TIME"


async def test_here_needs_the_voice_channel(hall: Hall) -> None:
    await hall.say("!gather start")
    hall.moves(BEN, OTHER_ROOM)
    answer = await hall.press("I'm here!", BEN)
    assert "Join <#70> first" in words_of(answer)[0]
    await hall.passes(5)
    assert hall.table()["Ben"] == "--:--"


async def test_edits_are_at_most_one_in_five_seconds_and_the_last_state_lands(hall: Hall) -> None:
    await hall.say("!gather start")
    await hall.press("I'm here!")
    await hall.passes(1)
    before = hall.outbox.edits
    for _ in range(20):
        await hall.press("Mute pings", BEN) if "Mute pings" in hall.labels()[0] else None
        await hall.passes(0.2)
    await hall.press("I'm out", BEN)
    await hall.passes(5)
    assert hall.outbox.edits - before <= 2
    assert hall.table() == {"Ada": "ON TIME", "Ben": "OUT"}


async def test_opting_out_marks_out_and_disconnects_and_rejoining_checks_in(hall: Hall) -> None:
    await hall.say("!gather start")
    await hall.press("I'm out", BEN)
    assert hall.at[BEN.id] is None
    await hall.passes(5)
    assert hall.table() == {"Ada": "--:--", "Ben": "OUT"}
    assert "Attendance: **0/1**" in hall.card()
    await hall.passes(85)
    hall.moves(BEN, LOUNGE)
    await hall.passes(5)
    assert hall.table() == {"Ben": "+01:30", "Ada": "--:--"}
    assert "Attendance: **1/2**" in hall.card()


async def test_who_has_checked_in_cannot_opt_out(hall: Hall) -> None:
    await hall.say("!gather start")
    await hall.press("I'm here!", BEN)
    answer = await hall.press("I'm out", BEN)
    assert words_of(answer) == ["You are checked in already."]
    assert hall.at[BEN.id] == LOUNGE


async def test_expected_member_who_joins_is_checked_in_and_others_are_not_touched(
    hall: Hall,
) -> None:
    await hall.say("!gather start")
    await hall.say(f"!gather expect {CLEO.mention}")
    hall.moves(CLEO, LOUNGE)
    hall.moves(DAN, LOUNGE)
    await hall.passes(5)
    assert hall.table() == {"Cleo": "ON TIME", "Ada": "--:--", "Ben": "--:--"}


async def test_expect_and_forget_say_what_they_cannot_change(hall: Hall) -> None:
    await hall.say("!gather start")
    await hall.press("I'm here!", BEN)
    assert text(await hall.say(f"!gather expect {BEN.mention}")).endswith("checked in already.")
    reply = await hall.say(f"!gather forget {BEN.mention} {CLEO.mention}")
    assert text(reply).splitlines() == [
        f"{CLEO.mention} will not be waited for.",
        f"{BEN.mention} checked in already and stays listed.",
    ]


async def test_click_whose_acknowledgement_failed_counts_where_it_decides(hall: Hall) -> None:
    await hall.say("!gather start")
    await hall.press("I'm here!", acknowledged=False)
    await hall.press("Mute pings", acknowledged=False)
    await hall.passes(5)
    assert hall.table()["Ada"] == "ON TIME"
    assert "Ghost pings: **on**" in hall.card()


async def test_mute_and_unmute_pings_change_the_button_and_the_card(hall: Hall) -> None:
    await hall.say("!gather start")
    await hall.press("Mute pings", BEN)
    await hall.passes(5)
    assert "Ghost pings: **off**" in hall.card()
    assert hall.labels()[0][2] == "Unmute pings"
    await hall.press("Unmute pings", BEN)
    await hall.passes(5)
    assert "Ghost pings: **on**" in hall.card()


async def test_ghost_ping_mentions_the_missing_and_is_deleted_after_700_ms(hall: Hall) -> None:
    await hall.say("!gather start")
    await hall.press("I'm here!")
    await hall.passes(60.5)
    ping = hall.plain_messages()[-1]
    assert ping["content"] == BEN.mention
    assert ping["allowed_mentions"] == {"parse": [], "users": [str(BEN.id)]}
    await hall.passes(0.3)
    assert ping not in hall.plain_messages()


async def test_end_is_shown_with_the_reason_and_without_buttons(hall: Hall) -> None:
    await hall.say("!gather start")
    await hall.press("I'm here!")
    await hall.press("I'm here!", BEN)
    await hall.passes(5)
    assert hall.embed()["color"] == GREEN
    assert "Gathering complete" in hall.embed()["footer"]["text"]
    assert hall.labels() == []


async def test_time_out_is_shown_with_the_number_of_the_missing(hall: Hall) -> None:
    await hall.say("!gather start")
    await hall.press("I'm here!")
    await hall.passes(30 * 60 + 5)
    assert hall.embed()["footer"]["text"] == "Ended after 30 minutes; missing: 1."
    assert hall.embed()["color"] == RED
    assert hall.labels() == []


async def test_cancel_of_the_check_in_is_the_authors(hall: Hall) -> None:
    await hall.say("!gather start")
    assert "who began" in words_of(await hall.press("Cancel", BEN))[0]
    await hall.press("Cancel")
    await hall.passes(5)
    assert hall.embed()["footer"]["text"] == "Cancelled."
    assert title(hall.newest()) == "📣 Voice channel gathering"  # no closing card


async def test_closing_card_says_who_when_and_how_late_and_encloses_a_file(hall: Hall) -> None:
    await hall.say("!gather start")
    await hall.press("I'm here!")
    await hall.press("I'm out", BEN)
    await hall.passes(5)
    closing = hall.newest()
    assert title(closing) == "📋 Attendance"
    assert "**1** of 2 came, **1** on time" in text(closing)
    assert rows_of(text(closing)) == {"Ada": "13:00:00  ON TIME", "Ben": "OUT"}
    [file] = hall.outbox.files[hall.outbox.newest_id()]
    assert file.filename == "attendance-2026-03-01.csv"
    lines = file.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "user_id,name,outcome,arrived_at,late_s,first_join,present_s"
    assert lines[1].startswith(f"{ADA.id},Ada,on_time,2026-03-01T12:00:00+00:00,0,")


async def test_substitute_is_asked_for_once_from_the_closing_card(hall: Hall) -> None:
    hall.rooms.roles[ROLE] = ((CLEO.id, "Cleo"),)
    await hall.say("!gather start")
    await hall.say(f"!gather expect <@&{ROLE}>")
    await hall.press("I'm here!")
    await hall.press("I'm here!", BEN)
    await hall.passes(30 * 60 + 10)
    closing = hall.outbox.newest_id()
    assert hall.labels(closing) == [["Find a substitute"]]
    custom_id = hall.button("Find a substitute", closing)["custom_id"]
    await hall.press_id(custom_id, BEN, on=closing)
    wanted = hall.newest()
    assert title(wanted) == "🙋 Substitute wanted"
    assert wanted["content"] == f"<@&{ROLE}>"
    assert wanted["allowed_mentions"] == {"parse": [], "users": [], "roles": [str(ROLE)]}
    assert f"Not here: {CLEO.mention}." in text(wanted)
    assert hall.labels(closing) == []
    again = await hall.press_id(custom_id, ADA, on=closing)
    assert words_of(again) == ["A substitute was asked for already."]
    assert hall.newest() == wanted


async def test_substitute_can_be_asked_for_during_the_check_in(hall: Hall) -> None:
    await hall.say("!gather start")
    await hall.press("I'm out", BEN)
    await hall.passes(5)
    assert hall.labels()[1] == ["Find a substitute"]
    assert "not on this gathering's list" in words_of(await hall.press("Find a substitute", DAN))[0]
    await hall.press("Find a substitute")
    assert title(hall.newest()) == "🙋 Substitute wanted"
    await hall.passes(5)
    assert len(hall.labels()) == 1


async def test_quorum_is_counted_and_announced(hall: Hall) -> None:
    await hall.say("!gather start min:2")
    assert "Quorum: **0/2**" in hall.card()
    await hall.say(f"!gather expect {CLEO.mention}")
    await hall.press("I'm here!")
    await hall.press("I'm here!", BEN)
    assert title(hall.newest()) == "✅ Quorum reached"


async def test_missing_permission_to_disconnect_is_told_once(hall: Hall) -> None:
    hall.rooms.forbidden = True
    await hall.say("!gather start")
    await hall.say(f"!gather expect {CLEO.mention}")
    await hall.press("I'm out", BEN)
    await hall.press("I'm out", ADA)
    titles = [title(body) for body in hall.outbox.messages.values()]
    assert titles.count("🚪 Please leave by yourselves") == 1
    assert "Rejoin" in words_of(await hall.press("I'm out", BEN))[0]


async def test_deleted_message_is_posted_anew_at_once_and_works(hall: Hall) -> None:
    await hall.say("!gather start")
    lost = hall.card_id()
    del hall.outbox.messages[lost]
    hall.board.deleted([lost])
    await hall.passes(1)
    assert hall.card_id() != lost
    await hall.press("I'm here!")
    await hall.passes(5)
    assert hall.table()["Ada"] == "ON TIME"
    assert len(hall.plain_messages()) == 1  # nobody was called twice


async def test_message_deleted_unseen_is_posted_anew_at_the_next_change(hall: Hall) -> None:
    await hall.say("!gather start")
    lost = hall.card_id()
    del hall.outbox.messages[lost]
    await hall.press_id("gather:here:1")
    await hall.passes(5)
    assert hall.table()["Ada"] == "ON TIME"
    assert hall.card_id() != lost


async def test_message_that_cannot_be_edited_for_a_while_shows_the_last_state(hall: Hall) -> None:
    await hall.say("!gather start")
    hall.outbox.failing = NO_PERMISSION
    await hall.press_id("gather:here:1")
    await hall.passes(20)
    hall.outbox.failing = None
    await hall.passes(20)
    assert hall.table()["Ada"] == "ON TIME"


@pytest.mark.parametrize(
    "custom_id", ["gather:here:99", "gather:here", "gather:nonsense:1", "gather:here:x"]
)
async def test_stale_or_odd_click_is_answered_and_loses_its_buttons(
    hall: Hall, custom_id: str
) -> None:
    await hall.say("!gather start")
    hall.outbox.messages[77] = {"embeds": [{"title": "old"}], "components": [1]}
    answer = await hall.press_id(custom_id, on=77)
    assert words_of(answer) == ["This gathering is over."]
    assert hall.outbox.messages[77]["components"] == []


async def test_click_while_the_database_fails_is_stored_later(hall: Hall) -> None:
    await hall.say("!gather start")
    hall.store.failures = [StorageUnavailable("locked")] * 2
    await hall.press("I'm here!")
    await hall.passes(10)
    assert hall.table()["Ada"] == "ON TIME"


async def test_restart_goes_on_with_the_same_message_and_buttons(hall: Hall) -> None:
    await hall.say("!gather start")
    card_id = hall.card_id()
    await hall.press("I'm out", BEN)
    await hall.restarts()
    await hall.passes(5)
    assert hall.card_id() == card_id
    assert hall.table() == {"Ada": "--:--", "Ben": "OUT"}
    hall.moves(BEN, LOUNGE)
    await hall.press("I'm here!")
    await hall.passes(5)
    assert hall.table() == {"Ada": "ON TIME", "Ben": "ON TIME"}
    await settle()


async def test_restart_before_the_message_was_noted_shows_the_newest_state_in_it(
    hall: Hall,
) -> None:
    hall.store.forgets_messages = True
    await hall.say("!gather start")
    card_id = hall.card_id()
    await hall.press("I'm out", BEN)
    await hall.passes(1)
    await hall.restarts()
    await hall.passes(1)
    assert hall.card_id() == card_id
    assert hall.table() == {"Ada": "--:--", "Ben": "OUT"}
    await hall.passes(10)
    assert [title(body) for body in hall.outbox.messages.values()].count(CARD) == 1


async def test_stats_page_has_figures_and_gatherings(hall: Hall) -> None:
    assert "was not expected" in text(await hall.say("!gather stats"))
    for _ in range(12):
        await hall.say("!gather start")
        await hall.press("I'm here!")
        await hall.press("I'm out", BEN)
        await hall.passes(10)
        hall.moves(BEN, LOUNGE)
    page = await hall.say(f"!gather stats {ADA.mention}", by=BEN)
    assert title(page) == "📊 Attendance of Ada"
    assert [field["name"] for field in page["embeds"][0]["fields"]] == [
        "30 days",
        "90 days",
        "Ever",
    ]
    assert "On time **100 %**" in page["embeds"][0]["fields"][0]["value"]
    assert len(text(page).splitlines()) == 10
    hall.guild.click("▶", by=BEN)
    await hall.passes(1)
    assert len(text(hall.newest()).splitlines()) == 2
