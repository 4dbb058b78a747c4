"""Member lists on demand (Discord, "Request Guild Members")."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.simulator.errors import Json
from tests.simulator.guild import Guild
from tests.simulator.member import Member
from tests.simulator.snowflake import as_snowflake

WHOLE_LIST_SECONDS = 30.0
"""A guild's whole list can be asked for so often."""

_CHUNK = 1000
_MOST_SEARCHED = 100
_NONCE_BYTES = 32


@dataclass(frozen=True)
class MembersRequest:
    """An op 8."""

    guild_id: int
    query: str | None
    user_ids: tuple[int, ...]
    limit: int
    nonce: str | None

    @property
    def whole_list(self) -> bool:
        """Whether everybody is asked for."""
        return self.query == "" and self.limit == 0


def read_request(data: Json) -> MembersRequest:
    """Read an op 8; a nonce that is too long is dropped without a word."""
    nonce = data.get("nonce")
    if not isinstance(nonce, str) or len(nonce.encode()) > _NONCE_BYTES:
        nonce = None
    ids: Any = data.get("user_ids")
    listed = ids if isinstance(ids, list) else [] if ids is None else [ids]
    return MembersRequest(
        guild_id=as_snowflake(data.get("guild_id")) or 0,
        query=data["query"] if isinstance(data.get("query"), str) else None,
        user_ids=tuple(number for entry in listed if (number := as_snowflake(entry)) is not None),
        limit=data["limit"] if isinstance(data.get("limit"), int) else 0,
        nonce=nonce,
    )


def chunks(guild: Guild, request: MembersRequest) -> Iterator[Json]:
    """Return the GUILD_MEMBERS_CHUNK events that answer a request."""
    found, unknown = _find(guild, request)
    count = max(1, -(-len(found) // _CHUNK))
    for index in range(count):
        part = found[index * _CHUNK : (index + 1) * _CHUNK]
        chunk: Json = {
            "guild_id": str(guild.id),
            "members": [member.json() for member in part],
            "chunk_index": index,
            "chunk_count": count,
        }
        if unknown:
            chunk["not_found"] = [str(user_id) for user_id in unknown]
        if request.nonce is not None:
            chunk["nonce"] = request.nonce
        yield chunk


def refusal_json(request: MembersRequest, wait: float) -> Json:
    """Return the RATE_LIMITED event for a whole list that was asked for too soon."""
    meta = {"guild_id": str(request.guild_id), "nonce": request.nonce}
    return {"opcode": 8, "retry_after": round(wait, 3), "meta": meta}


def _find(guild: Guild, request: MembersRequest) -> tuple[list[Member], list[int]]:
    if request.whole_list:
        return list(guild.members.values()), []
    if request.query is not None:
        prefix = request.query.lower()
        found = [
            member
            for member in guild.members.values()
            if member.user.username.startswith(prefix)
            or (member.nick or "").lower().startswith(prefix)
        ]
        limit = min(request.limit or _MOST_SEARCHED, _MOST_SEARCHED)
        return found[:limit], []
    wanted = request.user_ids[:_MOST_SEARCHED]
    members = [guild.members[user_id] for user_id in wanted if user_id in guild.members]
    return members, [user_id for user_id in wanted if user_id not in guild.members]
