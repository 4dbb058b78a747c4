"""Dual commands as slash commands and context menus.

They are found by name, so a command works from the first second on, before Discord has confirmed
the list. nextcord's own command objects are not used: they register one request each, dispatch only
what was registered in this run, and answer through the response object that nothing here may touch
(the click stream acknowledges, see `bot.kit.clicks`).
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import nextcord

from bot.kit.answer_place import AnswerPlace
from bot.kit.clicks.click import AckPolicy, AutocompleteRequest, Choice
from bot.kit.clicks.router import Clicks
from bot.kit.command_runner import CommandRunner
from bot.kit.converters import Options, Text
from bot.kit.dual_command import BoundCommand, BoundMenu, CommandSet
from bot.kit.invocation import Invocation
from bot.kit.outbox import Outbox, Undelivered
from bot.kit.people import CachedMembers, GuildMember, TargetMessage, file_of, member_of
from bot.kit.posted import ChannelPlace, Messages, Posted
from bot.kit.replies import Json, refused
from services.errors import Refusal

_log = logging.getLogger(__name__)

_CHAT_INPUT, _USER_MENU = 1, 2
_NESTED = (1, 2)  # subcommand, group of subcommands

type Interaction = nextcord.Interaction[Any]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What the member picked: a command or menu entry, and the filled-in options."""

    bound: BoundCommand | BoundMenu | None
    options: Mapping[str, Any]


class SlashCommands:
    """Finds, runs and completes the slash commands of a set."""

    def __init__(
        self,
        commands: CommandSet,
        *,
        runner: CommandRunner,
        messages: Messages,
        outbox: Outbox,
        clicks: Clicks,
    ) -> None:
        self._commands = commands
        self._runner = runner
        self._messages = messages
        self._outbox = outbox
        self._clicks = clicks
        clicks.command_acks(self.policy)
        clicks.autocomplete(self.suggest)

    def policy(self, interaction: Interaction) -> AckPolicy:
        """Say how a command is acknowledged: visibly, for the member alone, or by a form."""
        bound = self._chosen(_data(interaction)).bound
        if bound is None:
            return AckPolicy.DEFER_PRIVATE
        if bound.spec.opens_form:
            return AckPolicy.MODAL
        return AckPolicy.DEFER_PRIVATE if bound.spec.private else AckPolicy.DEFER

    async def handle(self, interaction: Interaction) -> None:
        """Carry out a command that has arrived (a listener for nextcord's `interaction` event)."""
        if interaction.type is not nextcord.InteractionType.application_command:
            return
        data = _data(interaction)
        chosen = self._chosen(data)
        answer = self._place(interaction, first=True)
        guild = interaction.guild
        if chosen.bound is None or guild is None:
            await _say(answer, "I do not know this command here any more. Reload Discord.")
            return
        call = self._invocation(interaction, guild, bound=chosen.bound, answer=answer)
        resolved = data.get("resolved") or {}
        members = ResolvedMembers(guild, resolved)
        if isinstance(chosen.bound, BoundMenu):
            target = _target(data, members)
            await self._runner.run_menu(chosen.bound, call, target)
        else:
            options = Options(values=chosen.options, members=members, resolved=resolved)
            await self._runner.run(chosen.bound, call, options)
        if not answer.used and not chosen.bound.spec.opens_form:
            await self._stop_thinking(interaction)

    async def suggest(self, request: AutocompleteRequest) -> Sequence[Choice]:
        """Return the suggestions for a field that a member types into."""
        bound = self._commands.on_slash(tuple(request.command.split()))
        for argument in bound.spec.arguments if bound is not None else ():
            if isinstance(argument, Text) and argument.name == request.option:
                return await argument.autocomplete(request) if argument.autocomplete else ()
        return ()

    def _chosen(self, data: Mapping[str, Any]) -> _Chosen:
        if data.get("type", _CHAT_INPUT) != _CHAT_INPUT:
            target = "user" if data["type"] == _USER_MENU else "message"
            return _Chosen(self._commands.on_menu(target, data["name"]), {})
        path = [data["name"]]
        options = data.get("options") or []
        while options and options[0]["type"] in _NESTED:
            path.append(options[0]["name"])
            options = options[0].get("options") or []
        values = {option["name"]: option["value"] for option in options}
        return _Chosen(self._commands.on_slash(tuple(path)), values)

    def _place(self, interaction: Interaction, *, first: bool, private: bool = False) -> Posted:
        return self._messages.at(
            AnswerPlace(
                self._clicks.answer(interaction),
                acknowledged=lambda: self._clicks.acknowledged(interaction),
                channel=ChannelPlace(self._outbox, interaction.channel_id or 0),
                first=first,
                private=private,
            )
        )

    def _invocation(
        self,
        interaction: Interaction,
        guild: nextcord.Guild,
        *,
        bound: BoundCommand | BoundMenu,
        answer: Posted,
    ) -> Invocation:
        own_voice = guild.me.voice
        spec = bound.spec

        async def open_form(form: Json) -> None:
            if not await self._clicks.open_modal(interaction, form):
                raise Refusal("The form could not be opened in time. Try again.")

        return Invocation(
            guild_id=guild.id,
            channel_id=interaction.channel_id or 0,
            author=_author(interaction),
            command=spec.name,
            prefix="/",
            bot_voice_channel_id=own_voice.channel.id if own_voice and own_voice.channel else None,
            received_at=time.monotonic(),
            answer=answer,
            another=lambda: self._place(interaction, first=False, private=spec.private),
            form=open_form if spec.opens_form else None,
        )

    async def _stop_thinking(self, interaction: Interaction) -> None:
        if not await self._clicks.acknowledged(interaction):
            return
        try:
            await self._clicks.answer(interaction).delete_original()
        except Undelivered as error:
            _log.info("an unused answer was left: %s", error)


class ResolvedMembers(CachedMembers):
    """Members of a guild, also those that only the interaction knows."""

    def __init__(self, guild: nextcord.Guild, resolved: Mapping[str, Any]) -> None:
        super().__init__(guild)
        self._resolved = resolved

    def by_id(self, user_id: int) -> GuildMember | None:
        """Return the member, None where there is none."""
        cached = super().by_id(user_id)
        member = self._resolved.get("members", {}).get(str(user_id))
        user = self._resolved.get("users", {}).get(str(user_id))
        if cached is not None or member is None or user is None:
            return cached
        return GuildMember(
            id=user_id,
            name=member.get("nick") or user.get("global_name") or user["username"],
            is_bot=user.get("bot", False),
            role_ids=frozenset(map(int, member.get("roles", ()))),
            permissions=int(member.get("permissions", 0)),
        )


def _author(interaction: Interaction) -> GuildMember:
    assert isinstance(interaction.user, nextcord.Member)
    return member_of(interaction.user)


def _data(interaction: Interaction) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", interaction.data or {})


def _target(
    data: Mapping[str, Any], members: ResolvedMembers
) -> GuildMember | TargetMessage | None:
    target_id = int(data["target_id"])
    if data["type"] == _USER_MENU:
        return members.by_id(target_id)
    message = data["resolved"]["messages"][str(target_id)]
    embeds = message.get("embeds") or []
    return TargetMessage(
        id=target_id,
        author_id=int(message["author"]["id"]),
        text=message.get("content", ""),
        links=tuple(embed["url"] for embed in embeds if embed.get("url")),
        embedded="\n".join(embed.get("description") or "" for embed in embeds),
        files=tuple(map(file_of, message.get("attachments") or ())),
    )


async def _say(answer: Posted, sentence: str) -> None:
    answer.show(refused("⛔ That cannot be done", sentence))
    await answer.settled()
