"""Tables line up whatever names members have, and never exceed what Discord takes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.kit.typed_text import units
from cogs.gather.presenter import attendance_file, closing_card, gathering_card
from cogs.gather.table import table
from cogs.gather.words import length, minutes_seconds
from services.gather.events import ClickedHere, StartedNow
from services.gather.gathering import Gathering
from services.gather.session import GatherSession, Phase

HEAD = ("User", "Arrived")
NOW = datetime(2026, 5, 1, 18, 0, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


def lines_of(block: str) -> list[str]:
    assert block.startswith("```\n")
    assert block.endswith("\n```")
    return block[4:-4].splitlines()


def crowd(*names: str) -> Gathering:
    members = {1000 + number: name for number, name in enumerate(names)}
    return Gathering(
        id=1,
        guild_id=10,
        voice_channel_id=70,
        text_channel_id=20,
        names=members,
        session=GatherSession(
            author_id=1000, created_at=NOW, starts_at=NOW, present=frozenset(members)
        ),
    ).entered()


def test_columns_line_up_also_behind_wide_and_combining_characters() -> None:
    rows = [("Ada", "ON TIME"), ("漢字", "+01:35"), ("Zoe\u0301", "OUT"), ("🎧 DJ", "--:--")]
    assert lines_of(table(HEAD, rows, room=500)) == [
        "User   Arrived",
        "──────────────",
        "Ada    ON TIME",
        "漢字   +01:35",
        "Zoe\u0301    OUT",
        "🎧 DJ  --:--",
    ]


def test_name_cannot_end_the_block_break_the_line_or_turn_the_direction() -> None:
    block = table(HEAD, [("```\n@everyone \u202e", "OUT")], room=500)
    assert block.count("```") == 2
    assert lines_of(block)[2] == "\u02cb\u02cb\u02cb @everyone  OUT"


def test_long_name_is_cut_and_empty_one_is_marked() -> None:
    [*_, long, nothing] = lines_of(table(HEAD, [("x" * 40, "OUT"), (" ", "OUT")], room=500))
    assert long == "x" * 20 + "…  OUT"
    assert nothing.split() == ["?", "OUT"]


@given(
    st.lists(st.tuples(st.text(max_size=40), st.sampled_from(["ON TIME", "--:--"])), max_size=300),
    st.integers(min_value=200, max_value=4000),
)
def test_table_never_exceeds_its_room_and_says_what_is_left_out(
    rows: list[tuple[str, str]], room: int
) -> None:
    block = table(HEAD, rows, room=room)
    assert units(block) <= room
    shown = lines_of(block)[2:]
    if len(shown) < len(rows) or (shown and shown[-1].startswith("… and ")):
        left_out = int(shown[-1].split()[2])
        assert left_out == len(rows) - (len(shown) - 1)


@pytest.mark.parametrize("people", [1, 40, 200, 1000])
def test_cards_of_any_crowd_are_within_discords_limits(people: int) -> None:
    gathering = crowd(*(f"Member number {n} 🎧" for n in range(people)))
    states = [gathering]
    for event in (StartedNow(1000), ClickedHere(1000, in_channel=True)):
        gathering = gathering.after(event, NOW).gathering
        states.append(gathering)
    for state in states:
        embed = gathering_card(state, now=NOW, zone=UTC_ZONE).body()["embeds"][0]
        assert units(embed["description"]) <= 4096
        if state.session.phase is not Phase.COUNTDOWN:
            assert embed["description"].count("```") == 2
    closing = closing_card(gathering, zone=UTC_ZONE).body()["embeds"][0]
    assert units(closing["description"]) <= 4096
    assert closing["description"].endswith("```")


def test_file_has_everybody_and_no_formula() -> None:
    gathering = crowd("=HYPERLINK(1)", 'Ann "Zoe", B', "漢字")
    gathering = gathering.after(StartedNow(1000), NOW).gathering
    late = NOW + timedelta(seconds=95)
    gathering = gathering.after(ClickedHere(1002, in_channel=True), late).gathering
    lines = attendance_file(gathering).content.decode("utf-8-sig").splitlines()
    assert lines[1:] == [
        "1002,漢字,late,2026-05-01T18:01:35+00:00,95,2026-05-01T18:00:00+00:00,0",
        "1000,'=HYPERLINK(1),missing,,0,2026-05-01T18:00:00+00:00,0",
        '1001,"Ann ""Zoe"", B",missing,,0,2026-05-01T18:00:00+00:00,0',
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (55, "55 s"), (595, "9 min 55 s"), (3600, "1 h"), (5400, "1 h 30 min")],
)
def test_length_is_written_with_its_largest_units(seconds: float, words: str) -> None:
    assert length(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(("seconds", "words"), [(0, "00:00"), (95.9, "01:35"), (1800, "30:00")])
def test_minutes_and_seconds_are_written_with_two_digits(seconds: float, words: str) -> None:
    assert minutes_seconds(seconds) == words
