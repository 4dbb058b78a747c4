"""`notify me`, `notify you`, `notify list` and `notify remove`."""

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from bot.kit.converters import Integer, LeadingWords, SeveralMembers, Text
from bot.kit.dual_command import CommandGroup, CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.paging import AtEnd, Page, Paging
from bot.kit.people import GuildMember
from bot.kit.replies import Reply
from cogs.reminders.presenter import list_page, removed_card, set_card
from services.db.errors import StorageUnavailable
from services.reminders.errors import BotsNeedNoReminder
from services.reminders.reminder import MAX_NOTE, MAX_TARGETS
from services.reminders.reminder_service import ReminderService
from services.text.when import is_a_time

_IDLE_SECONDS = 120
_WHEN = LeadingWords(
    name="when",
    description="10m, 1h 30m, 14:30, tomorrow, 24-12-2026_15:30, every monday 18:30 …",
    fits=is_a_time,
)
_NOTE = Text(name="note", description="What about", rest=True, required=False, max_length=MAX_NOTE)
_FORMS = (
    "A time is like `10s`, `1mo 15s`, `7d`, `14:30`, `tomorrow`, `week`, `24-12-2026` (09:00), "
    "`24-12-2026_15:30`, `every day 09:00` or `every monday 18:30`, in this server's time zone."
)


class Reminders:
    """Sets reminders, lists and removes them."""

    groups = (
        CommandGroup(name="notify", summary="Be reminded, or remind others", aliases=("remind",)),
    )

    def __init__(
        self, service: ReminderService, *, paging: Paging, zone_of: Callable[[int], ZoneInfo]
    ) -> None:
        self._service = service
        self._paging = paging
        self._zone_of = zone_of

    @command(
        CommandSpec(
            name="notify me",
            summary="Remind yourself at a time, or again and again",
            arguments=(_WHEN, _NOTE),
            examples=("notify me 10m Tea", "notify me every monday 18:30 Practice"),
            details=_FORMS,
        )
    )
    async def me(self, call: Invocation, when: str, note: str | None) -> None:
        """Set a reminder for the author."""
        await self._schedule(call, [call.author], when=when, note=note)

    @command(
        CommandSpec(
            name="notify you",
            summary="Remind up to three members at a time, or again and again",
            arguments=(
                SeveralMembers(name="user", description="Whom to remind", most=MAX_TARGETS),
                _WHEN,
                _NOTE,
            ),
            examples=("notify you @Ada @Ben 14:30 The cake is ready",),
            details=_FORMS,
        )
    )
    async def you(
        self, call: Invocation, user: tuple[GuildMember, ...], when: str, note: str | None
    ) -> None:
        """Set a reminder for others."""
        if any(member.is_bot for member in user):
            raise BotsNeedNoReminder
        await self._schedule(call, user, when=when, note=note)

    @command(
        CommandSpec(
            name="notify list",
            summary="Show the open reminders that you set, and those for you",
            examples=("notify list",),
        )
    )
    async def list(self, call: Invocation) -> None:
        """Show a page; its author turns it."""
        read = partial(self._page, call.guild_id, call.author.id)
        await self._paging.show(call, read, idle_seconds=_IDLE_SECONDS, at_end=AtEnd.KEEP)

    @command(
        CommandSpec(
            name="notify remove",
            summary="Remove a reminder that you set, or that is for you",
            arguments=(Integer(name="id", description="Its number, as listed", most=10**15),),
            examples=("notify remove 12",),
        )
    )
    async def remove(self, call: Invocation, id: int) -> Reply:  # noqa: A002 -- the option's name
        """Remove one."""
        return removed_card(await self._service.remove(call.guild_id, id, by=call.author.id))

    async def _schedule(
        self, call: Invocation, targets: Sequence[GuildMember], *, when: str, note: str | None
    ) -> None:
        reminder = await self._service.schedule(
            when,
            guild_id=call.guild_id,
            channel_id=call.channel_id,
            scheduled_by=call.author.id,
            targets=[member.id for member in targets],
            note=note or "",
            zone=self._zone_of(call.guild_id),
        )
        posted = await call.reply(set_card(reminder))
        if posted.message_id is not None:
            with contextlib.suppress(StorageUnavailable):  # then it leads to the channel alone
                await self._service.link(reminder.id, posted.message_id)

    async def _page(self, guild_id: int, user_id: int, number: int) -> Page:
        page = await self._service.page(guild_id, user_id, number)
        return Page(list_page(page, user_id), number=page.number, count=page.pages)
