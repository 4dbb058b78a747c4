"""Whichever way a command is given, members read an answer and the log has the rest."""

import logging

import pytest
from nextcord import Permissions

from bot.kit.checks import author_in_voice, bot_in_voice, needs, same_voice_channel
from bot.kit.command_runner import CommandRunner
from bot.kit.converters import Options, Words
from bot.kit.dual_command import CommandSet
from bot.kit.invocation import Invocation
from services.errors import Refusal
from tests.fakes.discord_guild import ADA, BEN, CARA, LOUNGE, OTHER_ROOM, FakeGuild, settle
from tests.kit.examples import Examples, KnownMembers


class Bench:
    """The example commands, ready to be given."""

    def __init__(self) -> None:
        self.guild = FakeGuild()
        self.cog = Examples()
        self.commands = CommandSet()
        self.commands.add(self.cog)
        self.runner = CommandRunner(self.guild.clock)

    async def say(self, line: str, call: Invocation | None = None) -> None:
        """Give a command after a prefix."""
        name, _, rest = line.partition(" | ")
        bound = self.commands.find(name)
        assert bound is not None
        words = Words(rest, members=KnownMembers())
        await self.runner.run(bound, call or self.guild.call(), words)

    async def choose(self, path: str, **values: object) -> None:
        """Give a slash command."""
        bound = self.commands.on_slash(tuple(path.split()))
        assert bound is not None
        options = Options(values=values, members=KnownMembers(), resolved={})
        await self.runner.run(bound, self.guild.call(prefix="/"), options)

    def embed(self) -> dict[str, object]:
        message = self.guild.outbox.messages[self.guild.outbox.newest_id()]
        embed: dict[str, object] = message["embeds"][0]
        return embed


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_command_by_prefix_and_slash_answers_the_same(bench: Bench) -> None:
    await bench.say("skip | 3")
    by_prefix = bench.embed()
    await bench.choose("skip", count=3)
    assert bench.embed() == by_prefix
    assert by_prefix["title"] == "⏭️ Skipped"
    assert bench.cog.seen == [3, 3]


async def test_command_wrong_argument_reads_the_usage_line(bench: Bench) -> None:
    await bench.say("skip | many")
    assert bench.embed()["title"] == "📖 Usage"
    text = str(bench.embed()["description"])
    assert "whole number" in text
    assert "`!skip [count]`" in text
    assert "`!skip 3`" in text
    assert bench.cog.seen == []


async def test_command_wrong_argument_on_slash_reads_the_slash_usage(bench: Bench) -> None:
    await bench.choose("rep add", who="5", reason="x")
    assert "`/rep add <@who> <reason>`" in str(bench.embed()["description"])


async def test_command_refused_by_a_check_does_not_act(bench: Bench) -> None:
    await bench.say("gather start")
    assert bench.embed()["color"] == 0xED4245
    assert bench.embed()["description"] == "Not today."
    assert bench.cog.seen == []


@pytest.mark.parametrize(
    ("name", "colour", "sentence"),
    [
        ("lost", 0xF1C40F, "No such thing."),
        ("down", 0xED4245, "The site does not answer."),
    ],
)
async def test_command_failure_is_told_by_its_branch(
    bench: Bench, name: str, colour: int, sentence: str
) -> None:
    await bench.say(name)
    assert (bench.embed()["color"], bench.embed()["description"]) == (colour, sentence)


async def test_command_defect_reads_one_sentence_and_logs_the_traceback(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.say("broken")
    assert "secret" not in str(bench.embed())
    assert bench.embed()["title"] == "💥 Something went wrong"
    (record,) = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    for part in (str(ADA.id), "10", "test"):
        assert part in record.getMessage()


async def test_command_handler_that_shows_nothing_sends_nothing(bench: Bench) -> None:
    await bench.say("play | something")
    assert bench.guild.outbox.seen == []


async def test_commands_in_a_flood_are_refused_once_and_the_others_go_on(bench: Bench) -> None:
    for _ in range(300):
        await bench.say("play | x")
    assert len(bench.cog.seen) < 30
    assert bench.guild.outbox.seen == ["🐌 Slow down"]
    await bench.say("play | y", bench.guild.call(BEN))
    assert bench.cog.seen[-1] == ("y", None)
    await bench.guild.clock.advance(2)
    await bench.say("play | z")
    assert bench.cog.seen[-1] == ("z", None)


async def test_menu_entry_gets_its_target(bench: Bench) -> None:
    bound = bench.commands.on_menu("user", "Praise")
    assert bound is not None
    await bench.runner.run_menu(bound, bench.guild.call(prefix="/"), BEN)
    assert bench.cog.seen == [BEN]


def test_check_author_outside_of_voice_is_told_to_join() -> None:
    guild = FakeGuild()
    author_in_voice(guild.call(ADA))
    with pytest.raises(Refusal, match="Join a voice channel"):
        author_in_voice(guild.call(CARA))
    with pytest.raises(Refusal, match="Join a voice channel"):
        same_voice_channel(guild.call(CARA))


def test_check_other_channel_refusal_links_the_bots_channel() -> None:
    guild = FakeGuild()
    guild.bot_channel = lambda: OTHER_ROOM
    with pytest.raises(Refusal, match=f"<#{OTHER_ROOM}>"):
        same_voice_channel(guild.call(ADA))
    with pytest.raises(Refusal, match=f"<#{OTHER_ROOM}>"):
        same_voice_channel(guild.call(CARA))
    guild.bot_channel = lambda: LOUNGE
    same_voice_channel(guild.call(ADA))


def test_check_bot_in_voice_needs_the_bot_there() -> None:
    guild = FakeGuild()
    with pytest.raises(Refusal, match="no voice channel"):
        bot_in_voice(guild.call())


def test_check_permission_is_named() -> None:
    check = needs(Permissions(manage_guild=True), called="Manage Server")
    with pytest.raises(Refusal, match="Manage Server"):
        check(FakeGuild().call(ADA))


async def test_form_from_a_prefix_command_is_refused() -> None:
    call = FakeGuild().call()
    assert not call.can_open_form
    with pytest.raises(Refusal, match="slash"):
        await call.open_form({})
    await settle()
