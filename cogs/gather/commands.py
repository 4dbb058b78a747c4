"""`gather start`, `expect`, `forget`, `extend`, `cancel`, `status` and `stats`."""

import asyncio
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import nextcord

from bot.kit.checks import author_in_voice
from bot.kit.converters import Member, Text
from bot.kit.dual_command import CommandGroup, CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.paging import AtEnd, Paging
from bot.kit.people import GuildMember
from bot.kit.replies import Reply, done, info
from cogs.gather.arguments import Mentionables, Mentioned, Plan, PlanArgument
from cogs.gather.presenter import gathering_card, mentions
from cogs.gather.rooms import Human, Rooms
from cogs.gather.statistics import no_stats, stats_page
from cogs.gather.words import clock_of, length, sentence
from services.clock import Clock
from services.db.errors import StorageUnavailable
from services.errors import Refusal
from services.gather.errors import NoGathering
from services.gather.events import Cancelled, Event, Expected, Extended, Forgotten
from services.gather.gather_service import Beginning, GatherService
from services.gather.gathering import Gathering
from services.gather.running import Result
from services.gather.session import Status
from services.gather.times import read_extension, read_start

_PATIENCE_SECONDS = 8.0
_NOT_YET = "Not saved yet: the database does not answer. I keep trying."
_RUNS_SERVER = nextcord.Permissions(manage_guild=True)
_WHOM = "A member or a role"


