"""The limits of buttons, drop-down lists, forms and layout (Discord, "Component Reference")."""

from collections.abc import Callable

from tests.simulator.emoji import is_emoji
from tests.simulator.errors import Json
from tests.simulator.form import Form
from tests.simulator.snowflake import as_snowflake

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
ENTITY_SELECTS = {5: "user", 6: "role", 7: "mentionable", 8: "channel"}
SELECTS = frozenset({STRING_SELECT, *ENTITY_SELECTS})
SECTION, TEXT_DISPLAY, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL = (
    *range(9, 15),
    17,
    18,
)
_LAYOUT = frozenset({ROW, SECTION, TEXT_DISPLAY, GALLERY, FILE, SEPARATOR, CONTAINER})
_IN_CONTAINER = _LAYOUT - {CONTAINER}
_LINK, _PREMIUM = 5, 6
_MOST_ROWS, _MOST_IN_ROW, _MOST_IN_ALL = 5, 5, 40
_MOST_TEXT = 4000
_INT32 = 2**31 - 1


class ComponentReader:
    """Reads the components of one message or modal, in which ids and custom ids are unique.

    `knows_emoji` tells whether a custom emoji exists.
    """

    def __init__(self, knows_emoji: Callable[[int], bool]) -> None:
        self._knows_emoji = knows_emoji
        self._custom_ids: set[str] = set()
        self._ids: set[int] = set()
        self._count = 0
        self._text = 0

    # ── whole trees ─────────────────────────────────────────────────────────

    def message(self, form: Form, *, layout: bool) -> list[Json]:
        """Read a message's components; `layout` is the flag IS_COMPONENTS_V2."""
        if not layout:
            rows = form.forms("components", most=_MOST_ROWS)
            read = [self._row(row) for row in rows if self._kind(row, {ROW}) is not None]
        else:
            parts = form.forms("components", most=_MOST_IN_ALL)
            read = [self._layout(part, _LAYOUT) for part in parts]
            if self._count > _MOST_IN_ALL:
                form.complain(
                    "components",
                    "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
                    f"Must have {_MOST_IN_ALL} or fewer components in total.",
                )
            if self._text > _MOST_TEXT:
                form.complain(
                    "components",
                    "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
                    f"The total displayable text size must be {_MOST_TEXT} or fewer.",
                )
        return self._numbered(read)

    def modal(self, form: Form) -> list[Json]:
        """Read a modal's components: rows with a text input, or labels around one input."""
        parts = form.forms("components", least=1, most=5, required=True)
        read: list[Json] = []
        for part in parts:
            kind = self._kind(part, {ROW, LABEL, TEXT_DISPLAY})
            if kind == ROW:
                read.append(self._input_row(part))
            elif kind == LABEL:
                read.append(self._label(part))
            elif kind == TEXT_DISPLAY:
                read.append(self._text_display(part))
        return self._numbered(read)

    # ── layout ──────────────────────────────────────────────────────────────

    def _layout(self, part: Form, kinds: frozenset[int]) -> Json:
        kind = self._kind(part, kinds)
        if kind == ROW:
            return self._row(part)
        if kind == TEXT_DISPLAY:
            return self._text_display(part)
        if kind == SECTION:
            return self._section(part)
        if kind == CONTAINER:
            return self._container(part)
        self._count += 1
        read = {**self._base(part, kind or 0)}
        if kind == GALLERY:
            items = part.forms("items", least=1, most=10, required=True)
            read["items"] = [self._media(item, "media") for item in items]
        elif kind == FILE:
            read.update(self._media(part, "file"))
        elif kind == SEPARATOR:
            read["divider"] = part.boolean("divider") is not False
            read["spacing"] = part.integer("spacing", least=1, most=2) or 1
        return read

    def _container(self, part: Form) -> Json:
        self._count += 1
        read = self._base(part, CONTAINER)
        inside = part.forms("components", least=1, most=_MOST_IN_ALL, required=True)
        read["components"] = [self._layout(entry, _IN_CONTAINER) for entry in inside]
        color = part.integer("accent_color", least=0, most=0xFFFFFF)
        if color is not None:
            read["accent_color"] = color
        read["spoiler"] = bool(part.boolean("spoiler"))
        return read

    def _section(self, part: Form) -> Json:
        self._count += 1
        read = self._base(part, SECTION)
        texts = part.forms("components", least=1, most=3, required=True)
        read["components"] = [
            self._text_display(text)
            for text in texts
            if self._kind(text, {TEXT_DISPLAY}) is not None
        ]
        accessory = part.form("accessory", required=True)
        if accessory is not None:
            kind = self._kind(accessory, {BUTTON, THUMBNAIL})
            if kind == BUTTON:
                read["accessory"] = self._button(accessory)
            else:
                self._count += 1
                read["accessory"] = {
                    **self._base(accessory, THUMBNAIL),
                    **self._media(accessory, "media"),
                }
        return read

    def _text_display(self, part: Form) -> Json:
        self._count += 1
        content = part.text("content", least=1, most=_MOST_TEXT, required=True) or ""
        self._text += len(content)
        return {**self._base(part, TEXT_DISPLAY), "content": content}

    def _media(self, part: Form, name: str) -> Json:
        media = part.form(name, required=True)
        url = media.text("url", least=1, most=2048, required=True) if media else ""
        return {name: {"url": url}, "spoiler": bool(part.boolean("spoiler"))}

    # ── rows ────────────────────────────────────────────────────────────────

    def _row(self, row: Form) -> Json:
        self._count += 1
        read = self._base(row, ROW)
        entries = row.forms("components", least=1, most=_MOST_IN_ROW, required=True)
        inside: list[Json] = []
        selects = 0
        for entry in entries:
            kind = self._kind(entry, {BUTTON, *SELECTS})
            if kind is None:
                continue
            selects += kind in SELECTS
            inside.append(self._button(entry) if kind == BUTTON else self._select(entry, kind))
        if selects and len(entries) > 1:
            row.complain(
                "components",
                "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
                "The specified component exceeds the maximum width",
            )
        read["components"] = inside
        return read

    def _button(self, form: Form) -> Json:
        self._count += 1
        read = self._base(form, BUTTON)
        style = form.integer("style", least=1, most=6, required=True) or 0
        read["style"] = style
        if label := form.text("label", most=80):
            read["label"] = label
        if (emoji := self._emoji(form)) is not None:
            read["emoji"] = emoji
        if form.boolean("disabled"):
            read["disabled"] = True
        if style == _LINK:
            self._link(form, read)
        elif style == _PREMIUM:
            read["sku_id"] = str(form.snowflake("sku_id", required=True))
        elif 1 <= style < _LINK:
            read["custom_id"] = self._custom_id(form)
            if form.get("url") is not None:
                form.complain(
                    "url",
                    "BUTTON_COMPONENT_URL_FORBIDDEN",
                    "A button with a custom id must not have a url",
                )
        if style != _PREMIUM and "label" not in read and "emoji" not in read:
            form.complain("label", "BASE_TYPE_REQUIRED", "A label or an emoji is required")
        return read

    def _link(self, form: Form, read: Json) -> None:
        if form.get("custom_id") is not None:
            message = "A custom id and url cannot both be specified"
            form.complain("custom_id", "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", message)
        url = form.text("url", least=1, most=512, required=True) or ""
        if url and not url.startswith(("http://", "https://", "discord://")):
            scheme = url.partition(":")[0]
            form.complain(
                "url",
                "URL_TYPE_INVALID_SCHEME",
                f'Scheme "{scheme}" is not supported. '
                "Scheme must be one of ('http', 'https', 'discord').",
            )
        read["url"] = url

    def _select(self, form: Form, kind: int, *, in_modal: bool = False) -> Json:
        self._count += 1
        read = self._base(form, kind)
        read["custom_id"] = self._custom_id(form)
        if placeholder := form.text("placeholder", most=150):
            read["placeholder"] = placeholder
        least = form.integer("min_values", least=0, most=25)
        most = form.integer("max_values", least=1, most=25)
        read["min_values"] = 1 if least is None else least
        read["max_values"] = 1 if most is None else most
        if form.boolean("disabled"):
            read["disabled"] = True
        if kind == STRING_SELECT:
            read["options"] = self._options(form)
            if read["max_values"] > max(1, len(read["options"])):
                form.complain(
                    "max_values",
                    "SELECT_COMPONENT_MAX_VALUES_TOO_LARGE",
                    "max_values must not be larger than the number of options",
                )
        if read["min_values"] > read["max_values"]:
            form.complain(
                "min_values", "NUMBER_TYPE_MAX", "min_values must not be larger than max_values"
            )
        if kind == 8 and form.get("channel_types") is not None:
            read["channel_types"] = form.get("channel_types")
        if in_modal:
            read["required"] = form.boolean("required") is not False
        return read

    def _options(self, form: Form) -> list[Json]:
        read: list[Json] = []
        seen: set[str] = set()
        for option in form.forms("options", least=1, most=25, required=True):
            value = option.text("value", least=1, most=100, required=True) or ""
            if value and value in seen:
                option.complain(
                    "value",
                    "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                    "The specified option value is already used",
                )
            seen.add(value)
            entry: Json = {
                "label": option.text("label", least=1, most=100, required=True) or "",
                "value": value,
                "default": bool(option.boolean("default")),
            }
            if description := option.text("description", most=100):
                entry["description"] = description
            if (emoji := self._emoji(option)) is not None:
                entry["emoji"] = emoji
            read.append(entry)
        return read

    # ── modals ──────────────────────────────────────────────────────────────

    def _input_row(self, row: Form) -> Json:
        read = self._base(row, ROW)
        inputs = row.forms("components", least=1, most=1, required=True)
        read["components"] = [
            self._text_input(entry, labelled=True)
            for entry in inputs
            if self._kind(entry, {TEXT_INPUT}) is not None
        ]
        return read

    def _label(self, form: Form) -> Json:
        read = self._base(form, LABEL)
        read["label"] = form.text("label", least=1, most=45, required=True) or ""
        if description := form.text("description", most=100):
            read["description"] = description
        inside = form.form("component", required=True)
        if inside is not None:
            kind = self._kind(inside, {TEXT_INPUT, *SELECTS})
            if kind == TEXT_INPUT:
                read["component"] = self._text_input(inside, labelled=False)
            elif kind is not None:
                read["component"] = self._select(inside, kind, in_modal=True)
        return read

    def _text_input(self, form: Form, *, labelled: bool) -> Json:
        read = self._base(form, TEXT_INPUT)
        read["custom_id"] = self._custom_id(form)
        read["style"] = form.integer("style", least=1, most=2, required=True) or 1
        if labelled:
            read["label"] = form.text("label", least=1, most=45, required=True) or ""
        least = form.integer("min_length", least=0, most=4000)
        most = form.integer("max_length", least=1, most=4000)
        read["min_length"] = least or 0
        read["max_length"] = most or 4000
        read["required"] = form.boolean("required") is not False
        if placeholder := form.text("placeholder", most=100):
            read["placeholder"] = placeholder
        if value := form.text("value", most=read["max_length"]):
            read["value"] = value
        return read

    # ── parts of all ────────────────────────────────────────────────────────

    def _kind(self, form: Form, kinds: "frozenset[int] | set[int]") -> int | None:
        kind = form.choice("type", sorted(kinds), required=True)
        return kind if isinstance(kind, int) else None

    def _base(self, form: Form, kind: int) -> Json:
        read: Json = {"type": kind}
        number = form.integer("id", least=0, most=_INT32)
        if number:
            if number in self._ids:
                form.complain("id", "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated")
            self._ids.add(number)
            read["id"] = number
        return read

    def _custom_id(self, form: Form) -> str:
        custom_id = form.text("custom_id", least=1, most=100, required=True) or ""
        if custom_id and custom_id in self._custom_ids:
            form.complain(
                "custom_id",
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            )
        self._custom_ids.add(custom_id)
        return custom_id

    def _emoji(self, form: Form) -> Json | None:
        emoji = form.form("emoji")
        if emoji is None:
            return None
        name, emoji_id = emoji.text("name", most=100), as_snowflake(emoji.get("id"))
        known = self._knows_emoji(emoji_id) if emoji_id is not None else is_emoji(name or "")
        if not known:
            form.complain(
                ("emoji", "name" if emoji_id is None else "id"),
                "BUTTON_COMPONENT_INVALID_EMOJI",
                "Invalid emoji",
            )
        return {"name": name, "id": None if emoji_id is None else str(emoji_id)}

    def _numbered(self, components: list[Json]) -> list[Json]:
        """Give every component without an id the lowest one that is free, as Discord does."""
        free = iter(number for number in range(1, 10_000) if number not in self._ids)

        def number(component: Json) -> Json:
            numbered = {"type": component["type"], "id": component.get("id") or next(free)}
            numbered.update({k: v for k, v in component.items() if k not in numbered})
            for key in ("accessory", "component"):
                if key in numbered:
                    numbered[key] = number(numbered[key])
            if "components" in numbered:
                numbered["components"] = [number(part) for part in numbered["components"]]
            return numbered

        return [number(component) for component in components]
