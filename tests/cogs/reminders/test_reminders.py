"""Reminders as members give, list, remove and snooze them."""

from collections.abc import AsyncIterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.kit.command_runner import CommandRunner
from bot.kit.converters import Words
from bot.kit.dual_command import CommandSet
from bot.kit.pace import Pace
from bot.kit.paging import Paging
from bot.kit.people import GuildMember
from cogs.reminders.commands import Reminders
from cogs.reminders.delivery import DiscordDelivery
from cogs.reminders.snoozing import Snoozing
from services.reminders.reminder_service import ReminderService
from tests.fakes.discord_guild import ADA, BEN, CARA, GUILD, TEXT, FakeGuild, settle
from tests.fakes.durable_buttons import DurableButtons
from tests.fakes.interaction_answer import FakeAnswer
from tests.fakes.outbox import FakeOutbox
from tests.fakes.reminder_store import MemoryReminders

ROBOT = GuildMember(id=100000000000000009, name="Robot", is_bot=True)
EVERYBODY = {member.id: member for member in (ADA, BEN, CARA, ROBOT)}
FIRED = "⏰ Reminder"


class Everybody:
    def by_id(self, user_id: int) -> GuildMember | None:
        return EVERYBODY.get(user_id)

    def by_name(self, name: str) -> GuildMember | None:
        return next((m for m in EVERYBODY.values() if m.name == name), None)


class ChannelMail:
    """The guild's outbox as the reminders' mail; nothing is ever repeated here."""

    def __init__(self, outbox: FakeOutbox) -> None:
        self._outbox = outbox

    async def post(self, channel_id: int, body: dict[str, Any], *, nonce: str | None = None) -> int:
        return await self._outbox.post(channel_id, body, nonce=nonce)

    async def open_direct(self, user_id: int) -> int:
        return user_id

    async def find_posted(self, channel_id: int, **_: object) -> int | None:
        return None


class Club:
    """What members can do and see."""

    def __init__(self) -> None:
        self.guild = FakeGuild()  # 1 March 2026, 12:00 in UTC
        self.outbox, self.clock = self.guild.outbox, self.guild.clock
        self.store = MemoryReminders()
        self.service = ReminderService(
            store=self.store,
            delivery=DiscordDelivery(ChannelMail(self.outbox), self.clock),
            clock=self.clock,
        )
        self.paging = Paging(self.guild)
        self.commands = CommandSet()
        self.commands.add(Reminders(self.service, paging=self.paging, zone_of=self.zone_of))
        self.buttons = DurableButtons(self.guild)
        Snoozing(self.service, zone_of=self.zone_of, clock=self.clock).register(self.buttons)
        self.runner = CommandRunner(self.clock, pace=Pace(self.clock, burst=10_000))

    def zone_of(self, guild_id: int) -> ZoneInfo:
        assert guild_id == GUILD
        return ZoneInfo("Europe/Berlin")

    async def say(self, line: str, by: GuildMember = ADA) -> None:
        group, name, *rest = line.split(" ", 2)
        bound = self.commands.find(f"{group} {name}")
        assert bound is not None
        words = Words("".join(rest), members=Everybody())
        await self.runner.run(bound, self.guild.call(by), words)
        await settle()

    async def press(self, label: str, *, by: GuildMember, **how: Any) -> FakeAnswer:
        answer = await self.buttons.press(label, by=by, **how)
        await settle()
        return answer

    def embed(self) -> dict[str, Any]:
        embed: dict[str, Any] = self.outbox.messages[self.outbox.newest_id()]["embeds"][0]
        return embed

    def said_to(self, answer: FakeAnswer) -> list[str]:
        return [body["embeds"][0]["description"] for body in answer.private]


@pytest.fixture
async def club() -> AsyncIterator[Club]:
    club = Club()
    club.service.start()
    yield club
    await club.service.close()
    await club.paging.close()
    await club.guild.messages.close()


async def test_notify_me_says_when_and_fires(club: Club) -> None:
    await club.say("notify me 1h 30m Tea *and* cake")
    due = int(club.clock.now().timestamp()) + 5400
    text = club.outbox.text()
    assert club.outbox.titles() == ["⏰ Reminder set"]
    assert text == f"<t:{due}:F>, <t:{due}:R>\n\nTea \\*and\\* cake"
    assert club.embed()["footer"]["text"] == "#1 · notify remove 1 takes it back"
    confirmation = club.outbox.newest_id()
    await club.clock.advance(5400)
    assert club.outbox.titles() == ["⏰ Reminder set", FIRED]
    assert club.outbox.messages[club.outbox.newest_id()]["content"] == ADA.mention
    assert f"/{GUILD}/{TEXT}/{confirmation})" in club.embed()["fields"][0]["value"]


async def test_notify_you_reminds_up_to_three(club: Club) -> None:
    await club.say(f"remind you {BEN.mention} {CARA.mention} 10m The cake")
    assert f"For {BEN.mention}, {CARA.mention}" in club.outbox.text()
    await club.clock.advance(600)
    message = club.outbox.messages[club.outbox.newest_id()]
    assert message["content"] == f"{BEN.mention} {CARA.mention}"
    assert f"by {ADA.mention}" in club.embed()["fields"][0]["value"]


