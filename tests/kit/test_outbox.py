"""Messages go out once, whole, with their files, against a stand-in as strict as Discord."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from nextcord.http import Route

from bot.kit.outbox import Enclosure, HttpOutbox, Rejected, Undelivered
from bot.kit.replies import Json, info
from bot.kit.rest import PatientHTTP
from services.clock import SystemClock
from tests.simulator.channel import TextChannel
from tests.simulator.permissions import Permission
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


# ── what Discord will never take, and what it may take later ────────────────
async def test_message_to_a_channel_that_is_gone_is_rejected(
    outbox: HttpOutbox, channel: TextChannel
) -> None:
    channel.delete()
    with pytest.raises(Rejected):
        await outbox.post(channel.id, BODY)


async def test_message_without_permission_is_rejected(
    outbox: HttpOutbox, channel: TextChannel
) -> None:
    channel.deny(channel.guild.me, Permission.SEND_MESSAGES)
    with pytest.raises(Rejected, match="403"):
        await outbox.post(channel.id, BODY)


async def test_message_while_discord_is_down_may_be_taken_later(
    outbox: HttpOutbox, channel: TextChannel, discord: Simulator
) -> None:
    discord.world.faults.fail("POST /channels/*/messages", 503, times=6)
    with pytest.raises(Undelivered) as caught:
        await outbox.post(channel.id, BODY)
    assert not isinstance(caught.value, Rejected)
    assert channel.messages == []


async def test_direct_message_reaches_a_member_unless_they_take_none(
    outbox: HttpOutbox, discord: Simulator
) -> None:
    ada = discord.add_guild("Guild").add_member("Ada")
    channel_id = await outbox.open_direct(ada.id)
    await outbox.post(channel_id, BODY)
    assert [message.title for message in ada.private_messages.messages] == ["📄 A card"]
    ada.user.accepts_direct_messages = False
    with pytest.raises(Rejected):
        await outbox.post(channel_id, BODY)


async def test_posted_message_is_found_among_many_from_a_moment_on(
    outbox: HttpOutbox, channel: TextChannel
) -> None:
    ada = channel.guild.add_member("Ada")
    await ada.say(channel, "before")
    since = datetime.now(UTC) - timedelta(milliseconds=5)
    for number in range(230):
        await ada.say(channel, f"line {number}")

    def is_line(number: int) -> Callable[[Json], bool]:
        return lambda message: message["content"] == f"line {number}"

    assert await outbox.find_posted(channel.id, since=since, where=is_line(229)) is not None
    assert await outbox.find_posted(channel.id, since=since, where=is_line(0)) is not None
    assert await outbox.find_posted(channel.id, since=since, where=is_line(999)) is None
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert await outbox.find_posted(channel.id, since=later, where=is_line(229)) is None
