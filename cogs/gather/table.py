"""Tables in a code block, as wide as they need to be and no longer than Discord takes.

Letters of a code block have one width, but not all characters are letters: emoji and East Asian
characters take two cells, joiners and combining marks none.
"""

import unicodedata
from collections.abc import Sequence

from bot.kit.typed_text import plain, units

_NAME_WIDTHS = (21, 16, 12, 9)
"""Cells for the longest name; the next narrower where the table gets too long."""
_NO_BACKTICK = "\u02cb"
"""Looks like a backtick and ends no code block."""
_FENCES = units("```\n```")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, room: int) -> str:
    """Return a code block of at most `room` units; the first column holds names.

    Names are typed by members and made harmless here. Rows that do not fit are left out at the
    end, with a line that says how many.
    """
    lines: list[str] = []
    for widest in _NAME_WIDTHS:
        lines = _lines(head, [[_name(row[0], widest), *row[1:]] for row in rows])
        if _size(lines) <= room:
            return _fenced(lines)
    return _fenced(_shortened(lines, room))


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [head, *rows]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(_padded, row, widths)).rstrip() for row in cells]
    return [lines[0], "─" * (sum(widths) + 2 * (len(head) - 1)), *lines[1:]]


def _shortened(lines: Sequence[str], room: int) -> list[str]:
    head, rows = lines[:2], lines[2:]
    room -= _size([*head, _left_out(len(rows))])
    kept = 0
    for line in rows:
        room -= units(line) + 1
        if room < 0:
            break
        kept += 1
    return [*head, *rows[:kept], _left_out(len(rows) - kept)]


def _left_out(count: int) -> str:
    return f"… and {count} more"


def _size(lines: Sequence[str]) -> int:
    return _FENCES + sum(units(line) + 1 for line in lines)


def _fenced(lines: Sequence[str]) -> str:
    return "\n".join(["```", *lines, "```"])


def _name(typed: str, widest: int) -> str:
    """Return a name cut to so many cells."""
    name = plain(typed, 100).replace("`", _NO_BACKTICK) or "?"
    if _width(name) <= widest:
        return name
    cut = ""
    for character in name:
        if _width(cut + character) > widest - 1:
            break
        cut += character
    return cut.rstrip() + "…"


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    """Return how many cells a text takes."""
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
