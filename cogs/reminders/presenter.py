"""What reminders look like: when they are set, when they fire, in a list."""

from datetime import datetime

from bot.kit.clicks.components import button, row
from bot.kit.clicks.custom_id import custom_id
from bot.kit.replies import Field, Json, Reply, done, empty, info
from bot.kit.typed_text import escaped
from services.reminders.reminder import Reminder, ReminderPage, Removed, Snooze

SNOOZE = "remind:snooze"
_NOTE = 3000
_NOTE_IN_LIST = 120
_NOTE_LINES = 25
_LABELS = {Snooze.TEN_MINUTES: "10 min", Snooze.HOUR: "1 h", Snooze.TOMORROW: "Tomorrow"}


def moment(at: datetime, style: str = "F") -> str:
    """Return Markdown that shows a moment in everybody's own time zone (Discord, "Timestamps")."""
    return f"<t:{int(at.timestamp())}:{style}>"


# ── set, listed, removed ────────────────────────────────────────────────────
def set_card(reminder: Reminder) -> Reply:
    """Say that a reminder is set."""
    lines = [f"{moment(reminder.due_at)}, {moment(reminder.due_at, 'R')}"]
    if reminder.repeats is not None:
        lines.append(f"Repeats {reminder.repeats} ({reminder.zone})")
    if reminder.targets != (reminder.scheduled_by,):
        lines.append(f"For {_mentions(reminder)}")
    if reminder.note:
        lines += ["", _note(reminder.note)]
    footer = f"#{reminder.id} · notify remove {reminder.id} takes it back"
    return done("⏰ Reminder set", "\n".join(lines), footer=footer, stays=True)


def list_page(page: ReminderPage, user_id: int) -> Reply:
    """Show some of a member's open reminders, the next one first."""
    title = "⏰ Your reminders"
    if not page.count:
        return empty(title, "You have none. Set one with `notify me 10m Tea`.", stays=True)
    lines = [_line(reminder, user_id) for reminder in page.reminders]
    count = "1 open" if page.count == 1 else f"{page.count} open"
    return info(title, "\n".join(lines), footer=count, stays=True)


def removed_card(removed: Removed) -> Reply:
    """Say that a reminder was removed, or that one member is not reminded any more."""
    title = f"🗑️ Reminder #{removed.reminder.id} removed"
    if removed.for_all:
        return done(title, _note_in_line(removed.reminder), stays=True)
    return done(title, "You are not reminded any more; the others still are.", stays=True)


def snoozed_card(reminder: Reminder) -> Reply:
    """Say when a member is reminded again."""
    return done("💤 Snoozed", f"I remind you again {moment(reminder.due_at, 'R')}.")


def _line(reminder: Reminder, user_id: int) -> str:
    parts = [f"`#{reminder.id}` {moment(reminder.due_at, 'f')} {moment(reminder.due_at, 'R')}"]
    if reminder.repeats is not None:
        parts.append(str(reminder.repeats))
    if reminder.scheduled_by != user_id:
        parts.append(f"by <@{reminder.scheduled_by}>")
    elif reminder.targets != (user_id,):
        parts.append(f"for {_mentions(reminder)}")
    if reminder.note:
        parts.append(_note_in_line(reminder))
    return " · ".join(parts)


def _note_in_line(reminder: Reminder) -> str:
    return escaped(reminder.note, _NOTE_IN_LIST)


# ── fired ───────────────────────────────────────────────────────────────────
def fired_card(reminder: Reminder, *, missed: bool, again: datetime | None) -> Reply:
    """Show a reminder that is due; `again` is when it comes next."""
    lines = [_note(reminder.note)] if reminder.note else []
    if missed:
        lines.append(f"**Late:** this was due {moment(reminder.due_at)}, while I was away.")
    fields = [
        Field(
            "Asked for",
            f"{moment(reminder.created_at, 'f')} by <@{reminder.scheduled_by}>\n{_link(reminder)}",
        )
    ]
    if again is not None:
        fields.append(Field("Repeats", f"{reminder.repeats}\nnext {moment(again, 'R')}"))
    return info(
        "⏰ Reminder",
        "\n\n".join(lines),
        fields=tuple(fields),
        content=" ".join(f"<@{user_id}>" for user_id in reminder.targets),
        pings=reminder.targets,
        rows=(_snooze_buttons(reminder),),
        stays=True,
    )


def direct_card(card: Reply, user_id: int) -> Reply:
    """Return the card as a direct message to one target."""
    return Reply(
        kind=card.kind,
        title=card.title,
        text=card.text,
        fields=card.fields,
        content=f"<@{user_id}>",
        pings=(user_id,),
        rows=card.rows,
        stays=True,
    )


def unreached_card(reminder: Reminder, unreached: tuple[int, ...]) -> Reply:
    """Tell who scheduled a reminder whom it did not reach."""
    whom = ", ".join(f"<@{user_id}>" for user_id in unreached)
    lines = [f"I could not remind {whom}: its channel is closed to me, and so are direct messages."]
    if reminder.note:
        lines.append(_note(reminder.note))
    return info("⏰ Reminder not delivered", "\n\n".join(lines), stays=True)


def is_firing_of(message: Json, reminder: Reminder) -> bool:
    """Tell whether a message, as Discord returns it, shows this occurrence of a reminder."""
    wanted = custom_id(SNOOZE, reminder.id, reminder.occurrence)
    return any(
        str(part.get("custom_id", "")).startswith(f"{wanted}:")
        for action_row in message.get("components", ())
        for part in action_row.get("components", ())
    )


def _snooze_buttons(reminder: Reminder) -> Json:
    identifiers = (reminder.id, reminder.occurrence)
    return row(
        *(
            button(custom_id(SNOOZE, *identifiers, snooze.value), label, emoji="💤")
            for snooze, label in _LABELS.items()
        )
    )


def _link(reminder: Reminder) -> str:
    place = f"https://discord.com/channels/{reminder.guild_id}/{reminder.link_channel_id}"
    if reminder.link_message_id is None:
        return f"[in this channel]({place})"
    return f"[to the message]({place}/{reminder.link_message_id})"


def _mentions(reminder: Reminder) -> str:
    return ", ".join(f"<@{user_id}>" for user_id in reminder.targets)


def _note(note: str) -> str:
    """Return a note with its lines, made harmless."""
    lines = [line for line in note.splitlines() if line.strip()][:_NOTE_LINES]
    room = _NOTE // max(1, len(lines))
    return "\n".join(escaped(line, max(room, _NOTE_IN_LIST)) for line in lines)
