"""Reading a request body with Discord's limits, collecting every complaint by field.

    form = Form(body)
    content = form.text("content", most=2000)
    for embed in form.forms("embeds", most=10):
        embed.text("title", most=256)
    form.finish()      # 400 50035 with the tree of complaints, if there are any

Shapes and codes: Discord, reference, "Error Messages".
"""  # fmt: skip

from collections.abc import Collection, Iterator
from typing import Any

from tests.simulator.errors import ApiError, Json
from tests.simulator.snowflake import as_snowflake

_REQUIRED = ("BASE_TYPE_REQUIRED", "This field is required")


class Form:
    """A JSON object whose fields are read with their limits; strings are trimmed."""

    def __init__(
        self, fields: Json, *, path: tuple[str, ...] = (), complaints: Json | None = None
    ) -> None:
        self.fields = fields
        self.path = path
        self._complaints: Json = {} if complaints is None else complaints

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def get(self, name: str) -> Any:
        """Return a field as it was sent, None where it is absent."""
        return self.fields.get(name)

    # ── complaints ──────────────────────────────────────────────────────────

    def complain(self, where: str | tuple[str, ...], code: str, message: str) -> None:
        """Note what is wrong with a field; with the object itself where `where` is empty."""
        tail = where if isinstance(where, tuple) else (where,) if where else ()
        node = self._complaints
        for step in (*self.path, *tail):
            node = node.setdefault(step, {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    @property
    def complaints(self) -> Json:
        """The tree of everything that is wrong so far."""
        return self._complaints

    def finish(self) -> None:
        """Raise the 50035 error if anything was wrong."""
        if self._complaints:
            raise ApiError(400, 50035, "Invalid Form Body", errors=self._complaints)

    # ── fields ──────────────────────────────────────────────────────────────

    def text(
        self, name: str, *, least: int = 0, most: int = 4000, required: bool = False
    ) -> str | None:
        """Read a string; None where it is absent, null or wrong."""
        value: Any = self._present(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.complain(name, "BASE_TYPE_BAD_TYPE", "Expected string")
            return None
        text = value.strip()
        self._check_length(name, len(text), least, most)
        if required and not text and not least:
            self.complain(name, *_REQUIRED)
        return text

    def _check_length(self, name: str, length: int, least: int, most: int) -> None:
        if least <= length <= most:
            return
        if least == 0:
            self.complain(name, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        elif length == 0:
            self.complain(name, *_REQUIRED)
        else:
            self.complain(
                name, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length."
            )

    def integer(self, name: str, *, least: int, most: int, required: bool = False) -> int | None:
        """Read a whole number within limits."""
        value = self._present(name, required=required)
        if value is None:
            return None
        if isinstance(value, str) and value.lstrip("-").isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self.complain(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
            return None
        if value < least:
            self.complain(
                name,
                "NUMBER_TYPE_MIN",
                f"int value should be greater than or equal to {least}.",
            )
        elif value > most:
            self.complain(
                name, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}."
            )
        return value

    def number(self, name: str, *, required: bool = False) -> float | None:
        """Read a number."""
        value = self._present(name, required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.complain(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not float.')
            return None
        return value

    def boolean(self, name: str) -> bool | None:
        """Read true or false."""
        value = self.fields.get(name)
        if value is None or isinstance(value, bool):
            return value
        self.complain(name, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
        return None

    def snowflake(self, name: str, *, required: bool = False) -> int | None:
        """Read an id, written as digits or as a number."""
        value = self._present(name, required=required)
        if value is None:
            return None
        number = as_snowflake(value)
        if number is None:
            self.complain(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
        return number

    def choice(self, name: str, options: Collection[Any], *, required: bool = False) -> Any:
        """Read one of a few values."""
        value = self._present(name, required=required)
        if value is not None and (isinstance(value, bool) or value not in options):
            known = ", ".join(str(option) for option in options)
            self.complain(name, "BASE_TYPE_CHOICES", f"Value must be one of ({known}).")
            return None
        return value

    def snowflakes(self, name: str, *, least: int = 0, most: int = 100) -> list[int] | None:
        """Read a list of different ids."""
        values = self._list(name, least, most)
        if values is None:
            return None
        numbers: list[int] = []
        for index, value in enumerate(values):
            number = as_snowflake(value)
            if number is None:
                where = (name, str(index))
                self.complain(where, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
            elif number in numbers:
                self.complain(
                    name, "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value"
                )
            else:
                numbers.append(number)
        return numbers

    def strings(self, name: str, options: Collection[str]) -> list[str] | None:
        """Read a list of words out of a few."""
        values = self._list(name, 0, 100)
        for index, value in enumerate(values or ()):
            if value not in options:
                known = ", ".join(options)
                self.complain(
                    (name, str(index)), "BASE_TYPE_CHOICES", f"Value must be one of ({known})."
                )
        return values

    # ── what lies inside ────────────────────────────────────────────────────

    def form(self, name: str, *, required: bool = False) -> "Form | None":
        """Read an object."""
        value = self._present(name, required=required)
        if value is None:
            return None
        return self._inside(value, (name,))

    def forms(
        self, name: str, *, least: int = 0, most: int = 100, required: bool = False
    ) -> "list[Form]":
        """Read a list of objects; empty where it is absent."""
        if required and self.fields.get(name) is None:
            self.complain(name, *_REQUIRED)
        values = self._list(name, least, most)
        return list(self._all_inside(name, values or []))

    def _all_inside(self, name: str, values: list[Any]) -> "Iterator[Form]":
        for index, value in enumerate(values):
            inside = self._inside(value, (name, str(index)))
            if inside is not None:
                yield inside

    def _inside(self, value: Any, where: tuple[str, ...]) -> "Form | None":
        if not isinstance(value, dict):
            message = "Only dictionaries may be used in a DictType"
            self.complain(where, "DICT_TYPE_CONVERT", message)
            return None
        return Form(value, path=(*self.path, *where), complaints=self._complaints)

    def _list(self, name: str, least: int, most: int) -> list[Any] | None:
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            self.complain(name, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return None
        self._check_length(name, len(value), least, most)
        return value

    def _present(self, name: str, *, required: bool) -> Any:
        value = self.fields.get(name)
        if value is None and required:
            self.complain(name, *_REQUIRED)
        return value
