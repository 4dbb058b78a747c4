"""Scenes that take their time, played side by side: each in a guild of its own, one test for each.

SCENES = Scenes({"a slow site": slow_site, "a broken file": broken_file})

@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def played(house): ...  # async with SCENES.playing(house) as played: yield played

@pytest.mark.parametrize("scene", SCENES.names)
async def test_…(played, scene): await played[scene]
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from tests.e2e.house import House, Room

type Scene = Callable[[Room], Awaitable[None]]
type Played = Mapping[str, "asyncio.Task[None]"]


class Scenes:
    """Scenes by their names."""

    def __init__(self, scenes: Mapping[str, Scene]) -> None:
        self._scenes = scenes

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called, for `parametrize`."""
        return tuple(self._scenes)

    @asynccontextmanager
    async def playing(self, house: House) -> AsyncIterator[Played]:
        """Begin all of them now; each is over when its task is, or has failed with its error."""
        tasks = {
            name: asyncio.create_task(_play(scene, house.room()), name=name)
            for name, scene in self._scenes.items()
        }
        try:
            yield tasks
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _play(scene: Scene, room: Room) -> None:
    await scene(room)
    assert room.guild.ear.violations == []