async def test_notify_every_day_says_so_and_in_which_zone(club: Club) -> None:
    await club.say("notify me every day 09:00 Tea")
    assert "Repeats every day 09:00 (Europe/Berlin)" in club.outbox.text()
    await club.clock.advance(20 * 3600)
    assert club.outbox.titles() == ["⏰ Reminder set", FIRED]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("notify me", "`when` is missing"),
        ("notify me soon Tea", "every monday 18:30"),
        ("notify me 24-12-2020 Tea", "in the past"),
        ("notify me 9y Tea", "more than two years"),
        ("notify you 10m Tea", "`user` is missing"),
        (f"notify you {ROBOT.mention} 10m Tea", "Bots need no reminder"),
        (f"notify you {ADA.mention} {BEN.mention} {CARA.mention} {ROBOT.mention} 10m", "3 members"),
        ("notify me 10m " + "x" * 1501, "1500 characters"),
        ("notify remove 99", "no open reminder #99"),
        ("notify remove tea", "whole number"),
    ],
)
async def test_notify_that_cannot_be_is_refused(club: Club, line: str, words: str) -> None:
    await club.say(line)
    assert words in club.outbox.text()
    assert club.store.open == {}


async def test_list_shows_the_next_first_and_what_each_is(club: Club) -> None:
    await club.say("notify me 2h " + "long " * 60)
    await club.say("notify me every sunday 9:00 Brunch")
    await club.say(f"notify you {BEN.mention} 1h Cake")
    await club.say("notify list")
    first, second, third = club.outbox.text().splitlines()
    assert first.startswith("`#3`")
    assert first.endswith(f" · for {BEN.mention} · Cake")
    assert second.startswith("`#1`")
    assert second.endswith("…")
    assert " · every sunday 09:00 · Brunch" in third
    await club.say("notify list", by=BEN)
    assert club.outbox.text().endswith(f" · by {ADA.mention} · Cake")
    await club.say("notify list", by=CARA)
    assert "You have none" in club.outbox.text()


async def test_list_has_pages_that_are_turned(club: Club) -> None:
    for number in range(12):
        await club.say(f"notify me {number + 1}d note {number}")
    await club.say("notify list")
    assert club.outbox.text().count("`#") == 10
    club.guild.click("▶")
    await settle()
    assert "note 11" in club.outbox.text()
    assert club.embed()["footer"]["text"] == "12 open"


async def test_remove_is_for_owner_and_scheduler(club: Club) -> None:
    await club.say(f"notify you {BEN.mention} {CARA.mention} 10m Cake")
    await club.say("notify remove 1", by=CARA)
    assert "the others still are" in club.outbox.text()
    await club.say("notify remove 1", by=CARA)
    assert "no open reminder #1" in club.outbox.text()
    await club.say("notify remove 1", by=ADA)
    assert club.outbox.titles()[-1] == "🗑️ Reminder #1 removed"
    await club.clock.advance(600)
    assert FIRED not in club.outbox.titles()


async def test_reminder_is_set_though_its_link_cannot_be_stored(club: Club) -> None:
    await club.say("notify me 10m Tea")

    club.store.fails_to_link = True
    await club.say("notify me 10m Cake")
    assert club.outbox.titles() == ["⏰ Reminder set", "⏰ Reminder set"]


# ── snooze ──────────────────────────────────────────────────────────────────
async def test_snooze_reminds_who_clicked_again_and_again(club: Club) -> None:
    await club.say(f"notify you {BEN.mention} 10m Cake")
    await club.clock.advance(600)
    for _ in range(3):
        answer = await club.press("10 min", by=BEN)
        due = int(club.clock.now().timestamp()) + 600
        assert club.said_to(answer) == [f"I remind you again <t:{due}:R>."]
        await club.clock.advance(600)
    assert club.outbox.titles().count(FIRED) == 4
    assert club.outbox.messages[club.outbox.newest_id()]["content"] == BEN.mention


async def test_snooze_by_somebody_else_is_refused(club: Club) -> None:
    await club.say("notify me 10m Tea")
    await club.clock.advance(600)
    answer = await club.press("1 h", by=CARA)
    assert club.said_to(answer) == ["Only those who are reminded can snooze this."]
    assert club.store.open == {}


async def test_snooze_clicked_twice_or_changed_is_one_reminder(club: Club) -> None:
    await club.say("notify me 10m Tea")
    await club.clock.advance(600)
    await club.press("1 h", by=ADA)
    await club.press("10 min", by=ADA)
    await club.press("10 min", by=ADA)
    assert len(club.store.open) == 1
    await club.clock.advance(3600)
    assert club.outbox.titles().count(FIRED) == 2


async def test_snooze_counts_though_the_acknowledgement_failed(club: Club) -> None:
    await club.say("notify me 10m Tea")
    await club.clock.advance(600)
    answer = await club.press("10 min", by=ADA, acknowledged=False)
    assert answer.private == []
    await club.clock.advance(600)
    assert club.outbox.titles().count(FIRED) == 2


async def test_snooze_while_the_database_is_away_is_refused(club: Club) -> None:
    await club.say("notify me 10m Tea")
    await club.clock.advance(600)
    club.store.failing = True
    answer = await club.press("10 min", by=ADA)
    assert "database does not answer" in club.said_to(answer)[0]
