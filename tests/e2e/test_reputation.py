"""Reputation with the real bot: typed, by slash, at once, taken back, over a kill."""

import asyncio

import pytest

from tests.e2e.house import REFUSED, House, Room
from tests.simulator import Member, SimMessage

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

GIVEN = "Reputation given"
TAKEN = "Reputation taken"
BACK = "Reputation taken back"


def value(message: SimMessage, name: str) -> str:
    """Return what stands in a field of the message."""
    fields = message.embeds[0]["fields"]
    return next(str(field["value"]) for field in fields if field["name"] == name)


def crowd(room: Room, number: int) -> list[Member]:
    return [room.guild.add_member(f"Member {index}") for index in range(number)]


async def test_rep_is_given_and_taken_and_listed(room: Room) -> None:
    given = await room.says(
        room.ada, f"!+rep {room.ben.mention} for the @everyone cake", title=GIVEN
    )
    assert (value(given, "From"), value(given, "To")) == (room.ada.mention, room.ben.mention)
    assert (value(given, "Amount"), value(given, "New total")) == ("+1", "+1")
    assert given.pinged_users == set()
    cara = room.guild.add_member("Cara")
    outcome = await cara.slash(room.general, "rep remove", user=room.ben, reason="ate it himself")
    taken = await outcome.answer(title=TAKEN)
    assert (value(taken, "Amount"), value(taken, "New total")) == ("-1", "0")
    listed = await room.says(room.ben, "!reps", title="Reputation of Ben")
    assert listed.text.index("ate it himself") < listed.text.index("cake")
    assert "Total 0 · 2 entries · rank 1 of 1" in listed.text


async def test_rep_at_the_same_instant_counts_once(room: Room) -> None:
    said = [room.ada.say(room.general, f"!+rep {room.ben.mention} once") for _ in range(3)]
    slash = [room.ada.slash(room.general, "rep add", user=room.ben, reason="once")]
    await asyncio.gather(*said, *slash)
    await room.general.expect(title=GIVEN)
    listed = await room.says(room.ben, "!repinfo", title="Reputation of Ben")
    assert "Total +1 · 1 entry" in listed.text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("!+rep {ada} me", "cannot change your own"),
        ("!+rep {bot} beep", "Bots have no reputation"),
        ("!+rep {ben}", "`reason` is missing"),
        ("!-rep {ben} " + "x" * 501, "500 characters"),
    ],
)
async def test_rep_that_breaks_a_rule_is_refused(
    room: Room, house: House, line: str, words: str
) -> None:
    bot = f"<@{house.discord.world.bot.id}>"
    text = line.format(ada=room.ada.mention, ben=room.ben.mention, bot=bot)
    await room.ada.say(room.general, text)
    await room.general.expect(text=words)
    listed = await room.says(room.ben, "!reps", title="Reputation of Ben")
    assert "no entries" in listed.text


async def test_rep_is_taken_back_by_its_giver_alone_also_after_a_kill(
    room: Room, house: House
) -> None:
    given = await room.says(room.ada, f"!addrep {room.ben.mention} oops", title=GIVEN)
    foreign = await room.ben.click(given, "Take back")
    await foreign.answer(text="Only who made this change")
    await house.bot.restart()
    outcome = await room.ada.click(given, "Take back")
    assert outcome.acknowledged
    await given.changes(title=BACK, within=8)
    assert given.labels == []
    again = await room.says(room.ada, f"!plusrep {room.ben.mention} meant it", title=GIVEN)
    assert value(again, "New total") == "+1"


async def test_rep_that_was_told_is_kept_over_a_kill(room: Room, house: House) -> None:
    await room.says(room.ada, f"!+rep {room.ben.mention} kept", title=GIVEN)
    await house.bot.restart()
    listed = await room.says(room.ben, "!reps", title="Reputation of Ben", within=15)
    assert "kept" in listed.text
    await room.says(room.ada, f"!+rep {room.ben.mention} again", title=REFUSED)


async def test_leaderboard_shows_both_ends_turns_and_jumps(room: Room) -> None:
    people = crowd(room, 14)
    for index, member in enumerate(people):
        sign = "+rep" if index % 2 else "-rep"
        await room.says(room.ada, f"!{sign} {member.mention} turn {index}", title="Reputation")
    board = await room.says(people[1], "!leaderboard", title="Leaderboard")
    assert "4 in between" in board.text
    assert board.labels == ["▶", "My rank"]
    assert board.text.index(people[1].mention) < board.text.index("in between")
    outcomes = await asyncio.gather(
        people[1].click_soon(board, "▶"), room.ben.click_soon(board, "▶")
    )
    assert all(outcome.acknowledged for outcome in outcomes)
    await outcomes[1].answer(text="somebody else")
    await board.changes(text="`8.`")
    await people[1].click(board, "My rank")
    await board.changes(text="in between")
    week = await room.ada.slash(room.general, "rep leaderboard", time="7d")
    assert "14 members · the last 7 days" in (await week.answer(title="Leaderboard")).text
