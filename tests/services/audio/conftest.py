"""Fixtures of the player's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.services.audio.player_world import PlayerWorld


@pytest.fixture(params=[True, False], ids=["gapless", "plain"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[PlayerWorld]:
    """A bot that has come up, with a node that takes the next track, and with one that cannot."""
    world = PlayerWorld(gapless=request.param)
    await world.start()
    yield world
    await world.player.close()
