"""A guild with a voice channel, the real gather commands, buttons and messages; Discord is fake."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any
from zoneinfo import ZoneInfo

from bot.kit.clicks.click import Click
from bot.kit.clicks.custom_id import has_prefix
from bot.kit.clicks.durable import ClickConsumer
from bot.kit.command_runner import CommandRunner
from bot.kit.converters import Words
from bot.kit.dual_command import CommandSet
from bot.kit.pace import Pace
from bot.kit.paging import Paging
from bot.kit.people import GuildMember
from cogs.gather.board import Board
from cogs.gather.clicks import GatherClicks
from cogs.gather.commands import Gather
from cogs.gather.rooms import Human, Rooms
from cogs.gather.stage import DiscordStage
from services.errors import Refusal
from services.gather.gather_service import GatherService
from services.gather.gathering import Gathering
from services.gather.ports import MayNotDisconnect
from tests.fakes.discord_guild import GUILD, LOUNGE, TEXT, FakeGuild, in_voice, settle
from tests.fakes.gather_store import MemoryGatherStore
from tests.fakes.interaction_answer import FakeAnswer

BERLIN = ZoneInfo("Europe/Berlin")
ROLE = 300000000000000001
ADMIN = 1 << 3

type Json = dict[str, Any]


def member(number: int, name: str, **more: Any) -> GuildMember:
    return GuildMember(id=100000000000000000 + number, name=name, **more)


ADA, BEN, CLEO = member(1, "Ada"), member(2, "Ben"), member(3, "Cleo")
DAN = member(4, "Dan", permissions=ADMIN)
ROBOT = member(9, "Robot", is_bot=True)
EVERYBODY = {m.id: m for m in (ADA, BEN, CLEO, DAN, ROBOT)}


class FakeRooms(Rooms):
    """Voice channels as a dictionary from member to channel."""

    def __init__(self, at: dict[int, int | None]) -> None:
        self._at = at
        self.roles: dict[int, tuple[Human, ...]] = {}
        self.writable = True
        self.forbidden = False
        self.on_disconnect: Callable[[int], None] = lambda _user_id: None

    def people_in(self, guild_id: int, channel_id: int) -> frozenset[int] | None:
        people = (user_id for user_id, at in self._at.items() if at == channel_id)
        return frozenset(user_id for user_id in people if not EVERYBODY[user_id].is_bot)

    def name_of(self, guild_id: int, user_id: int) -> str | None:
        return EVERYBODY[user_id].name if user_id in EVERYBODY else None

    def may_write(self, guild_id: int, channel_id: int) -> bool:
        return self.writable

    async def humans_with_role(self, guild_id: int, role_id: int) -> tuple[Human, ...]:
        if role_id not in self.roles:
            raise Refusal("That is no role whose members can be expected.")
        return self.roles[role_id]

    async def gone_among(self, guild_id: int, user_ids: Iterable[int]) -> frozenset[int]:
        return frozenset(user_ids) - EVERYBODY.keys()

    async def disconnect(self, guild_id: int, channel_id: int, user_id: int) -> None:
        if self.forbidden:
            raise MayNotDisconnect("no permission")
        self.on_disconnect(user_id)


class Buttons:
    """Where the durable clicks go, as in the click stream."""

    def __init__(self) -> None:
        self._consumers: dict[str, tuple[ClickConsumer, bool]] = {}

    def durable(self, prefix: str, consumer: ClickConsumer, *, decides: bool = False) -> None:
        self._consumers[prefix] = (consumer, decides)

    async def press(self, click: Click) -> None:
        fitting = [prefix for prefix in self._consumers if has_prefix(click.custom_id, prefix)]
        consumer, decides = self._consumers[max(fitting, key=len)]
        if click.acknowledged or decides:
            await consumer(click)


class Members:
    """Everybody can be named."""

    def by_id(self, user_id: int) -> GuildMember | None:
        return EVERYBODY.get(user_id)

    def by_name(self, name: str) -> GuildMember | None:
        return next((m for m in EVERYBODY.values() if m.name == name), None)


class Hall:
    """What members can do and see."""

    def __init__(self) -> None:
        self.guild = FakeGuild()
        self.clock, self.outbox = self.guild.clock, self.guild.outbox
        self.at: dict[int, int | None] = {ADA.id: LOUNGE, BEN.id: LOUNGE, ROBOT.id: LOUNGE}
        self.rooms = FakeRooms(self.at)
        self.rooms.on_disconnect = lambda user_id: self.moves(EVERYBODY[user_id], None)
        self.store = MemoryGatherStore()
        self._numbers = itertools.count(1)
        self._comes_up()

    def _comes_up(self) -> None:
        def zone_of(_guild_id: int) -> ZoneInfo:
            return BERLIN

        self.board = Board(self.outbox, clock=self.clock, zone_of=zone_of)
        self.stage = DiscordStage(
            board=self.board, rooms=self.rooms, outbox=self.outbox, zone_of=zone_of
        )
        self.service = GatherService(store=self.store, stage=self.stage, clock=self.clock)
        self.clicks = GatherClicks(self.service, self.rooms, clock=self.clock)
        self.buttons = Buttons()
        self.clicks.register(self.buttons)
        self.paging = Paging(self.guild)
        self.commands = CommandSet()
        self.commands.add(
            Gather(
                service=self.service,
                rooms=self.rooms,
                paging=self.paging,
                clock=self.clock,
                zone_of=zone_of,
            )
        )
        self._runner = CommandRunner(self.clock, pace=Pace(self.clock, burst=10_000))

    # ── doing ───────────────────────────────────────────────────────────────
    async def say(self, line: str, by: GuildMember = ADA) -> Json:
        """Give a command and return the newest message."""
        group, name, *rest = line.removeprefix("!").split(" ", 2)
        bound = self.commands.find(f"{group} {name}")
        assert bound is not None, line
        words = Words(rest[0] if rest else "", members=Members())
        author = in_voice(by, self.at.get(by.id))
        await self._runner.run(bound, self.guild.call(author), words)
        await settle()
        return self.newest()

    async def press(
        self,
        label: str,
        by: GuildMember = ADA,
        *,
        on: int | None = None,
        acknowledged: bool = True,
        seconds_ago: float = 0,
    ) -> FakeAnswer:
        """Press a button of the gathering's message, or of `on`."""
        message_id = self.card_id() if on is None else on
        custom_id = self.button(label, message_id)["custom_id"]
        return await self.press_id(
            custom_id, by, on=message_id, acknowledged=acknowledged, seconds_ago=seconds_ago
        )

    async def press_id(
        self,
        custom_id: str,
        by: GuildMember = ADA,
        *,
        on: int = 1,
        acknowledged: bool = True,
        seconds_ago: float = 0,
    ) -> FakeAnswer:
        """Press a button of that custom id."""
        answer = FakeAnswer(self.outbox, original=on)
        click = Click(
            number=next(self._numbers),
            user_id=by.id,
            user_name=by.name,
            guild_id=GUILD,
            channel_id=TEXT,
            permissions=by.permissions,
            role_ids=by.role_ids,
            received_at=self.clock.monotonic() - seconds_ago,
            custom_id=custom_id,
            values=(),
            message_id=on,
            acknowledged=acknowledged,
            token="token",
            answer=answer,  # type: ignore[arg-type]  # has what clicks use
        )
        await self.buttons.press(click)
        await settle()
        return answer

    def moves(self, who: GuildMember, channel_id: int | None) -> None:
        """Change somebody's voice channel."""
        left, self.at[who.id] = self.at.get(who.id), channel_id
        self.service.changed_channel(GUILD, who.id, left=left, joined=channel_id)

    async def passes(self, seconds: float) -> None:
        await self.clock.advance(seconds)

    async def restarts(self) -> None:
        """Stop the bot in good order and start it again."""
        await self.close()
        self._comes_up()
        await self.service.restore()
        self.service.came_back(GUILD, self._present)
        await settle()

    def _present(self, gathering: Gathering) -> frozenset[int] | None:
        return self.rooms.people_in(GUILD, gathering.voice_channel_id)

    async def close(self) -> None:
        for part in (self.clicks, self.service, self.stage, self.paging):
            await part.close()

    # ── seeing ──────────────────────────────────────────────────────────────
    def newest(self) -> Json:
        """Return the newest message."""
        return self.outbox.messages[self.outbox.newest_id()]

    def card_id(self) -> int:
        """Return the id of the gathering's newest message."""
        cards = [i for i, body in self.outbox.messages.items() if "gathering" in title(body)]
        return cards[-1]

    def card(self) -> str:
        """Return what stands on the gathering's message."""
        return text(self.outbox.messages[self.card_id()])

    def embed(self) -> Json:
        embed: Json = self.outbox.messages[self.card_id()]["embeds"][0]
        return embed

    def labels(self, message_id: int | None = None) -> list[list[str]]:
        """Return the labels of the buttons, row by row."""
        body = self.outbox.messages[self.card_id() if message_id is None else message_id]
        return [[b["label"] for b in row["components"]] for row in body["components"]]

    def button(self, label: str, message_id: int) -> Json:
        rows = self.outbox.messages[message_id]["components"]
        buttons = [button for row in rows for button in row["components"]]
        return next(button for button in buttons if button["label"] == label)

    def table(self) -> dict[str, str]:
        """Return the table: name and state."""
        return rows_of(self.card())

    def plain_messages(self) -> list[Json]:
        """Return the messages without an embed: calls and ghost pings."""
        return [body for body in self.outbox.messages.values() if not body.get("embeds")]


def title(body: Json) -> str:
    return str(body["embeds"][0]["title"]) if body.get("embeds") else ""


def text(body: Json) -> str:
    return str(body["embeds"][0].get("description", ""))


def rows_of(card: str) -> dict[str, str]:
    """Read the table in a card: the first column, and the others."""
    lines = card.split("```")[1].strip("\n").splitlines()[2:]
    cells = [line.split(maxsplit=1) for line in lines]
    return {cell[0]: cell[1] for cell in cells}


def words_of(answer: FakeAnswer) -> list[str]:
    """Return what a member was told in private."""
    return [text(body) for body in answer.private]
