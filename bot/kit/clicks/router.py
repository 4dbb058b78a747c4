"""Where every interaction arrives: acknowledged first, then handed on in click order.

`receive` and `receive_command` are synchronous and run in the gateway's dispatch: they number the
interaction and start its acknowledgement before anything else happens. The acknowledgements run
side by side; each message's clicks leave in the order of their arrival as soon as their own and all
earlier acknowledgements are known. A failed one is skipped, so it holds nobody up for longer than
its window.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.kit.clicks.ack_lane import Acknowledger
from bot.kit.clicks.answer import AnswerClient, InteractionAnswer
from bot.kit.clicks.click import Click, ModalSubmit
from bot.kit.clicks.command_acks import CommandAcks, CommandInteraction, CommandPolicy
from bot.kit.clicks.custom_id import has_prefix
from bot.kit.clicks.delivery import delivered
from bot.kit.clicks.durable import ClickConsumer, DurableConsumers
from bot.kit.clicks.in_order import InOrder, Ticket
from bot.kit.clicks.menus import Menus
from bot.kit.clicks.notices import Notices
from bot.kit.clicks.payload import (
    AUTOCOMPLETE,
    COMPONENT,
    MODAL_SUBMIT,
    Payload,
    click_from,
    modal_submit_from,
)
from bot.kit.clicks.stream import ClickStream
from bot.kit.clicks.suggestions import Suggestions, SuggestionSource
from services.background import BackgroundTasks
from services.clock import Clock

_log = logging.getLogger(__name__)

type ModalConsumer = Callable[[ModalSubmit], Awaitable[None]]

_DEFER_UPDATE = {"type": 6}
_DEFER_MESSAGE = {"type": 5}
_DEFER_PRIVATE_MESSAGE = {"type": 5, "data": {"flags": 64}}


@dataclass(frozen=True, slots=True)
class _Arrival:
    click: Click
    message_age_ms: int


@dataclass(frozen=True, slots=True)
class _Form:
    prefix: str
    consumer: ModalConsumer
    private: bool


class Clicks:
    """The shared stream of all interactions of this process."""

    def __init__(self, *, lane: Acknowledger, answers: AnswerClient, clock: Clock) -> None:
        self._lane = lane
        self._answers = answers
        self._clock = clock
        self._numbers = itertools.count(1)
        self._tasks = BackgroundTasks("clicks")
        self._notices = Notices(clock)
        self._menus = Menus(clock=clock, notices=self._notices)
        self._durable = DurableConsumers(self._notices)
        self._commands = CommandAcks(lane=lane, clock=clock)
        self._suggestions = Suggestions(lane=lane, clock=clock)
        self._forms: list[_Form] = []
        self._in_order = InOrder[_Arrival](self._hand_on)

    # ── arrivals ────────────────────────────────────────────────────────────
    def receive(self, payload: Payload) -> None:
        """Take a component, autocomplete or modal interaction as the gateway sent it."""
        number, received_at = next(self._numbers), self._clock.monotonic()
        kind = payload["type"]
        if kind == COMPONENT:
            self._receive_click(payload, number=number, received_at=received_at)
        elif kind == MODAL_SUBMIT:
            self._receive_form(payload, number=number, received_at=received_at)
        elif kind == AUTOCOMPLETE:
            self._suggestions.receive(payload, number=number, received_at=received_at)

    def receive_command(self, interaction: CommandInteraction) -> None:
        """Take a slash or context menu command; its handler runs elsewhere."""
        self._commands.receive(interaction)

    # ── consumers ───────────────────────────────────────────────────────────
    def open(self, message_id: int, *, owner_id: int | None = None) -> ClickStream:
        """Serve the clicks on a message, for everybody or for its owner alone.

        Clicks that came up to 5 s earlier are in the stream already. Close it, or use it as an
        async context manager.
        """
        return self._menus.open(message_id, owner_id=owner_id)

    def durable(self, prefix: str, consumer: ClickConsumer, *, decides: bool = False) -> None:
        """Send all clicks whose custom id begins with `prefix` to `consumer`, for good.

        Clicks on one message come one after the other, in click order. With `decides` a click
        counts although its acknowledgement failed (`Click.acknowledged` is False then).

        Raises:
            ValueError: the prefix has a consumer already.
        """
        self._durable.register(prefix, consumer, decides=decides)

    def modal(self, prefix: str, consumer: ModalConsumer, *, private: bool = False) -> None:
        """Send all forms whose custom id begins with `prefix` to `consumer`, for good.

        The consumer answers with `ModalSubmit.answer`; `private`: only the member sees the answer.
        """
        self._forms.append(_Form(prefix, consumer, private))

    def autocomplete(self, provider: SuggestionSource) -> None:
        """Ask `provider` for the choices of every field with autocomplete."""
        self._suggestions.come_from(provider)

    # ── commands ────────────────────────────────────────────────────────────
    def command_acks(self, policy: CommandPolicy) -> None:
        """Let `policy` say, without waiting, how each command is acknowledged on arrival."""
        self._commands.decide_by(policy)

    async def acknowledged(self, interaction: CommandInteraction) -> bool:
        """Wait until the command's acknowledgement is known; False: Discord has dropped it."""
        return await self._commands.acknowledged(interaction)

    async def open_modal(
        self, interaction: CommandInteraction, modal_body: Mapping[str, Any]
    ) -> bool:
        """Open a form as the answer to a command whose policy is `MODAL`.

        False when the window is over; after 1.5 s the command was deferred in the form's place.
        """
        return await self._commands.open_modal(interaction, modal_body)

    def answer(self, interaction: CommandInteraction) -> InteractionAnswer:
        """Return the way to answer a command after its acknowledgement."""
        return self._answers.to(
            application_id=interaction.application_id,
            token=interaction.token,
            received_at=self._commands.received_at(interaction),
        )

    # ── life ────────────────────────────────────────────────────────────────
    async def start(self) -> None:
        """Open the warm connections."""
        await self._lane.start()

    async def close(self) -> None:
        """Finish what is under way, close all streams and connections."""
        await self._lane.close()
        await self._menus.close()
        for part in (self._durable, self._commands, self._suggestions, self._notices, self._tasks):
            await part.close()
        await self._answers.close()

    # ── components ──────────────────────────────────────────────────────────
    def _receive_click(self, payload: Payload, *, number: int, received_at: float) -> None:
        interaction_id = int(payload["id"])
        sent = self._lane.send(
            interaction_id, payload["token"], callback=_DEFER_UPDATE, received_at=received_at
        )
        click = click_from(payload, number=number, received_at=received_at, answers=self._answers)
        arrival = _Arrival(click, _milliseconds(interaction_id) - _milliseconds(click.message_id))
        ticket = self._in_order.join(click.message_id, arrival)
        sent.add_done_callback(lambda task: self._acknowledged(ticket, task))

    def _acknowledged(self, ticket: Ticket[_Arrival], sent: asyncio.Future[bool]) -> None:
        arrival = ticket.thing
        click = replace(arrival.click, acknowledged=_arrived(sent))
        self._in_order.ready(ticket, replace(arrival, click=click))

    def _hand_on(self, arrival: _Arrival) -> None:
        click = arrival.click
        durable = self._durable.find(click.custom_id)
        if durable is not None:
            if click.acknowledged or durable.decides:
                self._durable.deliver(durable, click)
        elif click.acknowledged:
            self._menus.deliver(click, message_age_ms=arrival.message_age_ms)

    # ── forms ───────────────────────────────────────────────────────────────
    def _receive_form(self, payload: Payload, *, number: int, received_at: float) -> None:
        custom_id = payload["data"]["custom_id"]
        form = next((f for f in self._forms if has_prefix(custom_id, f.prefix)), None)
        private = form is None or form.private
        sent = self._lane.send(
            int(payload["id"]),
            payload["token"],
            callback=_DEFER_PRIVATE_MESSAGE if private else _DEFER_MESSAGE,
            received_at=received_at,
        )
        submit = modal_submit_from(
            payload, number=number, received_at=received_at, answers=self._answers
        )
        self._tasks.start(self._consume_form(form, submit, sent), name="form")

    async def _consume_form(
        self, form: _Form | None, submit: ModalSubmit, sent: asyncio.Future[bool]
    ) -> None:
        if not await sent:
            return
        if form is None:
            self._notices.expired_form(submit)
            return
        if not await delivered(form.consumer(submit), to=f"form {form.prefix}"):
            self._notices.failed(submit)


def _arrived(sent: asyncio.Future[bool]) -> bool:
    if sent.cancelled():
        return False
    if (error := sent.exception()) is not None:
        _log.error("an acknowledgement broke", exc_info=error)
        return False
    return sent.result()


def _milliseconds(snowflake: int) -> int:
    """Return when Discord made the id, in milliseconds of its own epoch."""
    return snowflake >> 22
