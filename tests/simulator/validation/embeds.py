"""The limits of embeds (Discord, "Embed Limits")."""

from datetime import datetime

from tests.simulator.errors import Json
from tests.simulator.form import Form

_MOST_EMBEDS = 10
_MOST_CHARACTERS = 6000
_MOST_FIELDS = 25
_URL_CHARACTERS = 2048


def read_embeds(form: Form) -> list[Json]:
    """Read the field `embeds` as Discord would show it."""
    embeds: list[Json] = []
    characters = 0
    for embed in form.forms("embeds", most=_MOST_EMBEDS):
        read, length = _read_embed(embed)
        embeds.append(read)
        characters += length
    if characters > _MOST_CHARACTERS:
        form.complain(
            "embeds",
            "MAX_EMBED_SIZE_EXCEEDED",
            f"Embed size exceeds maximum size of {_MOST_CHARACTERS}",
        )
    return embeds


def _read_embed(embed: Form) -> tuple[Json, int]:
    read: Json = {"type": "rich"}
    lengths = [
        _keep_text(read, embed, "title", 256),
        _keep_text(read, embed, "description", 4096),
    ]
    _keep_url(read, embed, "url", attachments=False)
    if (color := embed.integer("color", least=0, most=0xFFFFFF)) is not None:
        read["color"] = color
    _keep_timestamp(read, embed)
    lengths.append(_read_footer(read, embed))
    lengths.append(_read_author(read, embed))
    for name in ("image", "thumbnail"):
        if (picture := embed.form(name)) is not None:
            kept: Json = {}
            _keep_url(kept, picture, "url", required=True)
            read[name] = {**kept, "width": 0, "height": 0, "flags": 0}
    fields = embed.forms("fields", most=_MOST_FIELDS)
    if fields:
        read["fields"] = [_read_field(entry) for entry in fields]
        lengths += [len(f["name"]) + len(f["value"]) for f in read["fields"]]
    shown = {"title", "description", "fields", "image", "thumbnail", "author", "footer"}
    if not shown & read.keys():
        embed.complain("description", "BASE_TYPE_REQUIRED", "This field is required")
    return read, sum(lengths)


def _read_footer(read: Json, embed: Form) -> int:
    footer = embed.form("footer")
    if footer is None:
        return 0
    read["footer"] = kept = {"text": footer.text("text", least=1, most=2048, required=True) or ""}
    _keep_url(kept, footer, "icon_url")
    return len(kept["text"])


def _read_author(read: Json, embed: Form) -> int:
    author = embed.form("author")
    if author is None:
        return 0
    read["author"] = kept = {"name": author.text("name", least=1, most=256, required=True) or ""}
    _keep_url(kept, author, "url", attachments=False)
    _keep_url(kept, author, "icon_url")
    return len(kept["name"])


def _read_field(entry: Form) -> Json:
    return {
        "name": entry.text("name", least=1, most=256, required=True) or "",
        "value": entry.text("value", least=1, most=1024, required=True) or "",
        "inline": bool(entry.boolean("inline")),
    }


def _keep_text(read: Json, form: Form, name: str, most: int) -> int:
    text = form.text(name, most=most)
    if text:
        read[name] = text
    return len(text or "")


def _keep_url(
    read: Json, form: Form, name: str, *, required: bool = False, attachments: bool = True
) -> None:
    url = form.text(name, most=_URL_CHARACTERS, required=required)
    if not url:
        return
    schemes = ("http://", "https://", *(("attachment://",) if attachments else ()))
    if not url.startswith(schemes):
        known = ", ".join(f"'{scheme[:-3]}'" for scheme in ("http://", "https://"))
        scheme = url.partition(":")[0]
        form.complain(
            name,
            "URL_TYPE_INVALID_SCHEME",
            f'Scheme "{scheme}" is not supported. Scheme must be one of ({known}).',
        )
    elif len(url.split("://", 1)[1]) == 0 or " " in url:
        form.complain(name, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
    read[name] = url


def _keep_timestamp(read: Json, embed: Form) -> None:
    value = embed.get("timestamp")
    if value is None:
        return
    try:
        read["timestamp"] = datetime.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        embed.complain(
            "timestamp", "DATE_TIME_TYPE_PARSE", f"Could not parse {value}. Should be ISO8601."
        )
