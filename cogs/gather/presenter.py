"""What a gathering's messages look like: countdown, check-in, closing card and others."""

import csv
import io
import math
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.kit.clicks.components import Style, button, row
from bot.kit.clicks.custom_id import custom_id
from bot.kit.outbox import Enclosure
from bot.kit.replies import Json, Reply, done, info, refused, waiting
from bot.kit.typed_text import units
from cogs.gather.table import table
from cogs.gather.words import arrived, clock_of, length, minutes_seconds
from services.gather.attendance import Attendance, Outcome, roll
from services.gather.gathering import Gathering
from services.gather.session import CHECK_IN_LIMIT, GRACE, Ending, GatherSession, Phase, Status

PREFIX = "gather"
_TITLE = "📣 Voice channel gathering"
_DESCRIPTION = 4096
_NAMED = 20
"""So many members are named in a sentence."""


def gathering_card(gathering: Gathering, *, now: datetime, zone: ZoneInfo) -> Reply:
    """Show the gathering as it is now: the countdown, the check-in, or how it ended."""
    session = gathering.session
    if session.phase is Phase.COUNTDOWN:
        return info(_TITLE, _countdown(gathering, now, zone)).with_rows(_countdown_row(gathering))
    if session.phase is Phase.CHECK_IN:
        text, rows = _check_in(gathering, now), _check_in_rows(gathering, now)
        make = info if now - session.starts_at < GRACE else waiting
        return make(_TITLE, text).with_rows(*rows)
    text = _check_in(gathering, session.closed_at or now) if session.attendees else _list(gathering)
    make = done if session.ending is Ending.COMPLETE else refused
    return make(_TITLE, text, footer=_ending(session))


# ── countdown ───────────────────────────────────────────────────────────────
def _countdown(gathering: Gathering, now: datetime, zone: ZoneInfo) -> str:
    session = gathering.session
    start = session.starts_at
    lines = [
        f"<@{session.author_id}> gathers everybody in <#{gathering.voice_channel_id}>.",
        "",
        (
            f"Starts in **{length(start - now)}**, at **{start.astimezone(zone):%H:%M}** "
            f"({clock_of(start)} for you), after {length(start - session.created_at)} in all."
        ),
    ]
    if session.quorum is not None:
        lines.append(f"Quorum: **{session.quorum}**")
    lines += ["", _list(gathering)]
    return "\n".join(lines)


def _list(gathering: Gathering) -> str:
    expected = gathering.session.expected
    named = sorted(expected, key=lambda u: (gathering.names.get(u, "").casefold(), u))
    room = _DESCRIPTION - 600
    shown: list[str] = []
    for user_id in named:
        mention = f"<@{user_id}>"
        room -= units(mention) + 2
        if room < 0:
            shown.append(f"and {len(named) - len(shown)} more")
            break
        shown.append(mention)
    return f"**Attendees ({len(named)})**\n" + (", ".join(shown) or "Nobody yet")


def _countdown_row(gathering: Gathering) -> Json:
    def of(action: str) -> str:
        return custom_id(PREFIX, action, gathering.id)

    return row(
        button(of("start"), "Start now", style=Style.PRIMARY),
        button(of("cancel"), "Cancel", style=Style.DANGER),
        button(of("join"), "Join gathering", style=Style.SUCCESS),
        button(of("leave"), "Leave gathering"),
    )


# ── check-in ────────────────────────────────────────────────────────────────
def _check_in(gathering: Gathering, now: datetime) -> str:
    session = gathering.session
    here, out = session.count(Status.ARRIVED), session.count(Status.RECONSIDERING)
    facts = [
        f"Attendance: **{here}/{len(session.attendees) - out}**",
        f"Ghost pings: **{'on' if session.pings_on else 'off'}**",
    ]
    if session.quorum is not None:
        facts.insert(1, f"Quorum: **{here}/{session.quorum}**")
    lines = [*_how_to(gathering), _time(session, now), " · ".join(facts)]
    text = "\n".join(line for line in lines if line)
    rows = [(line.name, arrived(line)) for line in roll(gathering)]
    return text + "\n" + table(("User", "Arrived"), rows, room=_DESCRIPTION - units(text) - 1)


def _how_to(gathering: Gathering) -> list[str]:
    if not gathering.open:
        return [f"In <#{gathering.voice_channel_id}>."]
    return [
        (
            f"Be in <#{gathering.voice_channel_id}> and press **I'm here!**, or **I'm out** if you "
            "do not come."
        ),
        "",
    ]


def _time(session: GatherSession, now: datetime) -> str:
    since = now - session.starts_at
    if session.phase is Phase.CLOSED:
        return f"It took **{minutes_seconds(since.total_seconds())}**."
    if since < GRACE:
        left = minutes_seconds(math.ceil((GRACE - since).total_seconds()))
        return f"Grace: **{left}** left; until then you are on time."
    elapsed = minutes_seconds(since.total_seconds())
    return f"Started **{elapsed}** ago; whoever comes now is late by that."


