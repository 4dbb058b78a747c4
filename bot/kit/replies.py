"""What the bot says, as values in one visual style; `body` is the JSON that Discord gets.

Limits are Discord's for messages and embeds (API v10, "Message" and "Embed Limits"). Text that
members typed is made harmless by `bot.kit.typed_text` before it gets here; nothing pings unless
`pings` names the user.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypedDict, Unpack

from bot.kit.typed_text import cut, units

type Json = dict[str, Any]

_CONTENT = 2000
_TITLE = 256
_DESCRIPTION = 4096
_FIELDS = 25
_FIELD_NAME = 256
_FIELD_VALUE = 1024
_FOOTER = 2048
_EMBED = 6000


class Kind(Enum):
    """What a reply means; its value is the embed's colour."""

    DONE = 0x57F287
    INFO = 0x3498DB
    WAITING = 0xE67E22
    REFUSED = 0xED4245
    """Refused, or failed."""
    EMPTY = 0xF1C40F
    """Nothing was found."""


_LIFETIME_SECONDS = {
    Kind.DONE: 30.0,
    Kind.INFO: 30.0,
    Kind.WAITING: 30.0,
    Kind.REFUSED: 20.0,
    Kind.EMPTY: 20.0,
}


@dataclass(frozen=True, slots=True)
class Field:
    """A named part of a reply."""

    name: str
    value: str
    inline: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One message of the bot.

    `title` begins with one emoji; `text`, field names and values are Markdown, `footer` is plain.
    `rows` are action rows as Discord's JSON (`bot.kit.clicks` builds them).
    """

    kind: Kind
    title: str
    text: str = ""
    fields: tuple[Field, ...] = ()
    footer: str = ""
    url: str | None = None
    """Where the title leads."""
    picture: str | None = None
    """Address of a small picture beside the text."""
    content: str = ""
    """Text above the embed; only this can ping."""
    pings: tuple[int, ...] = ()
    """Users that `content` may ping."""
    rows: tuple[Json, ...] = ()
    stays: bool = False
    """Whether it is kept; otherwise it deletes itself after `lifetime` seconds."""
    seconds: float | None = None
    """How long it is shown, where that is not as long as others of its kind."""

    @property
    def lifetime(self) -> float | None:
        """Seconds until it deletes itself; None where it stays."""
        return None if self.stays else self.seconds or _LIFETIME_SECONDS[self.kind]

    def kept(self) -> "Reply":
        """Return the same message without an end of its own."""
        return replace(self, stays=True)

    def with_rows(self, *rows: Json) -> "Reply":
        """Return the same message with other components."""
        return replace(self, rows=rows)

    def body(self) -> Json:
        """Return the message as JSON; as an edit it replaces everything that was there."""
        return {
            "content": cut(self.content, _CONTENT),
            "embeds": [self._embed()],
            "components": list(self.rows),
            "allowed_mentions": {"parse": [], "users": [str(user) for user in self.pings]},
        }

    def _embed(self) -> Json:
        title = cut(self.title, _TITLE)
        footer = cut(self.footer, _FOOTER)
        room = _EMBED - units(title) - units(footer)
        embed: Json = {"title": title, "color": self.kind.value}
        if self.text:
            text = cut(self.text, min(_DESCRIPTION, room))
            embed["description"] = text
            room -= units(text)
        if fields := _fitting(self.fields, room):
            embed["fields"] = fields
        if footer:
            embed["footer"] = {"text": footer}
        if self.url is not None and self.url.startswith(("http://", "https://")):
            embed["url"] = self.url
        if self.picture is not None and self.picture.startswith(("http://", "https://")):
            embed["thumbnail"] = {"url": self.picture}
        return embed


def _fitting(fields: tuple[Field, ...], room: int) -> list[Json]:
    """Return the leading fields whose text fits into `room` units."""
    fitting: list[Json] = []
    for field in fields[:_FIELDS]:
        name, value = cut(field.name, _FIELD_NAME), cut(field.value, _FIELD_VALUE)
        room -= units(name) + units(value)
        if room < 0:
            break
        fitting.append({"name": name, "value": value, "inline": field.inline})
    return fitting


class _Parts(TypedDict, total=False):
    fields: tuple[Field, ...]
    footer: str
    url: str | None
    picture: str | None
    content: str
    pings: tuple[int, ...]
    rows: tuple[Json, ...]
    stays: bool
    seconds: float | None


def done(title: str, text: str = "", **parts: Unpack[_Parts]) -> Reply:
    """Say that what was asked for has happened."""
    return Reply(kind=Kind.DONE, title=title, text=text, **parts)


def info(title: str, text: str = "", **parts: Unpack[_Parts]) -> Reply:
    """Show what was asked for."""
    return Reply(kind=Kind.INFO, title=title, text=text, **parts)


def waiting(title: str, text: str = "", **parts: Unpack[_Parts]) -> Reply:
    """Say that something is paused, or not finished yet."""
    return Reply(kind=Kind.WAITING, title=title, text=text, **parts)


def refused(title: str, text: str = "", **parts: Unpack[_Parts]) -> Reply:
    """Say that something cannot be, or failed."""
    return Reply(kind=Kind.REFUSED, title=title, text=text, **parts)


def empty(title: str, text: str = "", **parts: Unpack[_Parts]) -> Reply:
    """Say that there is nothing."""
    return Reply(kind=Kind.EMPTY, title=title, text=text, **parts)
