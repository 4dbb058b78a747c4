"""A hundred guilds at the same moment, under Discord's rate limits."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from services.audio.placed_tracks import PlacedTrack, QueueChanges
from services.audio.player_state import LoopMode
from services.audio.player_store import PlayerDelta, PlayerRecord
from services.audio.repository import PlayerRepository
from services.audio.track import Source, Track
from services.db.engine import open_engine
from services.db.schema import upgrade
from services.db.unit_of_work import UnitOfWork
from tests.benchmarks.child import Child
from tests.benchmarks.clicking import NAIVE
from tests.benchmarks.report import Row, at_most, number, part, percentile
from tests.simulator import Guild, Member, SimMessage, Simulator, TextChannel
from tests.simulator.processes import BotProcess

_GUILDS = 100
_TRACKS = 25
_PATIENCE_SECONDS = 20.0
_LIMIT_MS = 1500.0
_ORDER_GAP = 1 << 32


@dataclass(frozen=True, slots=True)
class _Asking:
    guild: Guild
    channel: TextChannel
    member: Member


@dataclass(frozen=True, slots=True)
class _Measured:
    """Milliseconds from asking to the answer, and from the click to the next page."""

    answers: list[float]
    pages: list[float]
    refused: int


@part("guilds", limit_s=120)
async def many_guilds_at_once() -> list[Row]:
    """100 guilds ask for their queue at once, then all turn a page; rate limits are on."""
    ours = await _with(_real_bot)
    naive = await _with(_naive_bot)
    return [
        _row(f"{_GUILDS} times `queue`: last answer", ours.answers, naive.answers, ours.refused),
        _row(
            f"{_GUILDS} times the next page: last page shown", ours.pages, naive.pages, ours.refused
        ),
    ]


def _row(what: str, ours: list[float], naive: list[float], refused: int) -> Row:
    note = f"p50 {number(percentile(ours, 50))}, {len(ours)} came, {refused} requests refused"
    baseline = f"{number(percentile(naive, 100))} ms, {len(naive)} of {_GUILDS} came"
    row = at_most(what, max(ours), _LIMIT_MS, unit="ms", note=note, baseline=baseline)
    if len(ours) < _GUILDS:
        return Row(what=row.what, measured=row.measured, target=row.target, met=False)
    return row


type _Serve = Callable[[Simulator, Sequence[_Asking]], Awaitable[_Measured]]


async def _with(serve: _Serve) -> _Measured:
    async with Simulator(voice=False) as discord:
        rooms = []
        for index in range(_GUILDS):
            guild = discord.add_guild(f"Guild {index}")
            rooms.append(
                _Asking(guild, guild.add_text_channel("music"), guild.add_member(f"Asker {index}"))
            )
        return await serve(discord, rooms)


async def _real_bot(discord: Simulator, rooms: Sequence[_Asking]) -> _Measured:
    with TemporaryDirectory(prefix="bench-guilds-") as folder:
        data = Path(folder)
        await _fill_queues(data, [room.guild.id for room in rooms])
        async with BotProcess(discord, data_dir=data):
            await asyncio.sleep(1.5)  # what the start has asked of Discord is no part of it
            return await _measure(discord, rooms)


async def _naive_bot(discord: Simulator, rooms: Sequence[_Asking]) -> _Measured:
    environment = {
        "DISCORD_API_URL": discord.api_url,
        "DISCORD_TOKEN": discord.token,
        "BENCH_TRACKS": str(_TRACKS),
    }
    async with Child(NAIVE, environment=environment):
        await asyncio.sleep(1.5)
        return await _measure(discord, rooms)


async def _measure(discord: Simulator, rooms: Sequence[_Asking]) -> _Measured:
    began = time.monotonic()
    asked = [await room.member.say(room.channel, "!queue") for room in rooms]
    coming = [_answer(discord, room, sent) for room, sent in zip(rooms, asked, strict=True)]
    menus = [menu for menu in await asyncio.gather(*coming) if menu is not None]
    answers = [(menu.sent_at - began) * 1000 for menu in menus]
    await asyncio.sleep(1.0)  # members read before they click
    askers = {room.channel.id: room.member for room in rooms}
    began = time.monotonic()
    for menu in menus:
        askers[menu.channel.id].click_soon(menu, "▶")
    shown = await asyncio.gather(*(_second_page(menu) for menu in menus))
    pages = [(at - began) * 1000 for at in shown if at is not None]
    return _Measured(answers, pages, len(discord.rate_limit_hits))


async def _answer(discord: Simulator, room: _Asking, sent: SimMessage) -> SimMessage | None:
    try:
        return await room.channel.feed.expect(
            author=discord.bot,
            after=sent,
            where=lambda message: "▶" in message.labels,
            within=_PATIENCE_SECONDS,
        )
    except AssertionError:
        return None


async def _second_page(menu: SimMessage) -> float | None:
    def shown() -> float | None:
        on_it = any(str(button.get("label", "")).startswith("2/") for button in menu.buttons)
        return menu.latest.at if on_it else None

    return await menu.news.until(shown, _PATIENCE_SECONDS)


async def _fill_queues(data_dir: Path, guild_ids: Sequence[int]) -> None:
    """Store queues as an earlier run of the bot would have left them."""
    url = f"sqlite+aiosqlite:///{data_dir / 'bot.sqlite3'}"
    await upgrade(url)
    database = UnitOfWork(open_engine(url))
    await PlayerRepository(database).write([_stored(guild_id) for guild_id in guild_ids])
    await database.close()


def _stored(guild_id: int) -> PlayerDelta:
    placed = tuple(
        PlacedTrack(index + 1, index * _ORDER_GAP, _track(index)) for index in range(_TRACKS)
    )
    record = PlayerRecord(
        guild_id=guild_id,
        voice_channel_id=None,
        text_channel_id=None,
        current_entry_id=None,
        play_id=None,
        position_ms=0,
        paused=False,
        paused_by=None,
        volume=100,
        loop=LoopMode.OFF,
        silent=False,
    )
    return PlayerDelta(record=record, queue=QueueChanges(placed=placed), played=())


def _track(index: int) -> Track:
    return Track(
        url=f"https://example.com/{index}",
        title=f"Track {index + 1}",
        source=Source.SITE,
        requested_by=1,
        duration_ms=180_000,
    )
