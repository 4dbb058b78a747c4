"""What the tests of cogs stand on."""

from collections.abc import AsyncIterator

import pytest

from tests.cogs.studio import Studio


@pytest.fixture
async def studio() -> AsyncIterator[Studio]:
    """A guild in which nothing plays yet."""
    studio = Studio()
    yield studio
    await studio.close()
