"""Takes the bot's answers to interactions, with Discord's windows and refusals."""

import asyncio
from typing import TYPE_CHECKING

from tests.simulator.attachments import Upload
from tests.simulator.board import Sender
from tests.simulator.channel import Channel
from tests.simulator.errors import (
    AlreadyAcknowledged,
    ApiError,
    InvalidWebhookToken,
    Json,
    UnknownInteraction,
    UnknownMessage,
    UnknownWebhook,
)
from tests.simulator.form import Form
from tests.simulator.interactions.interaction import (
    ANSWER_SECONDS,
    TOKEN_SECONDS,
    Callback,
    Interaction,
    Kind,
)
from tests.simulator.interactions.outcome import Modal, Outcome
from tests.simulator.member import Member
from tests.simulator.mentions import USERS_ONLY
from tests.simulator.message import EPHEMERAL, LOADING, SimMessage
from tests.simulator.permissions import Permission
from tests.simulator.validation.components import ComponentReader
from tests.simulator.validation.messages import (
    SETTABLE_IN_ANSWERS,
    Draft,
    read_changes,
    read_draft,
)

if TYPE_CHECKING:
    from tests.simulator.world import World

ORIGINAL = "@original"
_MOST_CHOICES = 25


class Interactions:
    """All interactions of the bot's application."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._by_id: dict[int, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self.failed: list[Outcome] = []
        """Those that the bot did not answer in time."""
        self.count = 0

    def close(self) -> None:
        """Forget the windows that still run."""
        for timer in self._timers:
            timer.cancel()

    # ── opening ─────────────────────────────────────────────────────────────

    def open(
        self,
        kind: Kind,
        member: Member,
        channel: Channel,
        *,
        what: str,
        source: SimMessage | None = None,
        command_name: str | None = None,
        command_type: int = 1,
    ) -> Interaction:
        """Start the 3 s window of something that a member did."""
        interaction = Interaction(
            id=self._world.ids.new(),
            kind=kind,
            member=member,
            channel=channel,
            opened_at=self._world.clock.monotonic(),
            outcome=Outcome(f"{member}: {what}"),
            source=source,
            command_name=command_name,
            command_type=command_type,
        )
        self._by_id[interaction.id] = interaction
        self._by_token[interaction.token] = interaction
        self.count += 1
        self._watch(interaction)
        return interaction

    def _watch(self, interaction: Interaction) -> None:
        def over() -> None:
            self._timers.discard(timer)
            if interaction.answered_with is None:
                interaction.outcome.failed_text = interaction.failure_text
                self.failed.append(interaction.outcome)
                interaction.outcome.decide()

        timer = asyncio.get_running_loop().call_later(ANSWER_SECONDS, over)
        self._timers.add(timer)
        interaction.timer = timer

    def _stop_timer(self, interaction: Interaction) -> None:
        if interaction.timer is not None:
            interaction.timer.cancel()
            self._timers.discard(interaction.timer)

    # ── the first answer ────────────────────────────────────────────────────

    def callback(
        self, interaction_id: int, token: str, form: Form, uploads: dict[int, Upload]
    ) -> Interaction:
        """Take the first answer.

        Raises:
            ApiError: 10062 for an unknown, wrong or late one, 40060 for a second one, 50035.
        """
        interaction = self._by_id.get(interaction_id)
        if interaction is None or interaction.token != token:
            raise UnknownInteraction
        if interaction.answered_with is not None:
            raise AlreadyAcknowledged
        waited = self._world.clock.monotonic() - interaction.opened_at
        if waited > ANSWER_SECONDS or interaction.outcome.failed_text:
            raise UnknownInteraction
        callback = self._read_type(interaction, form)
        data = form.form("data") or Form({}, path=("data",))
        self._apply(interaction, callback, data, uploads)
        interaction.answered_with = callback
        self._stop_timer(interaction)
        interaction.outcome.acknowledged = True
        interaction.outcome.ack_ms = waited * 1000
        interaction.outcome.callback_type = callback.value
        interaction.outcome.decide()
        return interaction

    def _read_type(self, interaction: Interaction, form: Form) -> Callback:
        allowed = sorted(int(callback) for callback in interaction.allowed_callbacks)
        value = form.choice("type", allowed, required=True)
        form.finish()
        return Callback(value)

    def _apply(
        self,
        interaction: Interaction,
        callback: Callback,
        data: Form,
        uploads: dict[int, Upload],
    ) -> None:
        match callback:
            case Callback.MESSAGE:
                draft = self._draft(data, uploads)
                interaction.original = self._post(interaction, draft, draft.flags)
            case Callback.DEFERRED_MESSAGE:
                flags = (data.integer("flags", least=0, most=2**31) or 0) & EPHEMERAL
                data.finish()
                interaction.original = self._post(interaction, Draft(), flags | LOADING)
                interaction.fills_loading = True
            case Callback.DEFERRED_UPDATE:
                interaction.original = interaction.source
            case Callback.UPDATE:
                interaction.original = interaction.source
                self._change(interaction.source, data, uploads)
            case Callback.CHOICES:
                interaction.outcome.choices = _read_choices(data)
            case Callback.MODAL:
                interaction.outcome.modal = self._read_modal(interaction, data)
        interaction.outcome.response = interaction.original

    def _read_modal(self, interaction: Interaction, data: Form) -> Modal:
        title = data.text("title", least=1, most=45, required=True) or ""
        custom_id = data.text("custom_id", least=1, most=100, required=True) or ""
        components = ComponentReader(self._world.knows_emoji).modal(data)
        data.finish()
        return Modal(title, custom_id, components, interaction)

    # ── later answers ───────────────────────────────────────────────────────

    def by_token(self, token: str) -> Interaction:
        """Return the interaction whose token may be used for follow-ups now.

        Raises:
            ApiError: 10015 before the first answer and for an unknown token, 50027 after 15 min.
        """
        interaction = self._by_token.get(token)
        if interaction is None:
            raise UnknownWebhook
        if self._world.clock.monotonic() - interaction.opened_at > TOKEN_SECONDS:
            raise InvalidWebhookToken
        if interaction.answered_with in (None, Callback.CHOICES):
            raise UnknownWebhook
        return interaction

    def channel_of(self, token: str) -> int:
        """Return the channel of an interaction; 0 for an unknown token."""
        interaction = self._by_token.get(token)
        return interaction.channel.id if interaction else 0

    def follow_up(self, token: str, form: Form, uploads: dict[int, Upload]) -> SimMessage:
        """Post a further message; right after a deferral it becomes the deferred answer."""
        interaction = self.by_token(token)
        draft = self._draft(form, uploads)
        original = interaction.original
        if interaction.fills_loading and original and original.loading and not original.deleted:
            interaction.fills_loading = False
            draft.flags &= ~EPHEMERAL
            self._world.board.fill(original, draft)
            interaction.outcome.news.ring()
            return original
        return self._post(interaction, draft, draft.flags, follows_up=True)

    def message(self, token: str, reference: str) -> SimMessage:
        """Return @original or a follow-up of an interaction."""
        interaction = self.by_token(token)
        if reference == ORIGINAL:
            message = interaction.original
        else:
            known = self._world.messages.get(int(reference)) if reference.isdigit() else None
            mine = known is not None and (
                known.interaction_id == interaction.id or known is interaction.original
            )
            message = known if mine else None
        if message is None or message.deleted:
            raise UnknownMessage
        return message

    def edit(
        self, token: str, reference: str, form: Form, uploads: dict[int, Upload]
    ) -> SimMessage:
        """Change @original or a follow-up."""
        interaction = self.by_token(token)
        message = self.message(token, reference)
        self._change(message, form, uploads)
        if message is interaction.original:
            interaction.fills_loading = False
        interaction.outcome.news.ring()
        return message

    def delete(self, token: str, reference: str) -> None:
        """Delete @original or a follow-up."""
        interaction = self.by_token(token)
        self._world.board.delete([self.message(token, reference)])
        interaction.outcome.news.ring()

    # ── own ─────────────────────────────────────────────────────────────────

    def _draft(self, form: Form, uploads: dict[int, Upload]) -> Draft:
        return read_draft(form, uploads, self._world.knows_emoji, settable=SETTABLE_IN_ANSWERS)

    def _change(self, message: SimMessage | None, form: Form, uploads: dict[int, Upload]) -> None:
        if message is None or message.deleted:
            raise UnknownMessage
        changes = read_changes(form, uploads, self._world.knows_emoji, message)
        self._world.board.edit(message, changes, default_mentions=USERS_ONLY)

    def _post(
        self, interaction: Interaction, draft: Draft, flags: int, *, follows_up: bool = False
    ) -> SimMessage:
        ephemeral = bool(flags & EPHEMERAL)
        target = interaction.original if follows_up else interaction.source
        bot = self._world.bot
        rights = self._world.allowed(interaction.channel)
        sender = Sender(
            user=bot,
            type=19 if follows_up else interaction.message_type,
            webhook_id=self._world.application.id,
            application_id=self._world.application.id,
            interaction_id=interaction.id,
            interaction_metadata=self._metadata(interaction, follows_up=follows_up),
            only_for=interaction.member.user if ephemeral else None,
            flags=flags & (EPHEMERAL | LOADING),
            default_mentions=USERS_ONLY,
            rights=rights | Permission.SEND_MESSAGES,
        )
        message = self._world.board.post(interaction.channel, draft, sender, replied_to=target)
        interaction.outcome.messages.append(message)
        interaction.outcome.news.ring()
        return message

    def _metadata(self, interaction: Interaction, *, follows_up: bool) -> Json:
        guild = interaction.channel.guild_or_none
        metadata: Json = {
            "id": str(interaction.id),
            "type": int(interaction.kind),
            "user": interaction.member.user.json(),
            "authorizing_integration_owners": {"0": str(guild.id) if guild else "0"},
        }
        if interaction.command_name is not None:
            metadata["name"] = interaction.command_name
            metadata["command_type"] = interaction.command_type
        if interaction.source is not None:
            metadata["interacted_message_id"] = str(interaction.source.id)
        if follows_up and interaction.original is not None:
            metadata["original_response_message_id"] = str(interaction.original.id)
        return metadata


def _read_choices(data: Form) -> list[Json]:
    read: list[Json] = []
    for choice in data.forms("choices", most=_MOST_CHOICES, required=True):
        value = choice.get("value")
        if isinstance(value, str):
            value = choice.text("value", most=100, required=True)
        elif isinstance(value, bool) or not isinstance(value, int | float):
            choice.complain("value", "BASE_TYPE_REQUIRED", "This field is required")
        read.append({"name": choice.text("name", least=1, most=100, required=True), "value": value})
    data.finish()
    return read


def callback_json(interaction: Interaction, message: Json | None) -> Json:
    """Return what the callback route answers with `with_response=true`."""
    original = interaction.original
    body: Json = {
        "interaction": {
            "id": str(interaction.id),
            "type": int(interaction.kind),
        }
    }
    if original is not None:
        body["interaction"] |= {
            "response_message_id": str(original.id),
            "response_message_loading": original.loading,
            "response_message_ephemeral": original.ephemeral,
        }
    if interaction.answered_with is None:
        raise ApiError(500, 0, "not answered")
    body["resource"] = {"type": int(interaction.answered_with)}
    if message is not None:
        body["resource"]["message"] = message
    return body
