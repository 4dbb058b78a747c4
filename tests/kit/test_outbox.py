"""Messages go out once, whole, with their files, against a stand-in as strict as Discord."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from nextcord.http import Route

from bot.kit.outbox import Enclosure, HttpOutbox
from bot.kit.replies import info
from bot.kit.rest import PatientHTTP
from services.clock import SystemClock
from tests.simulator.channel import TextChannel
from tests.simulator.simulator import Simulator

BODY = info("📄 A card", "with words").body()


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    async with Simulator(voice=False) as discord:
        monkeypatch.setattr(Route, "BASE", discord.api_url)
        yield discord


@pytest.fixture
async def outbox(discord: Simulator) -> AsyncIterator[HttpOutbox]:
    http = PatientHTTP(aiohttp.TCPConnector(), clock=SystemClock(), dispatch=lambda *_: None)
    http.set_default_auth(f"Bot {discord.token}")
    yield HttpOutbox(http)
    await http.close()


@pytest.fixture
def channel(discord: Simulator) -> TextChannel:
    return discord.add_guild("Guild").add_text_channel("general")


async def test_message_with_the_same_nonce_is_sent_once(
    outbox: HttpOutbox, channel: TextChannel
) -> None:
    first = await outbox.post(channel.id, BODY, nonce="gathering-7")
    second = await outbox.post(channel.id, BODY, nonce="gathering-7")

    assert first == second
    assert [message.title for message in channel.messages] == ["📄 A card"]


async def test_messages_without_a_nonce_of_their_own_are_different_ones(
    outbox: HttpOutbox, channel: TextChannel
) -> None:
    await outbox.post(channel.id, BODY)
    await outbox.post(channel.id, BODY)

    assert len(channel.messages) == 2


async def test_message_carries_its_files(outbox: HttpOutbox, channel: TextChannel) -> None:
    table = Enclosure("attendance.csv", b"user,arrived\nAda,on time\n", "text/csv")
    await outbox.post(channel.id, BODY, nonce="with-a-file", files=(table,))

    [message] = channel.messages
    assert message.title == "📄 A card"
    [attachment] = message.attachments
    assert (attachment["filename"], attachment["size"]) == ("attendance.csv", 25)
    async with aiohttp.ClientSession() as session, session.get(attachment["url"]) as response:
        assert await response.read() == table.content
