"""Reads the gateway's INTERACTION_CREATE (API v10, "Interaction Object") into our values."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from bot.kit.clicks.answer import AnswerClient, InteractionAnswer
from bot.kit.clicks.click import AutocompleteRequest, Click, ModalSubmit, OptionValue

type Payload = Mapping[str, Any]

COMPONENT = 3
AUTOCOMPLETE = 4
MODAL_SUBMIT = 5

_SUBCOMMAND = 1
_GROUP = 2


class _ByMember(TypedDict):
    number: int
    user_id: int
    user_name: str
    guild_id: int | None
    channel_id: int
    permissions: int
    role_ids: frozenset[int]
    received_at: float


def click_from(
    payload: Payload, *, number: int, received_at: float, answers: AnswerClient
) -> Click:
    """Read a component interaction, taken as acknowledged."""
    data = payload["data"]
    return Click(
        **_by_member(payload, number=number, received_at=received_at),
        custom_id=data["custom_id"],
        values=tuple(data.get("values", ())),
        message_id=int(payload["message"]["id"]),
        acknowledged=True,
        token=payload["token"],
        answer=_answer(payload, answers, received_at=received_at),
    )


def modal_submit_from(
    payload: Payload, *, number: int, received_at: float, answers: AnswerClient
) -> ModalSubmit:
    """Read a form that was sent off, taken as acknowledged."""
    data = payload["data"]
    message = payload.get("message")
    return ModalSubmit(
        **_by_member(payload, number=number, received_at=received_at),
        custom_id=data["custom_id"],
        fields=dict(_typed_fields(data.get("components", ()))),
        message_id=int(message["id"]) if message else None,
        acknowledged=True,
        token=payload["token"],
        answer=_answer(payload, answers, received_at=received_at),
    )


def autocomplete_from(payload: Payload, *, number: int, received_at: float) -> AutocompleteRequest:
    """Read a request for suggestions.

    Raises:
        ValueError: no field is marked as the one that is typed into.
    """
    data = payload["data"]
    words = [data["name"]]
    options = data.get("options", ())
    while options and options[0]["type"] in (_SUBCOMMAND, _GROUP):
        words.append(options[0]["name"])
        options = options[0].get("options", ())
    focused = [option for option in options if option.get("focused")]
    if not focused:
        raise ValueError("an autocomplete request names no field")
    return AutocompleteRequest(
        **_by_member(payload, number=number, received_at=received_at),
        command=" ".join(words),
        option=focused[0]["name"],
        typed=str(focused[0].get("value", "")),
        options=_values(option for option in options if not option.get("focused")),
    )


def _values(options: Iterable[Mapping[str, Any]]) -> dict[str, OptionValue]:
    return {option["name"]: option["value"] for option in options if "value" in option}


def _typed_fields(components: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    """Find the inputs in rows (`components`) and in labels (`component`)."""
    for component in components:
        if "custom_id" in component and "value" in component:
            yield component["custom_id"], component["value"]
        inner = component.get("components") or [component.get("component") or {}]
        yield from (
            (i["custom_id"], i["value"]) for i in inner if "custom_id" in i and "value" in i
        )


def _by_member(payload: Payload, *, number: int, received_at: float) -> _ByMember:
    member = payload.get("member") or {}
    user = member.get("user") or payload["user"]
    guild_id = payload.get("guild_id")
    return _ByMember(
        number=number,
        user_id=int(user["id"]),
        user_name=member.get("nick") or user.get("global_name") or user.get("username", ""),
        guild_id=int(guild_id) if guild_id else None,
        channel_id=int(payload.get("channel_id") or payload.get("channel", {}).get("id") or 0),
        permissions=int(member.get("permissions", 0)),
        role_ids=frozenset(int(role) for role in member.get("roles", ())),
        received_at=received_at,
    )


def _answer(payload: Payload, answers: AnswerClient, *, received_at: float) -> InteractionAnswer:
    return answers.to(
        application_id=int(payload["application_id"]),
        token=payload["token"],
        received_at=received_at,
    )
