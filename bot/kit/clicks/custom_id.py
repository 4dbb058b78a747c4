"""Custom ids of components: a prefix that finds the consumer, and values that survive a restart."""

_SEPARATOR = ":"
_LIMIT = 100  # Discord, "Custom ID"


def custom_id(prefix: str, *values: str | int) -> str:
    """Join a prefix and values, such as `gather:here:42`.

    Raises:
        ValueError: a part is empty or holds a colon, or the whole is longer than 100 characters.
    """
    parts = [*prefix.split(_SEPARATOR), *map(str, values)]
    if any(not part or _SEPARATOR in part for part in parts):
        raise ValueError(f"a part of a custom id is empty or holds a colon: {parts}")
    joined = _SEPARATOR.join(parts)
    if len(joined) > _LIMIT:
        raise ValueError(f"a custom id is longer than {_LIMIT} characters: {joined!r}")
    return joined


def has_prefix(whole: str, prefix: str) -> bool:
    """Say whether `whole` is `prefix` or continues it after a colon."""
    return whole == prefix or whole.startswith(prefix + _SEPARATOR)


def values_of(whole: str, prefix: str) -> tuple[str, ...]:
    """Return the values that follow the prefix.

    Raises:
        ValueError: the custom id has another prefix.
    """
    if not has_prefix(whole, prefix):
        raise ValueError(f"{whole!r} does not begin with {prefix!r}")
    rest = whole[len(prefix) + 1 :]
    return tuple(rest.split(_SEPARATOR)) if rest else ()
