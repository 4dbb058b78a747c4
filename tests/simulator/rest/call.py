"""One request of the bot, read and ready for its handler."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson
from aiohttp import web

from tests.simulator.attachments import Upload
from tests.simulator.errors import ApiError, BrokenJson, Json, TooLarge
from tests.simulator.form import Form
from tests.simulator.snowflake import as_snowflake

if TYPE_CHECKING:
    from tests.simulator.world import World

MOST_BYTES = 25 * 1024 * 1024
MOST_FILE_BYTES = 10 * 1024 * 1024
_REASON_CHARACTERS = 512


@dataclass
class Call:
    """A request: what was asked, with what."""

    world: "World"
    method: str
    path: str
    parameters: dict[str, str]
    query: dict[str, str]
    body: Any = None
    uploads: dict[int, Upload] = field(default_factory=dict)
    reason: str | None = None

    @property
    def form(self) -> Form:
        """The body, which must be an object (an absent one is empty)."""
        if self.body is None:
            return Form({})
        if not isinstance(self.body, dict):
            wrong = Form({})
            wrong.complain("", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            wrong.finish()
        return Form(self.body)

    def id(self, name: str) -> int:
        """Return an id of the path; anything else there is a form error."""
        value = as_snowflake(self.parameters[name])
        if value is None:
            form = Form({})
            raw = self.parameters[name]
            form.complain(name, "NUMBER_TYPE_COERCE", f'Value "{raw}" is not snowflake.')
            form.finish()
            raise AssertionError
        return value

    def ids(self, *names: str) -> tuple[int, ...]:
        """Return ids of the path."""
        return tuple(self.id(name) for name in names)


@dataclass(frozen=True)
class Answer:
    """What a handler answers."""

    status: int = 200
    body: Json | list[Any] | None = None


NO_CONTENT = Answer(204)


async def read_body(request: web.BaseRequest) -> tuple[Any, dict[int, Upload]]:
    """Read JSON, or multipart with `payload_json` and `files[n]`.

    Raises:
        ApiError: 50109 for broken JSON, 40005 for too much, 50035 for another content type.
    """
    if not request.can_read_body:
        return None, {}
    content_type = request.content_type
    if content_type == "multipart/form-data":
        return await _read_multipart(request)
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge from None
    if not raw:
        return None, {}
    if content_type != "application/json":
        message = (
            f'Expected "Content-Type" header to be one of application/json, not {content_type}'
        )
        errors = {"_errors": [{"code": "CONTENT_TYPE_INVALID", "message": message}]}
        raise ApiError(400, 50035, "Invalid Form Body", errors=errors)
    return _parse(raw), {}


def read_reason(request: web.BaseRequest) -> str | None:
    """Read the reason for the audit log, which is URL-encoded and has 1 to 512 characters."""
    raw = request.headers.get("X-Audit-Log-Reason")
    if raw is None:
        return None
    form = Form({"reason": unquote(raw)})
    reason = form.text("reason", least=1, most=_REASON_CHARACTERS)
    form.finish()
    return reason


async def _read_multipart(request: web.BaseRequest) -> tuple[Any, dict[int, Upload]]:
    body: Any = None
    uploads: dict[int, Upload] = {}
    total = 0
    async for part in await request.multipart():
        data = bytes(await part.read())  # type: ignore[union-attr]  # no nested multiparts here
        total += len(data)
        if total > MOST_BYTES or len(data) > MOST_FILE_BYTES:
            raise TooLarge
        name = part.name or ""  # type: ignore[union-attr]
        if name == "payload_json":
            body = _parse(data)
        elif name == "file" or (name.startswith("files[") and name.endswith("]")):
            number = as_snowflake(name[6:-1]) or 0
            uploads[number] = Upload(part.filename or "file", data)  # type: ignore[union-attr]
    return body, uploads


def _parse(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except ValueError:
        raise BrokenJson from None
