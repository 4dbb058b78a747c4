"""Reputation as members see it: cards, lists, the leaderboard, and taking a change back."""

from collections.abc import AsyncIterator

import pytest

from bot.kit.command_runner import CommandRunner
from bot.kit.converters import Words
from bot.kit.dual_command import CommandSet
from bot.kit.pace import Pace
from bot.kit.paging import Paging
from bot.kit.people import GuildMember
from cogs.reputation.commands import Reputation
from cogs.reputation.retracting import Retracting
from services.reputation.reputation_service import ReputationService
from services.reputation.rules import Change
from tests.fakes.discord_guild import ADA, BEN, CARA, GUILD, FakeGuild, settle
from tests.fakes.durable_buttons import DurableButtons
from tests.fakes.interaction_answer import FakeAnswer
from tests.fakes.reputation_store import MemoryReputation

ROBOT = GuildMember(id=100000000000000009, name="Robot", is_bot=True)
EVERYBODY = {member.id: member for member in (ADA, BEN, CARA, ROBOT)}


class Everybody:
    def by_id(self, user_id: int) -> GuildMember | None:
        return EVERYBODY.get(user_id)

    def by_name(self, name: str) -> GuildMember | None:
        return next((m for m in EVERYBODY.values() if m.name == name), None)


class Club:
    """What members can do and see."""

    def __init__(self) -> None:
        self.guild = FakeGuild()
        self.outbox, self.clock = self.guild.outbox, self.guild.clock
        self.store = MemoryReputation()
        self.paging = Paging(self.guild)
        self.begin()

    def begin(self) -> None:
        """Start the bot, or start it again."""
        self.buttons = DurableButtons(self.guild)
        service = ReputationService(self.store, self.clock)
        self.retracting = Retracting(service, outbox=self.outbox, clock=self.clock)
        self.retracting.register(self.buttons)
        self.commands = CommandSet()
        self.commands.add(Reputation(service, paging=self.paging, retracting=self.retracting))
        self.runner = CommandRunner(self.clock, pace=Pace(self.clock, burst=10_000))

    async def restart(self) -> None:
        await self.retracting.close()
        self.begin()

    async def say(self, line: str, by: GuildMember = ADA) -> None:
        name, _, rest = line.partition(" ")
        bound = self.commands.find(name)
        assert bound is not None
        await self.runner.run(bound, self.guild.call(by), Words(rest, members=Everybody()))
        await settle()

    async def press(self, label: str, *, by: GuildMember, acknowledged: bool = True) -> FakeAnswer:
        answer = await self.buttons.press(label, by=by, acknowledged=acknowledged)
        await settle()
        return answer

    async def fill(self, totals: dict[int, int]) -> None:
        for user_id, total in totals.items():
            for giver in range(total):
                change = Change(
                    guild_id=GUILD,
                    giver_id=5000 + giver,
                    target_id=user_id,
                    target_is_bot=False,
                    amount=1,
                    reason="x",
                )
                await self.store.add(change, at=self.clock.now())

    def fields(self) -> dict[str, str]:
        embed = self.outbox.messages[self.outbox.newest_id()]["embeds"][0]
        return {field["name"]: field["value"] for field in embed.get("fields", ())}

    def footer(self) -> str:
        embed = self.outbox.messages[self.outbox.newest_id()]["embeds"][0]
        return str(embed["footer"]["text"])

    def said_to(self, answer: FakeAnswer) -> list[str]:
        return [body["embeds"][0]["description"] for body in answer.private]


@pytest.fixture
async def club() -> AsyncIterator[Club]:
    club = Club()
    yield club
    await club.retracting.close()
    await club.paging.close()
    await club.guild.messages.close()


# ── changes ─────────────────────────────────────────────────────────────────
async def test_rep_shows_giver_target_amount_reason_and_total(club: Club) -> None:
    await club.say(f"+rep {BEN.mention} carried *all* my boxes")
    assert club.outbox.titles() == ["👍 Reputation given"]
    assert club.fields() == {
        "From": ADA.mention,
        "To": BEN.mention,
        "Amount": "+1",
        "Reason": r"carried \*all\* my boxes",
        "New total": "+1",
    }


