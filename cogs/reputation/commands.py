"""`+rep`, `-rep`, `reps` and `leaderboard`; on slash all of them are `/rep …`."""

from functools import partial

from bot.kit.converters import Member, OneOf, Text
from bot.kit.dual_command import CommandGroup, CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.paging import AtEnd, Jump, Page, Paging
from bot.kit.people import GuildMember
from cogs.reputation.presenter import board_page, entries_page, made_card, with_button
from cogs.reputation.retracting import Retracting
from services.errors import NothingFound
from services.reputation.reputation_service import ReputationService
from services.reputation.rules import MAX_REASON, Change, Span

_IDLE_SECONDS = 120
_SPANS = {"7d": Span.WEEK, "30d": Span.MONTH, "ever": Span.EVER}
_CHANGE = (
    Member(name="user", description="Whose reputation"),
    Text(name="reason", description="Why", rest=True, max_length=MAX_REASON),
)
_RULES = "One change per member in 10 minutes; you can take it back for a minute."


class Reputation:
    """Changes reputation and shows it."""

    groups = (CommandGroup(name="rep", summary="Praise members, and see how everybody stands"),)

    def __init__(
        self, service: ReputationService, *, paging: Paging, retracting: Retracting
    ) -> None:
        self._service = service
        self._paging = paging
        self._retracting = retracting

    @command(
        CommandSpec(
            name="+rep",
            slash="rep add",
            summary="Give a member reputation, with a reason",
            arguments=_CHANGE,
            aliases=("addrep", "plusrep"),
            examples=("+rep @Ada helped me move",),
            details=_RULES,
        )
    )
    async def add(self, call: Invocation, user: GuildMember, reason: str) -> None:
        """Add one."""
        await self._change(call, user, amount=1, reason=reason)

    @command(
        CommandSpec(
            name="-rep",
            slash="rep remove",
            summary="Take reputation from a member, with a reason",
            arguments=_CHANGE,
            examples=("-rep @Ben ate my cake",),
            details=_RULES,
        )
    )
    async def remove(self, call: Invocation, user: GuildMember, reason: str) -> None:
        """Subtract one."""
        await self._change(call, user, amount=-1, reason=reason)

    @command(
        CommandSpec(
            name="reps",
            slash="rep list",
            summary="Show a member's reputation, the newest entries first",
            arguments=(Member(name="user", description="Whose; your own without", required=False),),
            aliases=("repinfo",),
            examples=("reps", "reps @Ada"),
        )
    )
    async def entries(self, call: Invocation, user: GuildMember | None) -> None:
        """Show a page; its author turns it."""
        member = user or call.author
        read = partial(self._entries_page, call.guild_id, member)
        await self._paging.show(call, read, idle_seconds=_IDLE_SECONDS, at_end=AtEnd.KEEP)

    @command(
        CommandSpec(
            name="leaderboard",
            slash="rep leaderboard",
            summary="Show who has the most reputation, and who the least",
            arguments=(
                OneOf(
                    name="time",
                    description="Of which time",
                    choices=tuple(_SPANS),
                    required=False,
                    default="ever",
                ),
            ),
            aliases=("reptop",),
            examples=("leaderboard", "leaderboard 7d"),
        )
    )
    async def leaderboard(self, call: Invocation, time: str) -> None:
        """Show the first page; its author turns it, or jumps to their own rank."""
        span = _SPANS[time]
        guild_id, reader_id = call.guild_id, call.author.id
        mine = Jump("page:mine", "My rank", partial(self._page_of, guild_id, span, reader_id))
        read = partial(self._board_page, guild_id, span, reader_id)
        await self._paging.show(
            call, read, idle_seconds=_IDLE_SECONDS, at_end=AtEnd.KEEP, jumps=[mine]
        )

    async def _change(
        self, call: Invocation, user: GuildMember, *, amount: int, reason: str
    ) -> None:
        change = Change(
            guild_id=call.guild_id,
            giver_id=call.author.id,
            target_id=user.id,
            target_is_bot=user.is_bot,
            amount=amount,
            reason=reason,
        )
        made = await self._service.change(change)
        card = made_card(made)
        self._retracting.offer(call.answer, made, afterwards=card)  # it may be clicked at once
        await call.reply(with_button(card, made.entry.id))

    async def _entries_page(self, guild_id: int, member: GuildMember, number: int) -> Page:
        page = await self._service.entries(guild_id, member.id, number)
        return Page(entries_page(member, page), number=page.number, count=page.pages)

    async def _board_page(self, guild_id: int, span: Span, reader_id: int, number: int) -> Page:
        page = await self._service.leaderboard(guild_id, span, number)
        return Page(board_page(page, reader_id=reader_id), number=page.number, count=page.pages)

    async def _page_of(self, guild_id: int, span: Span, user_id: int) -> int:
        number = await self._service.page_of(guild_id, span, user_id)
        if number is None:
            raise NothingFound("You have no rank yet: nobody gave you reputation in this time.")
        return number
