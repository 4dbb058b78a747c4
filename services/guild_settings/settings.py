"""A guild's settings, and the rules for what may be set."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, available_timezones

from services.errors import Refusal

MAX_PREFIX_LENGTH = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildSettings:
    """What is in force in a guild."""

    prefix: str
    timezone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildOverrides:
    """What the admins of a guild have set; None: as the bot's own settings say."""

    prefix: str | None = None
    timezone: str | None = None


def check_prefix(prefix: str) -> str:
    """Return the prefix as it is to be stored.

    Raises:
        Refusal: it is empty, too long, or Discord would take it for something else.
    """
    prefix = prefix.strip()
    if not 1 <= len(prefix) <= MAX_PREFIX_LENGTH:
        raise Refusal(f"A prefix has 1 to {MAX_PREFIX_LENGTH} characters.")
    if any(character.isspace() or not character.isprintable() for character in prefix):
        raise Refusal("A prefix has no spaces.")
    if prefix[0] in "/@#<":
        raise Refusal("Discord keeps / @ # and < for itself. Take another prefix, such as ! or ?.")
    return prefix


def check_timezone(name: str) -> ZoneInfo:
    """Return the zone of that name in the tz database, however it is capitalised.

    Raises:
        Refusal: there is none.
    """
    wanted = name.strip().replace(" ", "_").casefold()
    for known in available_timezones():
        if known.casefold() == wanted:
            return ZoneInfo(known)
    raise Refusal("I do not know that time zone. Write it like Europe/Berlin or UTC.")