async def test_minus_rep_takes_one(club: Club) -> None:
    await club.say(f"-rep {BEN.mention} ate my cake")
    assert club.outbox.titles() == ["👎 Reputation taken"]
    assert (club.fields()["Amount"], club.fields()["New total"]) == ("-1", "-1")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"+rep {ADA.mention} me", "cannot change your own"),
        (f"+rep {ROBOT.mention} beep", "Bots have no reputation"),
        (f"+rep {BEN.mention}", "`reason` is missing"),
        (f"+rep {BEN.mention} " + "x" * 501, "500 characters"),
        ("+rep nobody why", "must be a member"),
        ("+rep", "`user` is missing"),
    ],
)
async def test_rep_that_breaks_a_rule_is_refused(club: Club, line: str, words: str) -> None:
    await club.say(line)
    assert words in club.outbox.text()
    assert club.store.entries == []


async def test_rep_again_within_ten_minutes_is_refused_and_says_when(club: Club) -> None:
    await club.say(f"+rep {BEN.mention} one")
    await club.say(f"-rep {BEN.mention} two")
    assert "You can again <t:" in club.outbox.text()
    await club.clock.advance(600)
    await club.say(f"-rep {BEN.mention} two")
    assert club.fields()["New total"] == "0"


async def test_rep_message_stays_and_loses_its_button_after_a_minute(club: Club) -> None:
    await club.say(f"+rep {BEN.mention} one")
    assert club.guild.labels() == ["Take back"]
    await club.clock.advance(60)
    assert club.guild.labels() == []
    await club.clock.advance(3600)
    assert club.outbox.titles() == ["👍 Reputation given"]


async def test_rep_with_the_longest_reason_of_markup_fits(club: Club) -> None:
    await club.say(f"+rep {BEN.mention} " + "*@" * 250)
    assert len(club.fields()["Reason"]) <= 1024
    assert club.outbox.titles() == ["👍 Reputation given"]


# ── taking back ─────────────────────────────────────────────────────────────
async def test_change_is_taken_back_by_its_giver(club: Club) -> None:
    await club.say(f"+rep {BEN.mention} one")
    await club.press("Take back", by=ADA)
    assert club.outbox.titles() == ["↩️ Reputation taken back"]
    assert club.guild.labels() == []
    assert club.fields()["New total"] == "0"
    await club.clock.advance(120)
    assert club.outbox.titles() == ["↩️ Reputation taken back"]
    assert club.store.entries == []


async def test_change_is_not_taken_back_by_others_who_are_told_once_in_five_seconds(
    club: Club,
) -> None:
    await club.say(f"+rep {BEN.mention} one")
    first = await club.press("Take back", by=BEN)
    second = await club.press("Take back", by=BEN)
    assert club.said_to(first) == ["Only who made this change can take it back."]
    assert club.said_to(second) == []
    assert len(club.store.entries) == 1
    assert club.guild.labels() == ["Take back"]


async def test_change_is_taken_back_though_the_acknowledgement_failed(club: Club) -> None:
    await club.say(f"+rep {BEN.mention} one")
    await club.press("Take back", by=ADA, acknowledged=False)
    assert club.outbox.titles() == ["↩️ Reputation taken back"]


async def test_change_from_before_a_restart_is_taken_back_in_time(club: Club) -> None:
    await club.say(f"+rep {BEN.mention} one")
    await club.restart()
    await club.press("Take back", by=ADA)
    assert club.outbox.titles() == ["↩️ Reputation taken back"]
    assert club.store.entries == []


async def test_change_from_before_a_restart_is_not_taken_back_too_late(club: Club) -> None:
    await club.say(f"+rep {BEN.mention} one")
    await club.restart()
    await club.clock.advance(61)
    answer = await club.press("Take back", by=ADA)
    assert club.said_to(answer) == ["A change can be taken back for 60 seconds only."]
    assert club.guild.labels() == []
    assert club.outbox.titles() == ["👍 Reputation given"]


async def test_change_stays_while_the_database_is_away(club: Club) -> None:
    await club.say(f"+rep {BEN.mention} one")
    club.store.failing = True
    answer = await club.press("Take back", by=ADA)
    assert "database does not answer" in club.said_to(answer)[0]
    assert club.guild.labels() == ["Take back"]
    club.store.failing = False
    await club.press("Take back", by=ADA)
    assert club.outbox.titles() == ["↩️ Reputation taken back"]


