"""A plain nextcord bot lives on the simulator as it does on Discord."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import nextcord
import pytest
from nextcord.ext import commands

from tests.simulator import Guild, Member, Simulator, TextChannel, Upload, VoiceChannel

pytestmark = pytest.mark.filterwarnings(
    # nextcord's own, with this aiohttp
    "ignore:parameter 'timeout' of type 'float' is deprecated:DeprecationWarning"
)

Interaction = nextcord.Interaction[commands.Bot]


class Pages(nextcord.ui.View):
    """Two buttons, a list and a form."""

    def __init__(self) -> None:
        super().__init__(timeout=60)

    @nextcord.ui.button(label="Next")
    async def turn(self, _: object, interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.edit_original_message(content="page 2")
        await interaction.followup.send("psst", ephemeral=True)

    @nextcord.ui.button(label="Ask")
    async def ask(self, _: object, interaction: Interaction) -> None:
        await interaction.response.send_modal(Form())

    @nextcord.ui.string_select(
        custom_id="choose",
        options=[nextcord.SelectOption(label="One"), nextcord.SelectOption(label="Two")],
    )
    async def choose(
        self, select: nextcord.ui.StringSelect["Pages"], interaction: Interaction
    ) -> None:
        await interaction.response.edit_message(content=f"chose {select.values[0]}", view=None)


class Form(nextcord.ui.Modal):
    """One text input."""

    def __init__(self) -> None:
        super().__init__("Tell")
        self.word = nextcord.ui.TextInput("Word")  # type: ignore[var-annotated]  # nextcord's
        self.add_item(self.word)

    async def callback(self, interaction: Interaction) -> None:
        await interaction.response.send_message(f"you said {self.word.value}")


def add_commands(bot: commands.Bot) -> None:
    @bot.command()
    async def menu(context: commands.Context[commands.Bot]) -> None:
        embed = nextcord.Embed(title="Menu", description="choose")
        await context.send(embed=embed, view=Pages())

    @bot.command()
    async def size(context: commands.Context[commands.Bot]) -> None:
        data = await context.message.attachments[0].read()
        await context.reply(f"{len(data)} bytes", file=nextcord.File(__file__, "code.py"))

    @bot.command()
    async def away(context: commands.Context[commands.Bot], member: nextcord.Member) -> None:
        await member.move_to(None)
        await member.edit(nick="gone")
        await context.message.add_reaction("👋")

    @bot.slash_command(description="says it back")  # type: ignore[untyped-decorator]  # nextcord's
    async def echo(interaction: Interaction, text: str, loud: bool = False) -> None:  # noqa: FBT001, FBT002  # an option of the command
        await interaction.response.defer()
        await interaction.followup.send(text.upper() if loud else text)

    @echo.on_autocomplete("text")  # type: ignore[untyped-decorator]  # nextcord's
    async def complete(interaction: Interaction, text: str) -> None:
        await interaction.response.send_autocomplete([f"{text}!", f"{text}?"])

    @bot.user_command(name="Greet")  # type: ignore[untyped-decorator]  # nextcord's
    async def greet(interaction: Interaction, member: nextcord.Member) -> None:
        await interaction.send(f"hello {member.name}", ephemeral=True)


@dataclass(frozen=True)
class Place:
    discord: Simulator
    guild: Guild
    general: TextChannel
    lounge: VoiceChannel
    ada: Member
    bot: commands.Bot


@pytest.fixture
async def place(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    async with Simulator(voice=False, identify_every=0) as discord:
        guild = discord.add_guild("Club")
        general, lounge = guild.add_text_channel("general"), guild.add_voice_channel("Lounge")
        monkeypatch.setattr(nextcord.http.Route, "BASE", discord.api_url)
        bot = commands.Bot("!", intents=nextcord.Intents.all(), guild_ready_timeout=0.02)
        add_commands(bot)
        running = asyncio.create_task(bot.start(discord.token))
        ready = asyncio.create_task(bot.wait_until_ready())
        try:
            await asyncio.wait({running, ready}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
            assert not running.done(), running.exception()
            yield Place(discord, guild, general, lounge, guild.add_member("Ada"), bot)
        finally:
            await bot.close()
            ready.cancel()
            await asyncio.gather(running, ready, return_exceptions=True)


async def test_bot_knows_its_guild(place: Place) -> None:
    guild = place.bot.get_guild(place.guild.id)
    assert guild is not None
    assert guild.name == "Club"
    assert {channel.name for channel in guild.channels} == {"general", "Lounge"}
    assert guild.me.guild_permissions.manage_messages


async def test_button_is_acknowledged_and_followed_up(place: Place) -> None:
    sent = await place.ada.say(place.general, "!menu")
    menu = await place.general.expect(title="Menu", author=place.discord.bot, after=sent)
    outcome = await place.ada.click(menu, "Next")
    assert (outcome.acknowledged, outcome.callback_type) == (True, 6)
    await menu.changes(text="page 2")
    assert await outcome.answer(text="psst") in place.ada.private_messages.messages


async def test_list_and_form_reach_their_callbacks(place: Place) -> None:
    sent = await place.ada.say(place.general, "!menu")
    menu = await place.general.expect(title="Menu", after=sent)
    modal = (await place.ada.click(menu, "Ask")).modal
    assert modal is not None
    outcome = await place.ada.submit(modal, {"Word": "hush"})
    assert await outcome.answer(text="you said hush")
    await place.ada.select(menu, ["Two"])
    await menu.changes(text="chose Two")
    assert menu.selects == []


async def test_slash_command_with_autocomplete_and_menu(place: Place) -> None:
    await place.discord.expect_commands("echo", "Greet")
    choices = await place.ada.autocomplete(place.general, "echo", typing="text", text="hey")
    assert [choice["value"] for choice in choices] == ["hey!", "hey?"]
    outcome = await place.ada.slash(place.general, "echo", text="hey", loud=True)
    answer = await outcome.answer(text="HEY")
    assert answer is outcome.response
    greeted = await place.ada.user_menu("Greet", place.guild.owner, channel=place.general)
    assert (await greeted.answer(text="hello owner")).ephemeral


async def test_second_start_registers_nothing_anew(place: Place) -> None:
    await place.discord.expect_commands("echo", "Greet")
    again = commands.Bot("!", intents=nextcord.Intents.all(), guild_ready_timeout=0.02)
    add_commands(again)
    begin = place.discord.clock.monotonic()
    running = asyncio.create_task(again.start(place.discord.token))
    await place.discord.expect_request("GET /applications/*/commands", after=begin)
    await asyncio.wait_for(again.wait_until_ready(), 5)
    await again.close()
    await asyncio.gather(running, return_exceptions=True)
    written = [r for r in place.discord.requests if r.at >= begin and r.method in {"POST", "PATCH"}]
    assert written == []


async def test_files_go_both_ways(place: Place) -> None:
    sent = await place.ada.say(place.general, "!size", attachments=[Upload("a.bin", b"12345")])
    answer = await place.general.expect(text="5 bytes", after=sent)
    assert answer.replied_to is sent
    assert answer.attachments[0]["filename"] == "code.py"
    assert place.ada.user in answer.pinged_users


async def test_member_is_disconnected_renamed_and_waved_at(place: Place) -> None:
    await place.ada.join(place.lounge)
    sent = await place.ada.say(place.general, f"!away {place.ada.mention}")
    await sent.news.until(lambda: "👋" in sent.reactions or None, within=5)
    assert place.ada.voice is None
    assert place.ada.nick == "gone"
    assert "👋" in sent.reactions


async def test_bot_resumes_after_a_cut_and_misses_nothing(place: Place) -> None:
    gateway = place.discord.gateway
    place.discord.faults.drop_gateway()
    await gateway.news.until(lambda: gateway.counts["closed"] or None, within=5)
    sent = await place.ada.say(place.general, "!menu")
    await place.general.expect(title="Menu", after=sent, within=10)
    assert gateway.counts["resumed"] == 1
    assert gateway.counts["identified"] == 1


async def test_click_that_nobody_answers_fails_before_the_member(place: Place) -> None:
    channel = place.bot.get_channel(place.general.id)
    assert isinstance(channel, nextcord.TextChannel)
    view = nextcord.ui.View()
    view.add_item(nextcord.ui.Button(label="Dead", custom_id="dead"))
    posted = await channel.send("x", view=view)
    view.stop()
    outcome = await place.ada.click(place.discord.world.messages[posted.id], "Dead")
    assert outcome.failed_text == "This interaction failed"


async def test_refusals_arrive_as_nextcords_exceptions(place: Place) -> None:
    channel = place.bot.get_channel(place.general.id)
    assert isinstance(channel, nextcord.TextChannel)
    with pytest.raises(nextcord.HTTPException, match=r"50035.*\nIn content: Must be 2000"):
        await channel.send("x" * 2001)
    with pytest.raises(nextcord.NotFound, match="10008"):
        await channel.fetch_message(5)
    said = await place.ada.say(place.general, "x")
    message = await channel.fetch_message(said.id)
    with pytest.raises(nextcord.Forbidden, match="50005"):
        await message.edit(content="y")


async def test_twelve_messages_are_held_back_by_the_sliding_window(place: Place) -> None:
    channel = place.bot.get_channel(place.general.id)
    assert isinstance(channel, nextcord.TextChannel)
    await asyncio.gather(*(channel.send(str(number)) for number in range(6)))
    assert len(place.general.messages) == 6
    assert place.general.messages[5].sent_at - place.general.messages[0].sent_at >= 5
