"""Every module and public thing says what it is for, and nothing is put off or misnamed."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests.architecture.source import PRODUCT, SourceFile, holds, parsed, python_files

_VAGUE = frozenset(
    name + plural
    for name in ("util", "helper", "manager", "common", "misc", "tool", "base_util")
    for plural in ("", "s")
)
_PUT_OFF = re.compile(
    r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b"
)
_PUBLIC = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def silent_modules(file: SourceFile) -> Iterator[str]:
    """A docstring begins with one line; a file with nothing in it needs none."""
    if not file.tree.body:
        return
    first = (ast.get_docstring(file.tree) or "").partition("\n\n")[0]
    if not first:
        yield "1: the module has no docstring"
    elif "\n" in first:
        yield "1: the docstring does not begin with one line"


def silent_definitions(file: SourceFile) -> Iterator[str]:
    yield from _silent_within(file.tree)


def _silent_within(parent: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in parent.body:
        if not isinstance(node, _PUBLIC) or node.name.startswith("_") or _inherits_words(node):
            continue
        if not ast.get_docstring(node):
            yield f"{node.lineno}: {node.name} has no docstring"
        if isinstance(node, ast.ClassDef):
            yield from _silent_within(node)


def _inherits_words(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """What overrides or overloads, and a property's setter, has its words elsewhere."""
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return not names.isdisjoint({"override", "overload", "setter"})


def put_off(file: SourceFile) -> Iterator[str]:
    for number, line in enumerate(file.text.splitlines(), start=1):
        if _PUT_OFF.search(line):
            yield f"{number}: something is put off"


def vague_names(file: SourceFile) -> Iterator[str]:
    path = PurePosixPath(file.path)
    for part in (*path.parts[:-1], path.stem):
        if part.strip("_").lower() in _VAGUE:
            yield f"1: {part!r} says nothing"


def test_every_module_says_in_one_line_what_it_is_for() -> None:
    holds(silent_modules, python_files(*PRODUCT, "tests"))


def test_every_public_class_and_function_has_a_docstring() -> None:
    holds(silent_definitions, python_files("bot", "cogs", "services"))


def test_nothing_is_put_off() -> None:
    holds(put_off, python_files(*PRODUCT, "tests"))


def test_no_file_has_a_name_that_says_nothing() -> None:
    holds(vague_names, python_files(*PRODUCT, "tests"))


# ── the rules themselves ────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"""One line."""', 0),
        ('"""One line.\n\nAnd more.\n"""', 0),
        ('"""Two lines\nat once."""', 1),
        ("a = 1", 1),
    ],
)
def test_rule_reads_a_modules_docstring(text: str, found: int) -> None:
    assert len(list(silent_modules(parsed(text)))) == found


def test_rule_sees_silent_classes_and_methods_but_not_private_ones() -> None:
    text = '''
class Silent:
    def method(self): ...
    @override
    def known(self): ...
    def _private(self): ...
def _private(): ...
def spoken():
    """Speak."""
'''
    found = list(silent_definitions(parsed(text)))
    assert [sentence.split()[1] for sentence in found] == ["Silent", "method"]


def test_rule_sees_what_is_put_off() -> None:
    assert list(put_off(parsed("a = 1\nb = 2  # TO" + "DO: more"))) == ["2: something is put off"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("bot/utils.py", 1),
        ("bot/helpers/play.py", 1),
        ("bot/kit/_common.py", 1),
        ("bot/clock.py", 0),
    ],
)
def test_rule_sees_a_name_that_says_nothing(path: str, found: int) -> None:
    assert len(list(vague_names(parsed("", path)))) == found
