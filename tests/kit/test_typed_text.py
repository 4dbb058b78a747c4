"""What members typed is shown as written and can do nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.kit.typed_text import code, code_block, cut, escaped, link, plain, units


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("**bold** _it_", r"\*\*bold\*\* \_it\_"),
        ("`code`", r"\`code\`"),
        ("||spoiler||", r"\|\|spoiler\|\|"),
        ("[click](http://evil)", r"\[click\](http://evil)"),
        ("<@1> <#2> <:a:3> <t:4>", "\\<@\u200b1\\> \\<#2\\> \\<:a:3\\> \\<t:4\\>"),
        ("@everyone @here", "@\u200beveryone @\u200bhere"),
        ("# heading", r"\# heading"),
        ("> quote", r"\> quote"),
        ("1. list", r"1\. list"),
        ("a\nb\tc", "a b c"),
        ("back\\slash", r"back\\slash"),
        ("tone-440.mp3 (live)", "tone-440.mp3 (live)"),
    ],
)
def test_escaped_markdown_and_mentions_are_only_text(typed: str, shown: str) -> None:
    assert escaped(typed, 200) == shown


def test_plain_direction_marks_and_invisible_characters_are_gone() -> None:
    assert plain("abc\u202egpj.exe\u2066\u200f\ufeff \x00x", 100) == "abcgpj.exe x"


def test_plain_emoji_made_of_several_characters_stays_whole() -> None:
    assert plain("👩‍🚀", 10) == "👩‍🚀"


def test_plain_piled_up_marks_are_limited() -> None:
    assert plain("a" + "\u0301" * 50 + "b", 100) == "a\u0301\u0301\u0301b"


def test_cut_long_text_ends_in_an_ellipsis_within_the_limit() -> None:
    assert cut("abcdefgh", 5) == "abcd…"
    assert cut("abcde", 5) == "abcde"


def test_cut_emoji_count_as_two_units() -> None:
    assert cut("😀😀😀", 5) == "😀😀…"


def test_code_backticks_cannot_end_it() -> None:
    assert code("a`b", 20).count("`") == 2
    assert code_block("x\n```\n@everyone", 100).count("`") == 6


def test_code_of_nothing_is_still_code() -> None:
    assert code("", 20) == "` `"


def test_link_text_cannot_change_the_address() -> None:
    shown = link("a](http://evil) [b", "https://good.example/x(1)", 200)
    assert shown == r"[a\](http://evil) \[b](https://good.example/x%281%29)"


def test_link_of_a_long_or_foreign_address_is_only_the_text() -> None:
    assert link("song", "https://x.example/" + "a" * 300, 120) == "song"
    assert link("song", "javascript:alert(1)", 120) == "song"


@given(st.text(max_size=400), st.integers(min_value=8, max_value=300))
def test_every_form_stays_within_its_limit(typed: str, limit: int) -> None:
    assert units(plain(typed, limit)) <= limit
    assert units(escaped(typed, limit)) <= limit
    assert units(code(typed, limit)) <= limit
    assert units(link(typed, "https://a.example/b", limit)) <= limit
    assert "\n" not in escaped(typed, limit)


@given(st.text(max_size=100))
def test_code_block_always_has_exactly_its_own_fences(typed: str) -> None:
    assert code_block(typed, 200).count("```") == 2


@given(st.text(alphabet="\\*_~|`[]<>@#ab ", max_size=80))
def test_escaped_formatting_characters_are_each_behind_one_backslash(typed: str) -> None:
    shown = escaped(typed, 60)
    position = 0
    while position < len(shown):
        if shown[position] == "\\":
            position += 2
            continue
        assert shown[position] not in "*_~|`[]<>"
        position += 1
    assert position == len(shown)
