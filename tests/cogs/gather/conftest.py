"""What the tests of gather's commands, buttons and messages stand on."""

from collections.abc import AsyncIterator

import pytest

from tests.cogs.gather.hall import Hall


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    """Ada and Ben, and a bot, in the lounge."""
    hall = Hall()
    yield hall
    await hall.close()
    await hall.guild.messages.close()
