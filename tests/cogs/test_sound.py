"""The volume: shown, set, forced above 100, and kept."""

import pytest

from bot.kit.converters import WrongArgument
from cogs.sound import parse_volume
from tests.cogs.studio import Studio
from tests.fakes.discord_guild import CARA, GUILD


@pytest.mark.parametrize(
    ("text", "percent"),
    [("1", 1), ("100", 100), ("80%", 80), ("200!", 200), ("500!", 500), ("50 !", 50), ("7!", 7)],
)
def test_volume_is_read(text: str, percent: int) -> None:
    assert parse_volume(text).percent == percent


@pytest.mark.parametrize("text", ["0", "101", "501!", "-5", "loud", "", "!", "9" * 50, "1.5"])
def test_volume_outside_of_its_limits_is_refused(text: str) -> None:
    with pytest.raises(WrongArgument):
        parse_volume(text)


def test_volume_above_100_says_how_to_force_it() -> None:
    with pytest.raises(WrongArgument, match="150!"):
        parse_volume("150")


async def test_volume_set_is_heard_at_once_and_shown(studio: Studio) -> None:
    await studio.start_with("one")
    await studio.say("!vol 60")
    assert studio.node.sounds[GUILD].volume == 60
    assert studio.seen == ["🔊 Volume 60 %"]
    await studio.say("!volume", by=CARA)
    assert studio.seen == ["🔊 Volume 60 %", "🔊 Volume 60 %"]


async def test_volume_is_kept_for_later_tracks(studio: Studio) -> None:
    await studio.say("!volume 200!")
    await studio.start_with("one")
    assert studio.node.sounds[GUILD].volume == 200
    assert studio.store.guilds[GUILD].record.volume == 200


async def test_volume_from_outside_of_voice_is_refused(studio: Studio) -> None:
    await studio.say("!volume 60", by=CARA)
    assert studio.seen == ["⛔ That cannot be done"]


async def test_volume_wrong_reads_the_usage(studio: Studio) -> None:
    await studio.say("!volume 150")
    assert studio.seen == ["📖 Usage"]
    assert "`!volume [percent]`" in studio.text()
