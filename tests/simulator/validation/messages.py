"""The limits of messages that a bot sends or edits (Discord, "Create Message", "Edit Message")."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.attachments import Upload
from tests.simulator.errors import EmptyMessage, Json, TooManyAttachments
from tests.simulator.form import Form
from tests.simulator.mentions import AllowedMentions, read_allowed_mentions
from tests.simulator.message import (
    EPHEMERAL,
    IS_COMPONENTS_V2,
    SUPPRESS_EMBEDS,
    SUPPRESS_NOTIFICATIONS,
    SimMessage,
)
from tests.simulator.validation.components import ComponentReader
from tests.simulator.validation.embeds import read_embeds

_CONTENT_CHARACTERS = 2000
_NONCE_CHARACTERS = 25
_MOST_ATTACHMENTS = 10
_VOICE_MESSAGE = 1 << 13

SETTABLE = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | _VOICE_MESSAGE | IS_COMPONENTS_V2
"""Flags that a new message may have."""
SETTABLE_IN_ANSWERS = SETTABLE | EPHEMERAL

type KnowsEmoji = Callable[[int], bool]


@dataclass
class Draft:
    """A message that passed all checks, before it is sent."""

    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    flags: int = 0
    tts: bool = False
    nonce: int | str | None = None
    enforce_nonce: bool = False
    allowed: AllowedMentions | None = None
    reference: Json | None = None


@dataclass
class Changes:
    """An edit that passed all checks; None means that a part stays as it is."""

    content: str | None = None
    embeds: list[Json] | None = None
    components: list[Json] | None = None
    keep_attachments: list[int] | None = None
    uploads: list[Upload] = field(default_factory=list)
    flags: int | None = None
    allowed: AllowedMentions | None = None


def read_draft(
    form: Form, uploads: dict[int, Upload], knows_emoji: KnowsEmoji, *, settable: int = SETTABLE
) -> Draft:
    """Read a new message.

    Raises:
        ApiError: It breaks a limit, or shows nothing.
    """
    draft = Draft(
        content=form.text("content", most=_CONTENT_CHARACTERS) or "",
        embeds=read_embeds(form),
        tts=bool(form.boolean("tts")),
        allowed=read_allowed_mentions(form),
        flags=(form.integer("flags", least=0, most=2**31) or 0) & settable,
        nonce=_nonce(form),
        enforce_nonce=bool(form.boolean("enforce_nonce")),
    )
    layout = bool(draft.flags & IS_COMPONENTS_V2)
    draft.components = ComponentReader(knows_emoji).message(form, layout=layout)
    draft.uploads = _described(form, uploads)
    reference = form.form("message_reference")
    if reference is not None:
        draft.reference = {
            "message_id": reference.snowflake("message_id", required=True),
            "channel_id": reference.snowflake("channel_id"),
            "guild_id": reference.snowflake("guild_id"),
            "fail_if_not_exists": reference.boolean("fail_if_not_exists") is not False,
        }
    if layout:
        _refuse_beside_layout(form, draft.content, draft.embeds)
    form.finish()
    if not (draft.content or draft.embeds or draft.components or draft.uploads):
        raise EmptyMessage
    return draft


def read_changes(
    form: Form, uploads: dict[int, Upload], knows_emoji: KnowsEmoji, message: SimMessage
) -> Changes:
    """Read an edit of a message.

    Raises:
        ApiError: It breaks a limit, or leaves nothing to show.
    """
    changes = Changes(allowed=read_allowed_mentions(form))
    if "content" in form:
        changes.content = form.text("content", most=_CONTENT_CHARACTERS) or ""
    if "embeds" in form:
        changes.embeds = read_embeds(form)
    if form.get("flags") is not None:
        wanted = form.integer("flags", least=0, most=2**31) or 0
        kept = message.flags & ~SUPPRESS_EMBEDS
        changes.flags = kept | (wanted & (SUPPRESS_EMBEDS | IS_COMPONENTS_V2))
    flags = message.flags if changes.flags is None else changes.flags
    layout = bool(flags & IS_COMPONENTS_V2)
    if "components" in form:
        changes.components = ComponentReader(knows_emoji).message(form, layout=layout)
    if "attachments" in form:
        changes.keep_attachments = _kept_attachments(form, message)
    changes.uploads = _described(form, uploads)
    if layout:
        _refuse_beside_layout(form, changes.content or "", changes.embeds or [])
    form.finish()
    if _is_empty_after(changes, message):
        raise EmptyMessage
    return changes


def _is_empty_after(changes: Changes, message: SimMessage) -> bool:
    pairs: list[tuple[Any, Any]] = [
        (changes.content, message.content),
        (changes.embeds, message.embeds),
        (changes.components, message.components),
        (changes.keep_attachments, message.attachments),
    ]
    left = any(old if new is None else new for new, old in pairs)
    return not left and not changes.uploads


def _nonce(form: Form) -> int | str | None:
    nonce = form.get("nonce")
    if nonce is not None and (
        isinstance(nonce, bool)
        or not isinstance(nonce, int | str)
        or len(str(nonce)) > _NONCE_CHARACTERS
    ):
        message = "The specified nonce is too long or is not a valid type."
        form.complain("nonce", "NONCE_TYPE_TOO_LONG", message)
        return None
    return nonce


def _refuse_beside_layout(form: Form, content: str, embeds: list[Json]) -> None:
    for name, value in (("content", content), ("embeds", embeds)):
        if value:
            form.complain(
                name,
                "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
            )


def _described(form: Form, uploads: dict[int, Upload]) -> list[Upload]:
    """Give the uploaded files the names and descriptions that `attachments` has for them."""
    if len(uploads) > _MOST_ATTACHMENTS:
        raise TooManyAttachments
    described = dict(uploads)
    for entry in form.forms("attachments", most=_MOST_ATTACHMENTS):
        number = entry.snowflake("id", required=True)
        description = entry.text("description", most=1024)
        name = entry.text("filename", most=1024)
        if number in described:
            upload = described[number]
            described[number] = Upload(name or upload.filename, upload.data, description)
    return [described[number] for number in sorted(described)]


def _kept_attachments(form: Form, message: SimMessage) -> list[int]:
    known = {int(attachment["id"]) for attachment in message.attachments}
    ids = [entry.snowflake("id", required=True) for entry in form.forms("attachments", most=10)]
    return [number for number in ids if number in known]
