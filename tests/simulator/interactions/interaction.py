"""One interaction as Discord keeps it: its token, its windows, what was answered."""

import asyncio
import base64
import secrets
from dataclasses import dataclass, field
from enum import IntEnum

from tests.simulator.channel import Channel
from tests.simulator.interactions.outcome import Outcome
from tests.simulator.member import Member
from tests.simulator.message import SimMessage

ANSWER_SECONDS = 3.0
"""An interaction that was not answered by then has failed."""
TOKEN_SECONDS = 900.0
"""Follow-ups and edits are taken for so long."""


class Kind(IntEnum):
    """What a member did."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Callback(IntEnum):
    """How a bot answers first."""

    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


_FOR_COMMANDS = frozenset({Callback.MESSAGE, Callback.DEFERRED_MESSAGE, Callback.MODAL})
_UPDATES = frozenset({Callback.DEFERRED_UPDATE, Callback.UPDATE})


@dataclass(eq=False)
class Interaction:
    """A click, command, form or half-typed option, from its event to the end of its token."""

    id: int
    kind: Kind
    member: Member
    channel: Channel
    opened_at: float
    outcome: Outcome
    command_name: str | None = None
    command_type: int = 1
    source: SimMessage | None = None
    """The message whose component was used."""
    answered_with: Callback | None = None
    original: SimMessage | None = None
    """What @original means."""
    fills_loading: bool = False
    """Whether the next follow-up becomes the text of the loading message."""
    timer: asyncio.TimerHandle | None = None
    """Ends the window."""
    token: str = field(init=False)

    def __post_init__(self) -> None:
        secret = f"interaction:{self.id}:{secrets.token_urlsafe(90)}"
        self.token = base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")

    @property
    def allowed_callbacks(self) -> frozenset[Callback]:
        """The first answers that Discord takes for this kind."""
        if self.kind is Kind.AUTOCOMPLETE:
            return frozenset({Callback.CHOICES})
        if self.kind is Kind.COMMAND:
            return _FOR_COMMANDS
        if self.kind is Kind.COMPONENT:
            return _FOR_COMMANDS | _UPDATES
        allowed = _FOR_COMMANDS - {Callback.MODAL}
        return allowed | _UPDATES if self.source is not None else allowed

    @property
    def failure_text(self) -> str:
        """What the member reads when nobody answers."""
        if self.kind is Kind.COMMAND:
            return "The application did not respond"
        if self.kind is Kind.MODAL:
            return "Something went wrong. Try again."
        if self.kind is Kind.AUTOCOMPLETE:
            return "Loading options failed"
        return "This interaction failed"

    @property
    def message_type(self) -> int:
        """The type of the message that answers it."""
        if self.source is not None:
            return 19
        return 20 if self.command_type == 1 else 23