class Gather:
    """Begins gatherings, changes who is expected, and shows how it stands."""

    groups = (CommandGroup(name="gather", summary="Gather everybody in voice and see who is late"),)

    def __init__(
        self,
        *,
        service: GatherService,
        rooms: Rooms,
        paging: Paging,
        clock: Clock,
        zone_of: Callable[[int], ZoneInfo],
    ) -> None:
        self._service = service
        self._rooms = rooms
        self._paging = paging
        self._clock = clock
        self._zone_of = zone_of

    @command(
        CommandSpec(
            name="gather start",
            summary="Check everybody in who is in your voice channel, now or later",
            arguments=(
                PlanArgument(
                    name="time",
                    description="10m, 1h 30m or 14:30; at once without",
                    required=False,
                ),
            ),
            checks=(author_in_voice,),
            examples=("gather start", "gather start 10m", "gather start 14:30 min:4"),
            details="A countdown lasts at most 2 hours. With `min:4` I say when 4 are here.",
        )
    )
    async def start(self, call: Invocation, time: Plan) -> None:
        """Begin a gathering; its own message is the answer."""
        room = call.author.voice_channel_id
        present = self._rooms.people_in(call.guild_id, room) if room is not None else None
        if room is None or not present:
            raise Refusal("Join a voice channel first, then try again.")
        if not self._rooms.may_write(call.guild_id, call.channel_id):
            raise Refusal("I may not write and embed links in this channel.")
        now, zone = self._clock.now(), self._zone_of(call.guild_id)
        names = self._rooms.names_of(call.guild_id, present)
        await self._service.start(
            Beginning(
                guild_id=call.guild_id,
                voice_channel_id=room,
                text_channel_id=call.channel_id,
                author_id=call.author.id,
                present=present,
                starts_at=None if time.when is None else read_start(time.when, now=now, zone=zone),
                quorum=time.quorum,
                names={**names, call.author.id: call.author.name},
            )
        )

    @command(
        CommandSpec(
            name="gather expect",
            summary="Wait for these members, or those with a role, too",
            arguments=(Mentionables(name="user", description=_WHOM),),
            examples=("gather expect @Ada @Ben",),
        )
    )
    async def expect(self, call: Invocation, user: Mentioned) -> Reply:
        """Put members on the list."""
        people = await self._humans(call, user)
        role_ids = frozenset(user.role_ids)
        event = Expected(call.author.id, frozenset(people), role_ids)
        result = await self._submit(call, event, names=people)
        return done("✅ Expected", _expected(result.gathering, sorted(people))).kept()

    @command(
        CommandSpec(
            name="gather forget",
            summary="Do not wait for these members any more",
            arguments=(Mentionables(name="user", description=_WHOM),),
            examples=("gather forget @Ada",),
        )
    )
    async def forget(self, call: Invocation, user: Mentioned) -> Reply:
        """Take members off the list."""
        people = await self._humans(call, user)
        event = Forgotten(call.author.id, frozenset(people))
        result = await self._submit(call, event)
        return done("✅ Forgotten", _forgotten(result.gathering, sorted(people))).kept()

    @command(
        CommandSpec(
            name="gather extend",
            summary="Let the countdown last longer",
            arguments=(
                Text(
                    name="time", description="5m longer, or until 14:45", rest=True, max_length=64
                ),
            ),
            examples=("gather extend 5m", "gather extend 14:45"),
        )
    )
    async def extend(self, call: Invocation, time: str) -> Reply:
        """Put the start off, and name the new total and start."""
        zone = self._zone_of(call.guild_id)
        session = self._current(call).session
        duration = read_extension(
            time, starts_at=session.starts_at, now=self._clock.now(), zone=zone
        )
        result = await self._submit(call, Extended(call.author.id, duration))
        session = result.gathering.session
        total = length(session.starts_at - session.created_at)
        return done(
            "⏱️ Countdown extended",
            f"By **{length(duration)}**, **{total}** in all. Starts at "
            f"**{session.starts_at.astimezone(zone):%H:%M}** ({clock_of(session.starts_at)} for "
            "you).",
        ).kept()

    @command(
        CommandSpec(name="gather cancel", summary="End the gathering; its author can, and admins")
    )
    async def cancel(self, call: Invocation) -> Reply:
        """End the gathering."""
        may = call.author.may(_RUNS_SERVER)
        await self._submit(call, Cancelled(call.author.id, may_always=may))
        return done("🛑 Gathering cancelled").kept()

    @command(CommandSpec(name="gather status", summary="Show who is here and who is not"))
    async def status(self, call: Invocation) -> Reply:
        """Show the gathering once more, without its buttons, and where it stands."""
        gathering = self._current(call)
        zone = self._zone_of(call.guild_id)
        shown = gathering_card(gathering, now=self._clock.now(), zone=zone).with_rows().kept()
        if gathering.message_id is None:
            return shown
        place = f"{gathering.guild_id}/{gathering.text_channel_id}/{gathering.message_id}"
        return info(shown.title, shown.text, url=f"https://discord.com/channels/{place}").kept()

    @command(
        CommandSpec(
            name="gather stats",
            summary="Show how often a member came on time, and how late else",
            arguments=(Member(name="user", description="You, where left out", required=False),),
            examples=("gather stats", "gather stats @Ada"),
        )
    )
    async def stats(self, call: Invocation, user: GuildMember | None) -> Reply | None:
        """Show a member's attendance over 30 and 90 days and ever, with pages of gatherings."""
        member = user or call.author
        stats = await self._service.stats(call.guild_id, member.id)
        if not stats.recent:
            return no_stats(member.name)
        await self._paging.show(
            call,
            lambda number: stats_page(stats, member.name, number),
            idle_seconds=120,
            at_end=AtEnd.KEEP,
        )
        return None

    # ── own ─────────────────────────────────────────────────────────────────
    def _current(self, call: Invocation) -> Gathering:
        gathering = self._service.find(call.guild_id)
        if gathering is None:
            raise NoGathering
        return gathering

    async def _submit(
        self, call: Invocation, event: Event, *, names: dict[int, str] | None = None
    ) -> Result:
        """Let something happen and wait until it is stored; an answer is a refusal."""
        told = self._service.submit(call.guild_id, event, names=names)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                result = await asyncio.shield(told)
        except TimeoutError:
            raise StorageUnavailable(_NOT_YET) from None
        if result.answer is not None:
            raise Refusal(sentence(result.answer, result.gathering))
        return result

    async def _humans(self, call: Invocation, named: Mentioned) -> dict[int, str]:
        """Return who was named, by roles too; asks Discord only where there is a gathering."""
        self._current(call)
        if any(member.is_bot for member in named.members):
            raise Refusal("Bots do not come to gatherings.")
        people: list[Human] = [(member.id, member.name) for member in named.members]
        for role_id in named.role_ids:
            people += await self._rooms.humans_with_role(call.guild_id, role_id)
        return dict(people)


def _expected(gathering: Gathering, user_ids: Sequence[int]) -> str:
    def named(*statuses: Status | None) -> str:
        attendees = gathering.session.attendees
        known = {u: attendees[u].status if u in attendees else None for u in user_ids}
        return mentions(u for u, status in known.items() if status in statuses)

    sentences = {
        named(None, Status.MISSING): "will be waited for.",
        named(Status.ARRIVED): "checked in already.",
        named(Status.RECONSIDERING): "opted out, and may still rejoin.",
    }
    return "\n".join(f"{who} {what}" for who, what in sentences.items() if who)


def _forgotten(gathering: Gathering, user_ids: Sequence[int]) -> str:
    here = mentions(u for u in user_ids if u in gathering.session.attendees)
    gone = mentions(u for u in user_ids if u not in gathering.session.attendees)
    sentences = {gone: "will not be waited for.", here: "checked in already and stays listed."}
    return "\n".join(f"{who} {what}" for who, what in sentences.items() if who)
