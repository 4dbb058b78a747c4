"""INTERACTION_CREATE payloads as the gateway sends them."""

from typing import Any

MESSAGE = 5 << 22
"""A message id; Discord's ids count milliseconds above their lowest 22 bits."""

GUILD, CHANNEL, APPLICATION = 10, 20, 30


def _interaction(
    kind: int, data: dict[str, Any], *, user: int, interaction_id: int, age_ms: int = 0
) -> dict[str, Any]:
    snowflake = MESSAGE + (age_ms << 22) + interaction_id
    return {
        "id": str(snowflake),
        "application_id": str(APPLICATION),
        "type": kind,
        "token": f"token-{interaction_id}",
        "version": 1,
        "guild_id": str(GUILD),
        "channel_id": str(CHANNEL),
        "member": {
            "user": {
                "id": str(user),
                "username": f"user{user}",
                "global_name": "Ada",
                "discriminator": "0",
                "avatar": None,
            },
            "nick": None,
            "roles": ["77"],
            "permissions": "8",
        },
        "data": data,
    }


def component(
    custom_id: str,
    *,
    number: int,
    user: int = 1,
    message: int = MESSAGE,
    values: list[str] | None = None,
    age_ms: int = 1000,
) -> dict[str, Any]:
    data: dict[str, Any] = {"custom_id": custom_id, "component_type": 2}
    if values is not None:
        data |= {"component_type": 3, "values": values}
    payload = _interaction(3, data, user=user, interaction_id=number, age_ms=age_ms)
    return {**payload, "message": {"id": str(message)}}


def modal_submit(custom_id: str, typed: dict[str, str], *, number: int = 1) -> dict[str, Any]:
    rows = [
        {"type": 1, "components": [{"type": 4, "custom_id": name, "value": value}]}
        for name, value in typed.items()
    ]
    data = {"custom_id": custom_id, "components": rows}
    return _interaction(5, data, user=1, interaction_id=number)


def autocomplete(name: str, options: list[dict[str, Any]], *, number: int = 1) -> dict[str, Any]:
    data = {"id": "9", "name": name, "type": 1, "options": options}
    return _interaction(4, data, user=1, interaction_id=number)


def command(name: str, *, number: int = 1) -> dict[str, Any]:
    data = {"id": "9", "name": name, "type": 1}
    return _interaction(2, data, user=1, interaction_id=number)
