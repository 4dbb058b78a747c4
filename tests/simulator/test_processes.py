"""The real bot is started, killed, started again and never left behind."""

import psutil
import pytest

from tests.simulator import Simulator
from tests.simulator.processes import BotProcess

pytestmark = pytest.mark.e2e


async def test_bot_is_ready_killed_and_started_again_with_its_data() -> None:
    async with Simulator(identify_every=0) as discord:
        general = (guild := discord.add_guild("Club")).add_text_channel("general")
        ada = guild.add_member("Ada")
        async with BotProcess(discord) as bot:
            first, node = bot.pid, bot.node_pid
            sent = await ada.say(general, "!help")
            await general.expect(author=discord.bot, after=sent)
            await bot.kill()
            assert not psutil.pid_exists(first)
            assert bot.status == -9
            assert bot.data_dir.exists()
            await bot.start()
            await bot.ready()
            assert bot.pid != first
            sent = await ada.say(general, "!help")
            await general.expect(author=discord.bot, after=sent)
            pids = (bot.pid, node, bot.node_pid)
    left = [pid for pid in pids if pid is not None and _runs(pid)]
    assert left == []


async def test_bot_that_cannot_start_shows_its_log() -> None:
    async with Simulator(voice=False) as discord:
        bot = BotProcess(discord, environment={"DISCORD_API_URL": "nonsense"})
        with pytest.raises(AssertionError, match="DISCORD_API_URL") as failure:
            await bot.__aenter__()
        assert "ended: 78" in str(failure.value)


async def test_bot_ends_cleanly_on_request() -> None:
    async with Simulator(voice=False) as discord:
        discord.add_guild("Club")
        async with BotProcess(discord) as bot:
            assert await bot.terminate() == 0
            assert not discord.gateway.live_sessions


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
