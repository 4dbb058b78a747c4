"""Makes what members typed harmless: it is shown as written, and can ping, format or break nothing.

Whatever comes from outside (titles, names, reasons, queries, file names) passes through one of
these functions before it stands in a message. They differ in where the text will stand: `plain`
where Discord shows no Markdown (footers, buttons, presence), `escaped` where it does, `code` and
`code_block` inside backticks, `link` as the text of a link.

Lengths are counted in UTF-16 units. Whether Discord counts those or code points is not documented;
the former is never the smaller number, so a text that fits here fits there.
"""

import re
import unicodedata
from urllib.parse import quote

_ELLIPSIS = "…"
_NO_PING = "\u200b"
"""A zero-width space; after an @ no client reads a mention."""

_MARKDOWN = frozenset("\\*_~|`[]<>")
_LINE_MARKERS = frozenset("#>-+")
"""Characters that format a line when they begin it."""
_NUMBERED = re.compile(r"\d+\.")

_BACKTICK = "\u02cb"
"""Looks like a backtick and ends no code."""

_JOINERS = frozenset("\u200c\u200d")
"""Format characters that emoji and some scripts need."""
_MAX_MARKS = 3
"""Combining marks kept in a row; more only pile up over other lines."""

_URL_SAFE = ":/?#@!$&'*+,;=%~"


def units(text: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(text) + sum(ord(character) > 0xFFFF for character in text)  # noqa: PLR2004 -- the BMP


def cut(text: str, limit: int) -> str:
    """Return `text`, ending in "…" where it had to be shortened to `limit` units."""
    if len(text) * 2 <= limit or units(text) <= limit:
        return text
    room = limit - 1
    end = 0
    for character in text:
        room -= units(character)
        if room < 0:
            break
        end += 1
    return text[:end].rstrip() + _ELLIPSIS


def plain(typed: str, limit: int) -> str:
    """Return one line of at most `limit`, without control, direction and invisible characters."""
    kept: list[str] = []
    marks = 0
    for character in typed[: limit * 4]:
        category = unicodedata.category(character)
        if category.startswith("Z") or category == "Cc":
            character = " "  # noqa: PLW2901 -- line ends and tabs become spaces
        elif category in {"Cf", "Cs"} and character not in _JOINERS:
            continue
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks <= _MAX_MARKS:
            kept.append(character)
    return cut(" ".join("".join(kept).split()), limit)


def _escape(line: str) -> str:
    escaped = "".join(
        f"\\{character}" if character in _MARKDOWN else character for character in line
    )
    if escaped[:1] in _LINE_MARKERS:
        escaped = f"\\{escaped}"
    elif numbered := _NUMBERED.match(escaped):
        end = numbered.end() - 1
        escaped = f"{escaped[:end]}\\{escaped[end:]}"
    return escaped.replace("@", f"@{_NO_PING}")


def escaped(typed: str, limit: int) -> str:
    """Return one line for a place with Markdown; the result is at most `limit` long."""
    shorter = limit
    while True:
        text = _escape(plain(typed, shorter))
        excess = units(text) - limit
        if excess <= 0:
            return text
        shorter -= max(1, excess // 2)


def code(typed: str, limit: int) -> str:
    """Return the text as inline code; a backtick in it becomes a look-alike."""
    inside = plain(typed, limit - 2).replace("`", _BACKTICK)
    return f"`{inside or ' '}`"


def code_block(typed: str, limit: int) -> str:
    """Return several lines as a code block that they cannot break out of."""
    lines = [plain(line, limit) for line in typed.splitlines()]
    inside = "\n".join(lines).replace("`", _BACKTICK)
    return f"```\n{cut(inside, limit - 8)}\n```"


def link(typed: str, url: str, limit: int) -> str:
    """Return `typed` as the text of a link to `url`, or alone where that is no short web link.

    The whole result is at most `limit` long.
    """
    address = quote(url, safe=_URL_SAFE) if url.startswith(("http://", "https://")) else ""
    room = limit - len(address) - 4
    if not address or room < limit // 3:
        return escaped(typed, limit)
    return f"[{escaped(typed, room) or _ELLIPSIS}]({address})"