# ── lists ───────────────────────────────────────────────────────────────────
async def test_reps_shows_five_entries_newest_first_and_turns_pages(club: Club) -> None:
    for number, giver in enumerate((BEN, CARA)):
        await club.say(f"+rep {ADA.mention} reason {number}", by=giver)
    await club.fill({ADA.id: 5})
    await club.say("reps")
    text = club.outbox.text()
    assert text.count("**+1** from") == 5
    assert "+7 in the last 7 days · +7 in the last 30 days" in text
    assert club.footer() == "Total +7 · 7 entries · rank 1 of 1"
    club.guild.click("▶")
    await settle()
    assert club.outbox.text().index("reason 1") < club.outbox.text().index("reason 0")


async def test_reps_of_somebody_without_says_so(club: Club) -> None:
    await club.say(f"reps {CARA.mention}")
    assert club.outbox.titles() == ["⭐ Reputation of Cara"]
    assert "no entries yet" in club.outbox.text()
    assert club.guild.labels() == []


async def test_reps_of_the_longest_reasons_fit_into_a_message(club: Club) -> None:
    for giver in range(5):
        change = Change(
            guild_id=GUILD,
            giver_id=5000 + giver,
            target_id=ADA.id,
            target_is_bot=False,
            amount=1,
            reason="*" * 500,
        )
        await club.store.add(change, at=club.clock.now())
    await club.say("reps")
    assert club.outbox.text().count("**+1** from") == 5
    assert len(club.outbox.text()) <= 4096


async def test_leaderboard_shows_both_ends_medals_and_who_is_between(club: Club) -> None:
    await club.fill({user: 41 - user for user in range(1, 38)} | {BEN.id: 41})
    await club.say("leaderboard", by=BEN)
    lines = club.outbox.text().splitlines()
    assert lines[0] == f"🥇 {BEN.mention} **+41** ◂ you"
    assert lines[1] == "🥈 <@1> **+40**"
    assert lines[2] == "🥉 <@2> **+39**"
    assert lines[3] == "`4.` <@3> **+38**"
    assert "*… 28 in between …*" in lines
    assert lines[-1] == "`38.` <@37> **+4**"
    assert club.footer() == "38 members · ever"
    club.guild.click("▶", by=BEN)
    await settle()
    assert club.outbox.text().splitlines()[0] == "`6.` <@5> **+36**"
    assert len(club.outbox.text().splitlines()) == 10


async def test_leaderboard_jumps_to_ones_own_rank(club: Club) -> None:
    await club.fill({user: 41 - user for user in range(1, 30)} | {BEN.id: 8, 99: 3, 98: 2, 97: 1})
    await club.say("leaderboard", by=BEN)
    club.guild.click("My rank", by=BEN)
    await settle()
    assert f"{BEN.mention} **+8** ◂ you" in club.outbox.text()


async def test_leaderboard_jump_of_somebody_without_a_rank_is_refused_and_stays(
    club: Club,
) -> None:
    await club.fill({user: 41 - user for user in range(1, 30)})
    await club.say("leaderboard", by=CARA)
    before = club.outbox.text()
    answer = club.guild.click("My rank", by=CARA)
    await settle()
    assert "You have no rank yet" in club.said_to(answer)[0]
    assert club.outbox.text() == before


async def test_leaderboard_of_a_span_counts_that_span_alone(club: Club) -> None:
    await club.fill({1: 3})
    await club.clock.advance(8 * 24 * 3600)
    await club.store.leave_spans(club.clock.now())
    await club.fill({2: 1})
    await club.say("leaderboard 7d")
    assert club.outbox.text() == "🥇 <@2> **+1**"
    assert club.footer() == "1 member · the last 7 days"


async def test_leaderboard_of_nobody_says_so(club: Club) -> None:
    await club.say("leaderboard")
    assert "Nobody has reputation yet." in club.outbox.text()


async def test_menu_stays_while_the_database_is_away(club: Club) -> None:
    await club.fill({ADA.id: 12})
    await club.say("reps")
    club.store.failing = True
    answer = club.guild.click("▶")
    await settle()
    assert "database does not answer" in club.said_to(answer)[0]
    club.store.failing = False
    club.guild.click("▶")
    await settle()
    assert "2/3" in str(club.outbox.messages[club.outbox.newest_id()])


async def test_menu_loses_its_buttons_two_minutes_after_the_last_click(club: Club) -> None:
    await club.fill({ADA.id: 12})
    await club.say("reps")
    await club.clock.advance(119)
    assert club.guild.labels() == ["▶"]
    await club.clock.advance(1)
    assert club.guild.labels() == []
    assert club.outbox.titles() == ["⭐ Reputation of Ada"]
