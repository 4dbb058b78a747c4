"""Help names every command as it is written here."""

from tests.cogs.studio import Studio


async def test_help_lists_every_command(studio: Studio) -> None:
    await studio.say("!help")
    message = studio.guild.outbox.messages[studio.guild.outbox.newest_id()]
    listed = "\n".join(field["value"] for field in message["embeds"][0]["fields"])
    for bound in studio.commands:
        assert f"`!{bound.spec.name}`" in listed
        assert bound.spec.summary in listed


async def test_help_for_one_command_has_usage_aliases_and_examples(studio: Studio) -> None:
    await studio.say("!help vol")
    message = studio.guild.outbox.messages[studio.guild.outbox.newest_id()]
    shown = str(message["embeds"][0])
    for part in ("!volume [percent]", "`vol`", "`!volume 200!`", "kept for this server"):
        assert part in shown


async def test_help_with_the_prefix_written_is_understood(studio: Studio) -> None:
    await studio.say("!help !play")
    assert studio.seen == ["📖 !play"]


async def test_help_for_an_unknown_command_finds_nothing(studio: Studio) -> None:
    await studio.say("!help `dance`")
    assert studio.seen == ["🔍 Nothing found"]
    assert studio.text().count("`") == 2
