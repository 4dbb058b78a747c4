"""Positions within a track, repeats and silence, as they are heard and read."""

from pathlib import Path

import pytest

from tests.e2e.house import NOW, REFUSED, Room
from tests.simulator import Upload
from tests.simulator.tones import write_tones

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory) -> Upload:
    """Half a minute each of 440, 660 and 880 Hz."""
    return melody(tmp_path_factory.mktemp("scale"), (440, 30), (660, 30), (880, 30))


def melody(folder: Path, *notes: tuple[float, float]) -> Upload:
    """Return a file of these pitches and lengths."""
    path = write_tones(folder / "melody.mp3", notes)
    return Upload(path.name, path.read_bytes())


async def plays(room: Room, upload: Upload) -> None:
    """Let Ada play a file that begins with 440 Hz."""
    await room.ada.join(room.lounge)
    sent = await room.ada.say(room.general, "!play", attachments=[upload])
    await room.general.expect(title=NOW, after=sent, within=10)
    await room.guild.hears(440)


async def test_seek_is_heard_from_the_beginning_and_from_here(room: Room, scale: Upload) -> None:
    await plays(room, scale)
    forward = await room.says(room.ada, "!seek 1:05", title="Forward")
    assert "`1:05`" in forward.text
    await room.guild.hears(880)
    outcome = await room.ada.slash(room.general, "seek", time="-30s")
    await outcome.answer(title="Back")
    await room.guild.hears(660)
    await room.says(room.ada, "!seek +30s", title="Forward")
    await room.guild.hears(880)
    beyond = await room.says(room.ada, "!seek 2:00", title=REFUSED)
    assert "1:30 long" in beyond.text


async def test_replay_is_heard_from_the_beginning(room: Room, scale: Upload) -> None:
    await plays(room, scale)
    await room.says(room.ada, "!seek 45", title="Forward")
    await room.guild.hears(660)
    await room.says(room.ada, "!replay", title="From the beginning")
    await room.guild.hears(440)


async def test_looped_track_is_heard_twice(room: Room, tmp_path: Path) -> None:
    await plays(room, melody(tmp_path, (440, 2), (660, 2)))
    await room.says(room.ada, "!loop track", title="Looping the track")
    await room.queues(880)
    for hz in (660, 440, 660, 440):
        await room.guild.hears(hz)
    outcome = await room.ada.slash(room.general, "loop", mode="off")
    await outcome.answer(title="Loop off")
    await room.guild.hears(880, within=8)


async def test_looped_queue_comes_round(room: Room) -> None:
    await room.plays(440, seconds=4)
    await room.says(room.ada, "!loop queue", title="Looping the queue")
    await room.queues(880, seconds=3)
    await room.guild.hears(880, within=8)
    await room.guild.hears(440, within=8)
    await room.guild.hears(880, within=8)


async def test_silent_session_announces_no_further_track(room: Room) -> None:
    first = await room.plays(440)
    await room.says(room.ada, "!shh", title="Silent")
    await room.queues(880)
    await room.says(room.ada, "!skip", title="Skipped")
    await room.guild.hears(880)
    assert room.titles(first).count("🎶 Now playing") == 0
    outcome = await room.ada.slash(room.general, "silent", state="off")
    await outcome.answer(title="Not silent")
    await room.queues(550)
    await room.says(room.ada, "!skip", title="Skipped")
    await room.general.expect(title=NOW, text="550", after=first)
