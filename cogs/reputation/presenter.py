"""What reputation looks like: a change, a member's list of entries, the leaderboard."""

from bot.kit.clicks.components import Style, button, row
from bot.kit.clicks.custom_id import custom_id
from bot.kit.people import GuildMember
from bot.kit.replies import Field, Reply, done, empty, info
from bot.kit.typed_text import escaped
from services.reputation.pages import EDGE, BoardPage, EntryPage, Ranked
from services.reputation.rules import Made, Span

RETRACT = "rep:retract"
_REASON = 1000
_REASON_IN_LIST = 650
_NAME = 80
_MEDALS = {1: "🥇", 2: "🥈", 3: "🥉"}
_SPANS = {Span.WEEK: "the last 7 days", Span.MONTH: "the last 30 days", Span.EVER: "ever"}


def signed(number: int) -> str:
    """Return a number with its sign; zero has none."""
    return f"{number:+,}" if number else "0"


# ── a change ────────────────────────────────────────────────────────────────
def made_card(made: Made) -> Reply:
    """Show a change with the target's new total."""
    entry = made.entry
    title = "👍 Reputation given" if entry.amount > 0 else "👎 Reputation taken"
    return done(title, fields=_fields(made), stays=True)


def with_button(card: Reply, entry_id: int) -> Reply:
    """Return the card with the button that takes the change back."""
    return card.with_rows(
        row(button(custom_id(RETRACT, entry_id), "Take back", style=Style.SECONDARY))
    )


def retracted_card(made: Made) -> Reply:
    """Show a change that was taken back."""
    return info("↩️ Reputation taken back", fields=_fields(made), stays=True)


def gone_card() -> Reply:
    """Show that there is no such change any more, where nothing else is known of it."""
    return info("↩️ Reputation taken back", "This change does not count.", stays=True)


def _fields(made: Made) -> tuple[Field, ...]:
    entry = made.entry
    return (
        Field("From", f"<@{entry.giver_id}>"),
        Field("To", f"<@{entry.target_id}>"),
        Field("Amount", signed(entry.amount)),
        Field("Reason", escaped(entry.reason, _REASON), inline=False),
        Field("New total", signed(made.total)),
    )


# ── a member's entries ──────────────────────────────────────────────────────
def entries_page(member: GuildMember, page: EntryPage) -> Reply:
    """Show some of a member's entries, the newest first."""
    title = f"⭐ Reputation of {escaped(member.name, _NAME)}"
    if not page.count:
        return empty(title, f"{member.mention} has no entries yet.", stays=True)
    recent = " · ".join(
        f"{signed(page.totals[span])} in {_SPANS[span]}" for span in (Span.WEEK, Span.MONTH)
    )
    lines = [
        f"**{signed(entry.amount)}** from <@{entry.giver_id}> <t:{int(entry.at.timestamp())}:R>\n"
        f"{escaped(entry.reason, _REASON_IN_LIST)}"
        for entry in page.entries
    ]
    return info(title, "\n\n".join([recent, *lines]), footer=_footer(page), stays=True)


def _footer(page: EntryPage) -> str:
    entries = "1 entry" if page.count == 1 else f"{page.count:,} entries"
    total = signed(page.totals[Span.EVER])
    return f"Total {total} · {entries} · rank {page.rank:,} of {page.members:,}"


# ── the leaderboard ─────────────────────────────────────────────────────────
def board_page(page: BoardPage, *, reader_id: int) -> Reply:
    """Show a page of the leaderboard; the reader's own line stands out."""
    title = "🏆 Leaderboard"
    if not page.members:
        words = "Nobody has reputation yet." if page.span is Span.EVER else "Nobody got any."
        return empty(title, words, stays=True)
    lines = [_line(member, reader_id) for member in page.ranked]
    if page.between:
        lines.insert(EDGE, f"\n*… {page.between:,} in between …*\n")
    people = "1 member" if page.members == 1 else f"{page.members:,} members"
    return info(title, "\n".join(lines), footer=f"{people} · {_SPANS[page.span]}", stays=True)


def _line(member: Ranked, reader_id: int) -> str:
    medal = _MEDALS.get(member.rank) if member.position in _MEDALS else None
    place = medal or f"`{member.rank:,}.`"
    line = f"{place} <@{member.user_id}> **{signed(member.total)}**"
    return f"{line} ◂ you" if member.user_id == reader_id else line
