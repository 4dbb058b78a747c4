"""Voice channels that the bot cannot join, loses, or is alone in: clear words, no dead end."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.house import ADDED, NOW, REFUSED, House, Room
from tests.simulator import Permission

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

_ALONE_SECONDS = 1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    """A bot that loses its patience quickly."""
    async with House(ALONE_LEAVE_SECONDS=str(_ALONE_SECONDS), IDLE_LEAVE_SECONDS="3") as house:
        yield house


# ── not let in ──────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("permission", "called"),
    [
        (Permission.VIEW_CHANNEL, "View Channel"),
        (Permission.CONNECT, "Connect"),
        (Permission.SPEAK, "Speak"),
    ],
)
async def test_missing_permission_is_named_and_granting_it_is_enough(
    room: Room, permission: Permission, called: str
) -> None:
    me = room.guild.me
    room.lounge.deny(me, permission)
    await room.ada.join(room.lounge)
    sent = await room.ada.say(room.general, f"!play {room.tone(440)}")
    refusal = await room.general.expect(title=REFUSED, after=sent)
    assert called in refusal.text
    assert (await room.ada.slash(room.general, "join")).acknowledged
    assert room.guild.bot_channel is None
    assert ADDED not in " ".join(room.titles(sent))
    room.lounge.allow(me, permission)
    await room.plays(440)


async def test_nobody_in_voice_is_told_what_to_do_by_both_ways_of_asking(room: Room) -> None:
    typed = await room.says(room.ada, f"!play {room.tone(440)}", title=REFUSED)
    chosen = await (await room.ada.slash(room.general, "play", query=room.tone(440))).answer(
        title=REFUSED
    )
    assert "Join a voice channel" in typed.text
    assert typed.text == chosen.text
    await room.plays(440)


async def test_full_channel_is_refused_until_somebody_leaves(room: Room) -> None:
    small = room.guild.add_voice_channel("Small", user_limit=2)
    small.deny(room.guild.me, Permission.MOVE_MEMBERS)
    await room.ada.join(small)
    await room.ben.join(small)
    refusal = await room.says(room.ada, f"!play {room.tone(440)}", title=REFUSED)
    assert "full" in refusal.text
    assert room.guild.bot_channel is None
    await room.ben.leave()
    await room.plays(440)


async def test_full_channel_lets_a_bot_in_that_may_move_members(room: Room) -> None:
    small = room.guild.add_voice_channel("Small", user_limit=1)
    await room.ada.join(small)
    await room.plays(440)


async def test_stage_is_refused_in_words(room: Room) -> None:
    stage = room.guild.add_stage_channel("Stage")
    await room.ada.join(stage)
    refusal = await room.says(room.ada, f"!play {room.tone(440)}", title=REFUSED)
    assert stage.mention in refusal.text
    assert room.guild.bot_channel is None


async def test_who_sits_elsewhere_changes_nothing_by_any_command(room: Room) -> None:
    await room.plays(440)
    await room.queues(550)
    began = room.guild.world.clock.monotonic()
    await room.ben.join(room.attic)
    for command in ("pause", "skip", "stop", "leave", "join"):
        outcome = await room.ben.slash(room.general, command)
        assert room.lounge.mention in (await outcome.answer(title=REFUSED)).text
    outcome = await room.ben.slash(room.general, "playnow", query=room.tone(880))
    assert room.lounge.mention in (await outcome.answer(title=REFUSED)).text
    assert room.guild.bot_channel is room.lounge
    await room.guild.hears(440)
    assert room.guild.ear.gaps(since=began).lost == 0
    queue = await room.says(room.ben, "!queue", title="Queue")
    assert "550 Hz" in queue.text


# ── Discord is slow, or says nothing ────────────────────────────────────────
async def test_discord_that_lets_in_late_is_waited_for(room: Room, house: House) -> None:
    house.discord.faults.delay_voice_events(2.5)
    await room.ada.join(room.lounge)
    sent = await room.ada.say(room.general, f"!play {room.tone(440)}")
    await room.guild.hears(440, within=10)
    assert room.titles(sent)[:2] == ["⏳ Queuing…", "✅ Added to queue"]


async def test_discord_that_never_lets_in_is_a_refusal_and_no_dead_end(
    room: Room, house: House
) -> None:
    house.discord.faults.hold_voice_events()
    await room.ada.join(room.lounge)
    sent = await room.ada.say(room.general, f"!play {room.tone(440)}")
    refusal = await room.general.expect(title=REFUSED, after=sent, within=15)
    assert room.lounge.mention in refusal.text
    assert ADDED not in " ".join(room.titles(sent))
    house.discord.faults.release_voice_events()
    await room.plays(440)
    await room.says(room.ada, "!skip", title="Skipped")
    await room.guild.silence()


# ── the channel is lost ─────────────────────────────────────────────────────
async def test_deleted_channel_ends_the_session_and_another_one_begins(room: Room) -> None:
    now = await room.plays(440)
    room.lounge.delete()
    goodbye = await room.general.expect(title="Goodbye", after=now)
    assert "removed" in goodbye.text
    await room.guild.silence()
    await room.ada.join(room.attic)
    await room.plays(880)
    assert room.guild.bot_channel is room.attic


async def test_channel_lost_while_a_link_is_looked_at_is_no_success(
    room: Room, house: House
) -> None:
    gate = house.site.misbehaviour.gate
    gate.clear()
    await room.ada.join(room.lounge)
    sent = await room.ada.say(room.general, f"!play {room.site.url('/held/440/60.mp3')}")
    await room.guild.bot_joins(room.lounge)
    room.lounge.delete()
    await room.general.expect(title="Goodbye", after=sent)
    gate.set()
    refusal = await room.general.expect(title=REFUSED, after=sent)
    assert "no voice channel" in refusal.text
    assert ADDED not in " ".join(room.titles(sent))
    assert room.guild.bot_channel is None


async def test_bot_dragged_to_and_fro_plays_where_it_is_left(room: Room) -> None:
    await room.plays(440)
    cellar = room.guild.add_voice_channel("Cellar")
    await room.ben.join(cellar)
    for channel in (room.attic, room.lounge, room.attic, cellar):
        await room.guild.move_bot(channel)
    await room.general.expect(title="Moved", text=cellar.mention)
    await room.guild.hears(440)
    assert room.guild.bot_channel is cellar
    await room.says(room.ben, "!pause", title="Paused")
    await room.guild.silence()


async def test_bot_kicked_from_the_server_leaves_the_others_alone(room: Room, house: House) -> None:
    other = house.room()
    await room.plays(440)
    await other.plays(880)
    began = other.guild.world.clock.monotonic()
    room.guild.remove_bot()
    await other.queues(990)
    await other.guild.hears(880)
    assert other.guild.ear.gaps(since=began).lost == 0


async def test_server_outage_does_not_end_the_music(room: Room) -> None:
    await room.plays(440)
    began = room.guild.world.clock.monotonic()
    room.guild.goes_down()
    room.guild.goes_down(unavailable=False)
    await room.says(room.ada, "!np", title=NOW)
    await room.queues(880)
    await room.guild.hears(440)
    assert room.guild.ear.gaps(since=began).lost == 0


# ── nobody listens ──────────────────────────────────────────────────────────
async def test_another_bot_is_no_listener(room: Room) -> None:
    robot = room.guild.add_member("Robot", bot=True)
    await robot.join(room.lounge)
    now = await room.plays(440)
    await room.ada.leave()
    await room.general.expect(title="Goodbye", after=now)
    await room.guild.bot_leaves()


async def test_listener_who_is_back_in_time_keeps_the_bot(room: Room) -> None:
    now = await room.plays(440)
    await room.ada.leave()
    await room.ada.join(room.lounge)
    await room.general.feed.nothing(title="Goodbye", seconds=2 * _ALONE_SECONDS)
    assert not now.deleted
    await room.guild.hears(440)


async def test_paused_bot_left_alone_leaves_too(room: Room) -> None:
    now = await room.plays(440)
    await room.says(room.ada, "!pause", title="Paused")
    await room.ada.leave()
    await room.general.expect(title="Goodbye", after=now)
    await room.guild.bot_leaves()


async def test_stopped_bot_says_goodbye_after_a_while(room: Room) -> None:
    await room.plays(440)
    stopped = await room.says(room.ada, "!stop", title="Stopped")
    goodbye = await room.general.expect(title="Goodbye", after=stopped, within=8)
    assert "for a while" in goodbye.text
    await room.guild.bot_leaves()


async def test_joined_bot_that_is_given_nothing_to_do_leaves(room: Room) -> None:
    await room.ada.join(room.lounge)
    joined = await room.says(room.ada, "!join", title="Joined")
    await room.general.expect(title="Goodbye", after=joined, within=8)
    await room.guild.bot_leaves()
