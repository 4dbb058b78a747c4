"""`!play` with the real bot, node and sound: what is read, in which order, and what is heard."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.house import ADDED, FAILED, NOW, REFUSED, Room
from tests.simulator import Permission, Upload
from tests.simulator.tones import write_tone

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_play_url_is_read_in_order_and_heard(room: Room) -> None:
    await room.ada.join(room.lounge)
    sent = await room.ada.say(room.general, f"!play {room.tone(440)}")
    await room.general.expect(title=NOW, after=sent, within=10)
    assert room.titles(sent) == ["⏳ Queuing…", "✅ Added to queue", "🎶 Now playing"]
    await room.guild.hears(440)


async def test_play_search_picks_and_the_picker_disappears(room: Room) -> None:
    await room.ada.join(room.lounge)
    picker = await room.says(room.ada, "!play low tide", title="Choose a track", within=15)
    assert picker.labels == ["1", "2", "3", "Cancel"]
    outcome = await room.ada.click(picker, "2")
    assert outcome.acknowledged
    await room.general.expect(title=NOW, text="Lantern Song", after=picker, within=10)
    await room.guild.hears(550)
    assert picker.deleted


async def test_play_picker_of_somebody_else_refuses_privately(room: Room) -> None:
    await room.ada.join(room.lounge)
    picker = await room.says(room.ada, "!play low tide", title="Choose a track", within=15)
    outcome = await room.ben.click(picker, "1")
    assert outcome.acknowledged
    refusal = await outcome.answer()
    assert refusal.only_for is room.ben.user
    assert not picker.deleted
    await room.ada.click(picker, "Cancel")
    await room.general.feed.nothing(title=ADDED, seconds=0.3)
    assert picker.deleted


async def test_play_by_slash_is_the_same(room: Room) -> None:
    await room.ada.join(room.lounge)
    outcome = await room.ada.slash(room.general, "play", query=room.tone(660))
    assert outcome.callback_type == 5
    added = await outcome.answer(title=ADDED, within=10)
    await room.general.expect(title=NOW, after=added)
    await room.guild.hears(660)


async def test_play_attachment_is_heard(room: Room, tmp_path: Path) -> None:
    await room.ada.join(room.lounge)
    recording = tmp_path / "my tone.ogg"
    write_tone(recording, hz=770, seconds=5)
    file = Upload(recording.name, recording.read_bytes())
    sent = await room.ada.say(room.general, "!play", attachments=[file])
    now = await room.general.expect(title=NOW, after=sent, within=10)
    assert "my tone" in now.text
    await room.guild.hears(770)


async def test_playtop_while_paused_starts_at_once_and_play_resumes(room: Room) -> None:
    await room.plays(440)
    await room.says(room.ada, "!pause", title="Paused")
    await room.guild.silence()
    await room.says(room.ada, f"!playtop {room.tone(880)}", title=NOW)
    await room.guild.hears(880)
    await room.says(room.ada, "!pause", title="Paused")
    await room.guild.silence()
    await room.says(room.ada, f"!play {room.tone(550)}", title=ADDED)
    await room.guild.hears(880)


async def test_playnow_replaces_what_plays(room: Room) -> None:
    await room.plays(440)
    await room.queues(550)
    await room.says(room.ada, f"!playnow {room.tone(880)}", title=NOW)
    await room.guild.hears(880)
    queue = await room.says(room.ada, "!queue", title="Queue")
    assert "Tone of 880 Hz" in queue.text.split("Up next")[0]
    assert "`1.` [Tone of 550 Hz" in queue.text


# ── refusals ────────────────────────────────────────────────────────────────
async def test_play_outside_of_voice_is_refused(room: Room) -> None:
    refusal = await room.says(room.ada, f"!play {room.tone(440)}", title=REFUSED)
    assert "Join a voice channel" in refusal.text


async def test_play_from_another_channel_names_the_bots(room: Room) -> None:
    await room.plays(440)
    await room.ben.join(room.attic)
    refusal = await room.says(room.ben, f"!play {room.tone(550)}", title=REFUSED)
    assert room.lounge.mention in refusal.text


@pytest.mark.parametrize("permission", [Permission.CONNECT, Permission.SPEAK])
async def test_play_where_the_bot_may_not_sound_is_refused(
    room: Room, permission: Permission
) -> None:
    me = room.guild.me
    room.lounge.deny(me, permission)
    await room.ada.join(room.lounge)
    sent = await room.ada.say(room.general, f"!play {room.tone(440)}")
    await room.general.expect(title=REFUSED, after=sent, within=10)
    assert "✅ Added to queue" not in room.titles(sent)


async def test_play_into_a_full_channel_is_refused(room: Room) -> None:
    full = room.guild.add_voice_channel("Small", user_limit=1)
    full.deny(room.guild.me, Permission.MOVE_MEMBERS)  # that right would let it in
    await room.ada.join(full)
    sent = await room.ada.say(room.general, f"!play {room.tone(440)}")
    await room.general.expect(title=REFUSED, after=sent, within=10)
    assert "✅ Added to queue" not in room.titles(sent)


@pytest.mark.parametrize(
    "path",
    [
        "/missing/x.mp3",
        "/failing/x.mp3",
        "/page/x.mp3",
        "/garbage/x.mp3",
        "/hours/x.mp3",
        "/station/440/x.mp3",
        "/watch/epic",
        "/watch/radio",
        "/watch/removed",
        "/watch/secret",
        "/watch/silent-film",
    ],
)
async def test_play_what_cannot_be_played_reads_why_and_no_success(room: Room, path: str) -> None:
    await room.ada.join(room.lounge)
    sent = await room.ada.say(room.general, f"!play {room.site.url(path)}")
    answer = await room.general.expect(
        after=sent, where=lambda m: REFUSED in m.title or FAILED in m.title, within=20
    )
    assert answer.color == 0xED4245
    assert len(answer.text) > 20
    assert "✅ Added to queue" not in room.titles(sent)
    assert not any("Traceback" in message.text for message in room.general.messages)


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.1/x.mp3",
        "http://169.254.169.254/latest",
        "http://[::1]/x",
        "file:///etc/hosts",
    ],
)
async def test_play_private_address_is_refused(room: Room, address: str) -> None:
    await room.ada.join(room.lounge)
    await room.says(room.ada, f"!play {address}", title=REFUSED)


async def test_play_redirect_to_a_private_address_is_refused(room: Room) -> None:
    await room.ada.join(room.lounge)
    address = room.site.url("/redirect?to=http://10.0.0.1/x.mp3")
    await room.says(room.ada, f"!play {address}", title=REFUSED)


async def test_play_title_with_markup_is_only_text(room: Room) -> None:
    await room.ada.join(room.lounge)
    now = await room.says(room.ada, f"!play {room.site.url('/watch/markup')}", title=NOW, within=20)
    assert not now.mentions_everyone
    assert now.pinged_users == set()
    assert "\u202e" not in now.text
    assert "**bold**" not in now.text


async def test_play_list_of_ten_thousand_is_queued_and_the_bot_stays_awake(room: Room) -> None:
    await room.ada.join(room.lounge)
    sent = await room.ada.say(room.general, f"!play {room.site.url('/list/bomb')}")
    added = await room.general.expect(title=ADDED, after=sent, within=40)
    assert "tracks" in added.text
    queue = await room.says(room.ada, "!queue", title="Queue")
    outcome = await room.ada.click(queue, "▶")
    assert outcome.ack_ms is not None
    assert outcome.ack_ms < 1000


# ── Discord's failures ──────────────────────────────────────────────────────
async def test_play_while_discord_fails_now_and_then_still_plays(room: Room) -> None:
    await room.ada.join(room.lounge)
    faults = room.guild.world.faults
    faults.fail("POST /channels/*/messages", 502, times=2)
    faults.fail("POST /channels/*/messages", "429", times=1)
    await room.ada.say(room.general, f"!play {room.tone(440)}")
    await room.guild.hears(440, within=10)
    await room.general.expect(title=NOW, within=20)


async def test_play_where_the_bot_may_not_write_still_plays(room: Room) -> None:
    room.general.deny(room.guild.me, Permission.SEND_MESSAGES)
    await room.ada.join(room.lounge)
    await room.ada.say(room.general, f"!play {room.tone(440)}")
    await room.guild.hears(440, within=10)


async def test_play_three_hundred_commands_in_a_second_leave_the_bot_responsive(
    room: Room,
) -> None:
    await room.plays(440)
    await room.ben.join(room.lounge)
    await asyncio.gather(*(room.ada.say(room.general, "!np") for _ in range(300)))
    other = room.guild.add_text_channel("quiet")
    sent = await room.ben.say(other, "!volume")
    answer = await other.expect(title="Volume", after=sent, within=3)
    assert answer.title == "🔊 Volume 100 %"
