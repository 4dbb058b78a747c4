"""The bot's status line, as everybody in its servers sees it."""

import pytest

from tests.e2e.house import House, Room

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def shows(house: House, line: str) -> None:
    """Wait until the newest gateway session shows the line."""
    gateway = house.discord.gateway

    def look() -> bool | None:
        sessions = gateway.live_sessions
        presence = sessions[-1].presence if sessions else None
        activities = (presence or {}).get("activities") or []
        return True if any(line in activity["name"] for activity in activities) else None

    assert await gateway.news.until(look, 15), line


async def test_presence_follows_the_music_and_outlives_a_gateway_session(
    room: Room, house: House
) -> None:
    await shows(house, "!help · waiting for !play")
    await room.plays(440)
    await shows(house, "Tone of 440 Hz")
    gateway = house.discord.gateway
    old = list(gateway.live_sessions)
    house.discord.world.faults.invalidate_session()
    await gateway.news.until(lambda: any(s not in old for s in gateway.live_sessions) or None, 20)
    await shows(house, "Tone of 440 Hz")
    await room.says(room.ada, "!stop", title="Stopped", within=15)
    await shows(house, "!help · waiting for !play")
