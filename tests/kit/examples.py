"""A small cog and members that the kit's tests share."""

from typing import Any

from bot.kit.clicks.click import AutocompleteRequest, Choice, Choices
from bot.kit.clicks.components import modal, text_input
from bot.kit.converters import File, Integer, Member, OneOf, SeveralMembers, Text
from bot.kit.dual_command import CommandGroup, CommandSpec, MenuSpec, command, menu
from bot.kit.invocation import Invocation
from bot.kit.people import AttachedFile, GuildMember, TargetMessage
from bot.kit.replies import Reply, done
from services.errors import NothingFound, OutsideFailure, Refusal

ADA = GuildMember(id=100000000000000001, name="Ada", voice_channel_id=70)
BEN = GuildMember(id=100000000000000002, name="Ben the Second")


class KnownMembers:
    """Ada and Ben are the members of this guild."""

    def by_id(self, user_id: int) -> GuildMember | None:
        return {ADA.id: ADA, BEN.id: BEN}.get(user_id)

    def by_name(self, name: str) -> GuildMember | None:
        return {ADA.name: ADA, BEN.name: BEN}.get(name)


def refuse(call: Invocation) -> None:
    raise Refusal("Not today.")


async def suggest(request: AutocompleteRequest) -> Choices:
    """Suggest two files that begin like what was typed."""
    return [Choice(f"{request.typed}{end}", f"{request.typed}{end}") for end in ("a", "b")]


class Examples:
    """One command of each kind."""

    groups = (CommandGroup(name="rep", summary="Reputation", aliases=("reputation",)),)

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @command(
        CommandSpec(
            name="skip",
            summary="Skip tracks",
            arguments=(
                Integer(name="count", description="how many", required=False, default=1, most=99),
            ),
            aliases=("s", "next"),
            examples=("skip 3",),
        )
    )
    async def skip(self, call: Invocation, count: int) -> Reply:
        self.seen.append(count)
        return done("⏭️ Skipped", str(count))

    @command(
        CommandSpec(
            name="play",
            summary="Play something",
            arguments=(
                Text(name="query", description="what", rest=True, required=False),
                File(name="file", description="a file", required=False),
            ),
        )
    )
    async def play(self, call: Invocation, query: str | None, file: AttachedFile | None) -> None:
        self.seen.append((query, file))

    @command(
        CommandSpec(
            name="+rep",
            slash="rep add",
            summary="Praise somebody",
            arguments=(
                Member(name="who", description="whom"),
                Text(name="reason", description="why", rest=True),
            ),
            aliases=("addrep",),
        )
    )
    async def praise(self, call: Invocation, who: GuildMember, reason: str) -> Reply:
        self.seen.append((who, reason))
        return done("⭐ Praised")

    @command(
        CommandSpec(
            name="gather expect",
            summary="Expect members",
            arguments=(
                OneOf(name="mode", description="how", choices=("on", "off"), required=False),
                SeveralMembers(name="user", description="who", most=3),
            ),
        )
    )
    async def expect(self, call: Invocation, mode: str, user: tuple[GuildMember, ...]) -> None:
        self.seen.append((mode, user))

    @command(CommandSpec(name="gather start", summary="Start", checks=(refuse,)))
    async def start(self, call: Invocation) -> None:
        self.seen.append("started")

    @command(CommandSpec(name="broken", summary="A defect of ours"))
    async def broken(self, call: Invocation) -> None:
        raise ZeroDivisionError("a secret of the inside")

    @command(CommandSpec(name="lost", summary="Finds nothing"))
    async def lost(self, call: Invocation) -> None:
        raise NothingFound("No such thing.")

    @command(CommandSpec(name="down", summary="Somebody else's failure"))
    async def down(self, call: Invocation) -> None:
        raise OutsideFailure("The site does not answer.")

    @command(
        CommandSpec(
            name="local play",
            summary="Play a file",
            arguments=(Text(name="name", description="which", rest=True, autocomplete=suggest),),
        )
    )
    async def local(self, call: Invocation, name: str) -> None:
        self.seen.append(name)

    @command(CommandSpec(name="rename", summary="Opens a form", opens_form=True))
    async def rename(self, call: Invocation) -> None:
        await call.open_form(modal("rename:form", "Rename", text_input("name", "Name")))

    @menu(MenuSpec(name="Remind me", target="message", private=True))
    async def remind_menu(self, call: Invocation, target: TargetMessage) -> Reply:
        self.seen.append(target)
        return done("⏰ Noted")

    @menu(MenuSpec(name="Praise", target="user"))
    async def praise_menu(self, call: Invocation, target: GuildMember) -> None:
        self.seen.append(target)