def _check_in_rows(gathering: Gathering, now: datetime) -> tuple[Json, ...]:
    def of(action: str) -> str:
        return custom_id(PREFIX, action, gathering.id)

    session = gathering.session
    pings = ("mute", "Mute pings") if session.pings_on else ("unmute", "Unmute pings")
    first = row(
        button(of("here"), "I'm here!", style=Style.SUCCESS),
        button(of("out"), "I'm out"),
        button(of(pings[0]), pings[1]),
        button(of("cancel"), "Cancel", style=Style.DANGER),
    )
    over = now - session.starts_at >= GRACE
    wanting = session.out or (over and session.missing)
    return (first, _substitute_row(gathering)) if wanting and _may_ask(gathering) else (first,)


def _may_ask(gathering: Gathering) -> bool:
    return not gathering.session.substitute_asked


def _substitute_row(gathering: Gathering) -> Json:
    return row(button(custom_id(PREFIX, "substitute", gathering.id), "Find a substitute"))


def _ending(session: GatherSession) -> str:
    match session.ending:
        case Ending.COMPLETE:
            return "Everybody has checked in or opted out. Gathering complete."
        case Ending.CANCELLED:
            return "Cancelled."
        case Ending.TIMED_OUT:
            minutes = int(CHECK_IN_LIMIT.total_seconds()) // 60
            return f"Ended after {minutes} minutes; missing: {len(session.missing)}."
        case _:
            return "Ended: the channel was deleted."


# ── one-time messages ───────────────────────────────────────────────────────
def mentions(user_ids: Iterable[int]) -> str:
    """Return a line that mentions these users."""
    return " ".join(f"<@{user_id}>" for user_id in user_ids)


def quorum_reached(gathering: Gathering) -> Reply:
    """Say that as many as wanted are here."""
    session = gathering.session
    return done(
        "✅ Quorum reached",
        f"{session.quorum} are here in <#{gathering.voice_channel_id}>, as many as were wanted.",
    ).kept()


def cannot_disconnect(gathering: Gathering) -> Reply:
    """Say that members who are out have to leave by themselves."""
    return waiting(
        "🚪 Please leave by yourselves",
        f"I cannot take members out of <#{gathering.voice_channel_id}>: I need the permission "
        "*Move Members* there. Whoever is out is out all the same.",
    ).kept()


def substitute_wanted(gathering: Gathering) -> Reply:
    """Ask who comes in the place of those who are not here; roles stand in the content."""
    session = gathering.session
    absent = [*session.missing, *session.out]
    named = ", ".join(f"<@{user_id}>" for user_id in absent[:_NAMED])
    more = f" and {len(absent) - _NAMED} more" if len(absent) > _NAMED else ""
    how = "press **I'm here!** on the check-in" if gathering.open else "say hello"
    text = f"Not here: {named}{more}. Who comes to <#{gathering.voice_channel_id}> instead? "
    roles = " ".join(f"<@&{role_id}>" for role_id in sorted(session.role_ids))
    return waiting("🙋 Substitute wanted", f"{text}Join and {how}.", content=roles).kept()


# ── the closing card ────────────────────────────────────────────────────────
def closing_card(gathering: Gathering, *, zone: ZoneInfo) -> Reply:
    """Say who came, when, and how late."""
    lines = roll(gathering)
    rows = [(line.name, _when(line, zone), arrived(line)) for line in lines]
    came = [line for line in lines if line.arrived_at is not None]
    on_time = sum(line.outcome is Outcome.ON_TIME for line in came)
    text = (
        f"<#{gathering.voice_channel_id}>, started "
        f"{gathering.session.starts_at.astimezone(zone):%d %b %Y %H:%M} ({zone.key}): "
        f"**{len(came)}** of {len(lines)} came, **{on_time}** on time."
    )
    room = _DESCRIPTION - units(text) - 1
    text += "\n" + table(("User", "When", "Late"), rows, room=room)
    wanting = gathering.session.missing or gathering.session.out
    asking = (_substitute_row(gathering),) if wanting and _may_ask(gathering) else ()
    return info("📋 Attendance", text).with_rows(*asking).kept()


def _when(line: Attendance, zone: ZoneInfo) -> str:
    return f"{line.arrived_at.astimezone(zone):%H:%M:%S}" if line.arrived_at else ""


def attendance_file(gathering: Gathering) -> Enclosure:
    """Return the list as a CSV file that spreadsheets open."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ("user_id", "name", "outcome", "arrived_at", "late_s", "first_join", "present_s")
    )
    for line in roll(gathering):
        writer.writerow(
            (
                line.user_id,
                _harmless(line.name),
                line.outcome.value,
                _iso(line.arrived_at),
                line.late_s,
                _iso(line.first_join),
                line.present_s,
            )
        )
    content = "\ufeff" + text.getvalue()  # the mark tells spreadsheets that it is UTF-8
    day = f"{gathering.session.starts_at:%Y-%m-%d}"
    return Enclosure(f"attendance-{day}.csv", content.encode(), "text/csv; charset=utf-8")


def _harmless(name: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{name}" if name[:1] in {"=", "+", "-", "@", "\t", "\r"} else name


def _iso(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds")
