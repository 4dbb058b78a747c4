"""Acknowledges commands on arrival, while their handlers have not even begun."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import nextcord

from bot.kit.clicks.ack_lane import Acknowledger
from bot.kit.clicks.click import AckPolicy
from bot.kit.clicks.delivery import decided
from services.background import BackgroundTasks
from services.clock import Clock

_log = logging.getLogger(__name__)

type CommandInteraction = nextcord.Interaction[Any]
type CommandPolicy = Callable[[CommandInteraction], AckPolicy]

_DEFER = {"type": 5}
_DEFER_PRIVATE = {"type": 5, "data": {"flags": 64}}
_OPEN_MODAL = 9
_FORM_SECONDS = 1.5
"""A handler that has not opened its form by then gets a deferral in its place."""

_KEY = "acknowledgement"


@dataclass(slots=True)
class _Acknowledgement:
    received_at: float
    sent: asyncio.Future[bool] | None = None


class CommandAcks:
    """One acknowledgement for each command; it travels on the interaction itself."""

    def __init__(self, *, lane: Acknowledger, clock: Clock) -> None:
        self._lane = lane
        self._clock = clock
        self._tasks = BackgroundTasks("command acknowledgements")
        self._policy: CommandPolicy = lambda _interaction: AckPolicy.DEFER

    def decide_by(self, policy: CommandPolicy) -> None:
        """Ask `policy` on each arrival; it must not wait for anything."""
        self._policy = policy

    def receive(self, interaction: CommandInteraction) -> None:
        """Start the acknowledgement that the command's policy wants."""
        acknowledgement = _Acknowledgement(self._clock.monotonic())
        interaction.attached[_KEY] = acknowledgement
        policy = decided(lambda: self._policy(interaction), otherwise=AckPolicy.DEFER)
        if policy is AckPolicy.MODAL:
            self._tasks.start(self._defer_late_form(interaction), name="late form")
        else:
            private = policy is AckPolicy.DEFER_PRIVATE
            self._send(interaction, _DEFER_PRIVATE if private else _DEFER)

    async def acknowledged(self, interaction: CommandInteraction) -> bool:
        """Wait for the acknowledgement; a command that could open a form is deferred by this."""
        acknowledgement = _of(interaction)
        sent = acknowledgement.sent or self._send(interaction, _DEFER_PRIVATE)
        return await asyncio.shield(sent)

    async def open_modal(self, interaction: CommandInteraction, modal: Mapping[str, Any]) -> bool:
        """Open a form; False when the command was acknowledged otherwise, or it came too late."""
        if _of(interaction).sent is not None:
            return False
        return await asyncio.shield(self._send(interaction, {"type": _OPEN_MODAL, "data": modal}))

    def received_at(self, interaction: CommandInteraction) -> float:
        """Return when the command arrived, in monotonic seconds."""
        return _of(interaction).received_at

    async def close(self) -> None:
        """Forget forms that were not opened."""
        await self._tasks.close()

    def _send(
        self, interaction: CommandInteraction, callback: Mapping[str, Any]
    ) -> asyncio.Future[bool]:
        acknowledgement = _of(interaction)
        acknowledgement.sent = self._lane.send(
            interaction.id,
            interaction.token,
            callback=callback,
            received_at=acknowledgement.received_at,
        )
        return acknowledgement.sent

    async def _defer_late_form(self, interaction: CommandInteraction) -> None:
        await self._clock.sleep(_FORM_SECONDS)
        if _of(interaction).sent is None:
            _log.warning("a form was not opened in time; the command is deferred")
            self._send(interaction, _DEFER_PRIVATE)


def _of(interaction: CommandInteraction) -> _Acknowledgement:
    acknowledgement: _Acknowledgement = interaction.attached[_KEY]
    return acknowledgement
