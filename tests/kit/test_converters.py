"""Arguments mean the same, typed after a prefix or chosen in a slash command."""

import pytest

from bot.kit.converters import (
    Argument,
    File,
    Integer,
    LeadingWords,
    Member,
    OneOf,
    Options,
    Parsed,
    SeveralMembers,
    Text,
    Words,
    WrongArgument,
    read,
)
from bot.kit.people import AttachedFile
from bot.kit.replies import Json
from tests.kit.examples import ADA, BEN, KnownMembers

SONG = AttachedFile(url="https://cdn/x.mp3", filename="x.mp3", content_type=None, size_bytes=7)


def typed(line: str, *arguments: Argument) -> list[object]:
    words = Words(line, members=KnownMembers(), attachments=[SONG])
    return list(read(arguments, words).values())


def chosen(values: Json, *arguments: Argument) -> list[object]:
    file = {"url": SONG.url, "filename": SONG.filename, "size": SONG.size_bytes}
    resolved = {"attachments": {"5": file}}
    options = Options(values=values, members=KnownMembers(), resolved=resolved)
    return list(read(arguments, options).values())


COUNT = Integer(name="count", description="how many", most=99)
QUERY = Text(name="query", description="what", rest=True)
WORD = Text(name="word", description="which")
WHO = Member(name="who", description="whom")
SEVERAL = SeveralMembers(name="user", description="who", most=3)
MODE = OneOf(name="mode", description="how", choices=("off", "track"))
FILE = File(name="file", description="a file", required=False)


@pytest.mark.parametrize(
    ("argument", "line", "values", "meaning"),
    [
        (COUNT, "7", {"count": 7}, 7),
        (QUERY, "  never gonna   give ", {"query": "never gonna   give"}, "never gonna   give"),
        (WORD, '"two words" more', {"word": "two words"}, "two words"),
        (WORD, "one more", {"word": "one"}, "one"),
        (WHO, f"<@{ADA.id}> rest", {"who": str(ADA.id)}, ADA),
        (WHO, f"<@!{ADA.id}>", {"who": str(ADA.id)}, ADA),
        (WHO, '"Ben the Second"', {"who": str(BEN.id)}, BEN),
        (
            SEVERAL,
            f"<@{BEN.id}> {ADA.id} x",
            {"user": str(BEN.id), "user3": str(ADA.id)},
            (BEN, ADA),
        ),
        (MODE, "TRACK", {"mode": "track"}, "track"),
        (FILE, "", {"file": "5"}, SONG),
    ],
)
def test_argument_typed_or_chosen_means_the_same(
    argument: Argument, line: str, values: Json, meaning: object
) -> None:
    assert typed(line, argument) == [meaning]
    assert chosen(values, argument) == [meaning]


@pytest.mark.parametrize(
    ("argument", "line", "values"),
    [
        (COUNT, "0", {"count": 0}),
        (COUNT, "100", {"count": 100}),
        (COUNT, "", {}),
        (QUERY, "   ", {"query": "  "}),
        (WHO, "<@999>", {"who": "999"}),
        (SEVERAL, "nobody", {}),
        (MODE, "both", {"mode": "both"}),
    ],
)
def test_argument_missing_or_wrong_is_refused_in_both_forms(
    argument: Argument, line: str, values: Json
) -> None:
    with pytest.raises(WrongArgument, match=argument.name):
        typed(line, argument)
    with pytest.raises(WrongArgument, match=argument.name):
        chosen(values, argument)


@pytest.mark.parametrize("line", ["seven", "1.5", "٣٣٣٣", "9" * 5000])
def test_integer_anything_but_a_number_in_range_is_refused(line: str) -> None:
    with pytest.raises(WrongArgument):
        typed(line, COUNT)


def test_integer_left_out_takes_its_default() -> None:
    count = Integer(name="count", description="how many", required=False, default=1)
    assert typed("", count) == [1]
    assert chosen({}, count) == [1]


def test_members_more_than_allowed_are_refused() -> None:
    one = SeveralMembers(name="user", description="who", most=1)
    with pytest.raises(WrongArgument, match="1 members at most"):
        typed(f"<@{ADA.id}> <@{BEN.id}>", one)


def test_members_named_twice_count_once() -> None:
    assert typed(f"<@{ADA.id}> <@{ADA.id}>", SEVERAL) == [(ADA,)]


def test_arguments_after_each_other_each_take_their_words() -> None:
    assert typed(f"<@{ADA.id}> 3 for being kind", WHO, COUNT, QUERY) == [ADA, 3, "for being kind"]


def test_parsed_argument_says_by_itself_what_is_wrong() -> None:
    def parse(text: str) -> int:
        if not text.endswith("s"):
            raise WrongArgument("Write it as 10s.")
        return int(text[:-1])

    delay = Parsed(name="delay", description="when", parse=parse)
    assert typed("10s", delay) == chosen({"delay": "10s"}, delay) == [10]
    with pytest.raises(WrongArgument, match="10s"):
        typed("10", delay)


def known(text: str) -> bool:
    return text in {"1h", "1h 30m", "24-12-2026 15:30"}


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("1h Tea", ["1h", "Tea"]),
        ("1h 30m Tea and cake", ["1h 30m", "Tea and cake"]),
        ("1h   30m\nTea", ["1h 30m", "Tea"]),
        ('"24-12-2026 15:30" Tea', ["24-12-2026 15:30", "Tea"]),
        ("24-12-2026 15:30 Tea", ["24-12-2026 15:30", "Tea"]),
        ("soon Tea", ["soon", "Tea"]),
    ],
)
def test_leading_words_take_as_many_as_fit(line: str, values: list[str]) -> None:
    when = LeadingWords(name="when", description="when", fits=known)
    assert typed(line, when, QUERY) == values


def test_leading_words_left_out_are_missing() -> None:
    when = LeadingWords(name="when", description="when", fits=known)
    with pytest.raises(WrongArgument, match="when"):
        typed("", when)
    assert chosen({"when": " 1h "}, when) == ["1h"]


def test_text_longer_than_allowed_is_refused() -> None:
    with pytest.raises(WrongArgument, match="5 characters"):
        typed("abcdef", Text(name="word", description="which", max_length=5))


def test_unclosed_quotation_mark_is_an_ordinary_character() -> None:
    assert typed('"half open', WORD) == ['"half']
